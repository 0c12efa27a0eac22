"""A talk as data: its slides, what they take, when it ends, and what could be left out."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import paths
from lab.errors import InputError
from lab.lesson.course import SYLLABUS, load_syllabus
from lab.lesson.talk import SHORTEST_WORDS, Talk, find_talk
from lab.session.talk.forecast import SlideTime, find_times, forecast, suggest_omission
from lab.session.talk.rehearsals import (
    KEPT,
    compare_rehearsals,
    keep_rehearsal,
    read_rehearsals,
    recorded_seconds,
)
from lab.session.talk.resume import Standing, forget_standing, keep_standing, read_standing, store_of
from tests.course import LESSONS

PATHS = load_syllabus(paths.lessons() / SYLLABUS).paths


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.STATE, str(tmp_path))


def talk_of(*names: str) -> Talk:
    return find_talk(names or ("talk-25",), LESSONS, PATHS)


def test_a_path_is_a_talk_with_its_steps_and_its_minutes() -> None:
    talk = talk_of("talk-25")
    assert [slide.id for slide in talk.slides] == list(PATHS["talk-25"].steps)
    assert talk.minutes == 25


def test_lessons_and_steps_are_a_talk_too() -> None:
    talk = talk_of("orientation", "reconciliation:crash")
    assert [slide.lesson.id for slide in talk.slides[:-1]] == ["orientation"] * len(LESSONS[0].steps)
    assert talk.slides[-1].id == "reconciliation:crash"
    assert talk.place_of("reconciliation:crash") == len(talk.slides) - 1
    assert talk.place_of("reconciliation:nothing") is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nonsense", "there is no path and no lesson nonsense"),
        ("reconciliation:nonsense", "lesson reconciliation has no step nonsense"),
    ],
)
def test_a_name_that_is_nothing_is_refused_with_what_there_is(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said) as refused:
        talk_of(name)
    assert refused.value.remedy


def test_a_slide_follows_only_the_step_right_before_it() -> None:
    talk = talk_of("first-service:run", "first-service:ask", "first-service:create", "reconciliation:declare")
    steps = [step.id for step in talk.slides[0].lesson.steps]
    asks = steps.index("create") - steps.index("ask") == 1
    assert [talk.follows(at) for at in range(4)] == [False, steps.index("ask") == 1, asks, False]


def test_words_take_time_even_where_there_are_few() -> None:
    assert all(slide.words >= SHORTEST_WORDS for slide in talk_of("talk-25").slides)


TIMES = st.lists(st.builds(SlideTime, st.floats(0, 300), st.floats(0, 300)), min_size=1, max_size=20).map(tuple)


@given(TIMES, st.data())
def test_the_forecast_is_what_is_left_of_the_slides(times: tuple[SlideTime, ...], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(times) - 1))
    gone, here = data.draw(st.floats(0, 9000)), data.draw(st.floats(0, 900))
    ends = forecast(times, place, gone=gone, here=here, slot=1500)
    assert ends.left >= 0
    assert ends.end >= gone
    later = forecast(times, place, gone=gone + 1, here=here + 1, slot=1500)
    assert later.end >= ends.end - 1e-6  # waiting never brings the end nearer
    assert later.end <= ends.end + 1 + 1e-6


@given(TIMES, st.data())
def test_what_is_left_out_brings_the_end_nearer_by_what_was_said(
    times: tuple[SlideTime, ...], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(times) - 1))
    slot = data.draw(st.floats(0, 3000))
    ends = forecast(times, place, gone=600, here=0, slot=slot)
    out = suggest_omission(times, place, ends)
    if ends.late <= 0 or place >= len(times) - 2:
        assert out is None
        return
    assert out is not None
    assert place < out.place < len(times) - 1
    then = forecast(times, place, gone=600, here=0, slot=slot, left_out={out.place})
    assert then.late == pytest.approx(out.late)
    shorter = [times[at].total for at in range(place + 1, len(times) - 1) if times[at].total < out.saves]
    if out.late <= 0:
        assert all(total < ends.late for total in shorter)


def test_a_slide_takes_what_was_rehearsed_else_what_was_recorded() -> None:
    talk = talk_of("orientation")
    first, second = talk.slides[0], talk.slides[1]
    times = find_times(talk, {first.id: 3.0, second.id: 4.0}, {first.id: SlideTime(1.0, 2.0)})
    assert times[0] == SlideTime(1.0, 2.0)
    assert times[1] == SlideTime(4.0, second.words)


def test_recordings_say_how_long_every_step_of_the_talk_ran() -> None:
    talk = talk_of("talk-25")
    seconds = recorded_seconds(talk)
    assert set(seconds) == {slide.id for slide in talk.slides}
    assert all(0 <= took < 400 for took in seconds.values())


def test_rehearsals_are_kept_and_the_usual_one_is_the_median() -> None:
    talk = talk_of("orientation")
    id = talk.slides[0].id
    for words in (10.0, 90.0, 20.0):
        keep_rehearsal(talk, {id: SlideTime(5.0, words)})
    assert read_rehearsals(talk) == {id: SlideTime(5.0, 20.0)}
    rows = compare_rehearsals(talk, {id: SlideTime(5.0, 20.0)})
    assert [row.id for row in rows] == [slide.id for slide in talk.slides]
    assert rows[0].usual == SlideTime(5.0, 20.0)
    assert rows[1].now is None
    for _ in range(2 * KEPT):
        keep_rehearsal(talk, {id: SlideTime(1.0, 1.0)})
    assert read_rehearsals(talk) == {id: SlideTime(1.0, 1.0)}


@pytest.mark.parametrize(
    "kept", ['{"slides": 3}', '{"slides": {"orientation:map": [[1], "x", [1, true], null]}}', "no"]
)
def test_damaged_rehearsals_count_as_none(kept: str) -> None:
    talk = talk_of("orientation")
    keep_rehearsal(talk, {talk.slides[0].id: SlideTime(1.0, 1.0)})
    path = next((paths.state() / "rehearsals").glob("*.json"))
    path.write_text(kept.replace("orientation:map", talk.slides[0].id))
    assert read_rehearsals(talk) == {}


def test_a_talk_goes_on_where_it_was_unless_it_is_another_or_an_old_one() -> None:
    talk = talk_of("orientation")
    standing = Standing(place=2, began=1000.0, left_out=(3,))
    keep_standing("default", talk)(standing)
    assert read_standing("default", talk, 1100.0) == standing
    assert read_standing("default", talk_of("talk-25"), 1100.0) == Standing()
    assert read_standing("default", talk, 1000.0 + 86400) == Standing()
    store_of("default").write_text('{"talk": "orientation", "place": 99, "began": 1000}')
    assert read_standing("default", talk, 1100.0) == Standing()
    store_of("default").write_text('{"talk": "orientation", "place": 1, "began": 1000, "left_out": 5}')
    assert read_standing("default", talk, 1100.0) == Standing(place=1, began=1000.0)
    store_of("default").write_text(f'{{"talk": "orientation", "place": 1, "began": {10**400}}}')
    assert read_standing("default", talk, 1100.0) == Standing()
    forget_standing("default")
    assert read_standing("default", talk, 1100.0) == Standing()


def test_a_few_steps_have_their_share_of_their_lessons_minutes() -> None:
    whole, part = talk_of("reconciliation"), talk_of("reconciliation:declare")
    assert whole.minutes == pytest.approx(whole.slides[0].lesson.minutes)
    assert part.minutes == pytest.approx(max(1, whole.minutes / len(whole.slides)))
