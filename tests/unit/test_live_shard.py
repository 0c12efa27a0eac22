"""The shards of the live tests: the core is in each, and together they prove every lesson."""

from __future__ import annotations

import pytest

from lab.errors import InputError
from lab.lesson.model import Lesson
from lab.session.shard import recorded_times, split_lessons
from tests.course import LESSONS
from tests.live import shard
from tests.live.shard import CORE, OTHERS, WAYS, choose_lessons, choose_part, count_parts, times

TIMES = times()


@pytest.mark.parametrize("shards", [1, 4, 6, len(LESSONS) + 1])
def test_the_shards_are_every_lesson_once_in_order_and_as_even_as_lessons_allow(shards: int) -> None:
    parts = split_lessons(LESSONS, shards, TIMES)
    assert sorted(lesson.id for part in parts for lesson in part) == sorted(lesson.id for lesson in LESSONS)
    places = [[LESSONS.index(lesson) for lesson in part] for part in parts]
    assert all(part == sorted(part) for part in places)
    totals = [sum(TIMES[lesson.id] for lesson in part) for part in parts]
    assert max(totals) - min(totals) <= max(TIMES.values()), "else the longest part would have given its last lesson"
    assert split_lessons(LESSONS, shards, TIMES) == parts


def test_a_lesson_without_a_recording_counts_by_its_steps() -> None:
    unknown = LESSONS[0].model_copy(update={"id": "not-recorded"})
    assert recorded_times([unknown])["not-recorded"] == 20.0 * len(unknown.steps)


@pytest.mark.parametrize("shards", [1, 4, 5])
def test_all_shards_together_are_every_lesson_and_each_has_the_core(
    monkeypatch: pytest.MonkeyPatch, shards: int
) -> None:
    proven: list[str] = []
    for number in range(1, shards + 1):
        monkeypatch.setenv("SWARMLAB_SHARD", f"{number}/{shards}")
        chosen = [lesson.id for lesson in choose_lessons(LESSONS)]
        assert set(chosen) >= CORE
        proven += [id for id in chosen if id not in CORE]
    assert sorted(proven) == sorted(lesson.id for lesson in LESSONS if lesson.id not in CORE)


def test_all_are_proven_when_asked_for_and_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_SHARD", "all")
    assert choose_lessons(LESSONS) == LESSONS
    for wrong in ("4/3", "0/3", "x", "1/"):
        monkeypatch.setenv("SWARMLAB_SHARD", wrong)
        with pytest.raises(InputError, match="a shard is I/N"):
            choose_lessons(LESSONS)


def test_commits_that_follow_each_other_choose_every_lesson(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SWARMLAB_SHARD", raising=False)
    chosen = set[str]()
    for number in range(100, 100 + count_parts(LESSONS, OTHERS)):
        monkeypatch.setattr(shard, "number_of_commit", lambda number=number: number)
        taken = choose_lessons(LESSONS)
        assert len(taken) < len(LESSONS)
        chosen |= {lesson.id for lesson in taken}
    assert chosen == {lesson.id for lesson in LESSONS}


@pytest.mark.parametrize("seconds", [OTHERS, WAYS])
def test_a_course_twice_as_long_takes_no_longer_for_a_commit(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    def longest(lessons: list[Lesson], of: dict[str, float]) -> float:
        monkeypatch.setattr(shard, "times", lambda: of)
        parts = range(count_parts(lessons, seconds))
        taken = []
        for number in parts:
            monkeypatch.setattr(shard, "number_of_commit", lambda number=number: number)
            taken.append(sum(of[lesson.id] for lesson in choose_part(lessons, seconds)))
        return max(taken)

    again = [lesson.model_copy(update={"id": f"{lesson.id}-2"}) for lesson in LESSONS]
    twice = {**TIMES, **{f"{id}-2": time for id, time in TIMES.items()}}
    bound = max(seconds * 1.25, *TIMES.values())
    assert longest([*LESSONS], {**TIMES}) <= bound
    assert longest([*LESSONS, *again], twice) <= bound
