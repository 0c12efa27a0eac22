"""The load's view: what it says, where a failure stands, and that any world can be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.load import histogram, view
from lab.tui.panes.load.failures import shorten_change
from lab.tui.spans import Line, plain, width
from lab.world.entries import ActDone, EngineEvent, Entry, Failure, LoadReport, SwarmChanged
from lab.world.load import BUCKETS, bucket
from lab.world.world import Change, World, fold_all
from tests.builders import first_look, service, task
from tests.strategies import entries

TARGET = "https://node-app.localhost/"


def report(at: float, latencies: Sequence[float] = (10.0,) * 50, **more: object) -> Entry:
    """A second of load: so many requests answered well, each after so many milliseconds."""
    counts = [0] * BUCKETS
    for ms in latencies:
        counts[bucket(ms)] += 1
    failures: tuple[Failure, ...] = tuple(more.pop("failures", ()))  # type: ignore[arg-type]
    bad = int(more.pop("bad", len(failures)))  # type: ignore[call-overload]
    many = len(latencies)
    made = LoadReport(True, 50.0, TARGET, 1.0, many + bad, many, bad, 3, 0.0, tuple(counts), (), failures)
    return Entry(at, replace(made, **more))  # type: ignore[arg-type]


def broken() -> World:
    """A minute of load; at 40.2 s web.3 dies, and 0.4 s later a request fails."""
    dead = task(3, state="failed", desired="shutdown", exit=137, changed=140.2)
    heir = task(3, 2, on="n4", state="assigned", created=140.4, changed=140.4)
    told = [
        Entry(0.0, first_look(service(), tasks=[task(1), task(2), task(3)])),
        *(report(float(second)) for second in range(1, 41)),
        Entry(40.2, EngineEvent("node3", "container", "die", "c0ffee", "web.3", 140.2, "t-web.3.1", 137)),
        Entry(40.5, SwarmChanged("node1", tasks=(dead, heir))),
        report(41.0, (10.0,) * 48, failures=[Failure(0.4, "node2", 502, "", 34.0), Failure(0.1, "node3", 0, "", 2.0)]),
        Entry(43.0, SwarmChanged("node1", tasks=(replace(heir, state="running", changed=143.0),))),
        *(report(float(second)) for second in range(44, 61)),
    ]
    return fold_all(told)


def text(now: Sequence[Line]) -> str:
    return plain(now)


def row(shown: str, label: str) -> str:
    """The cells of the picture's row that is labelled so."""
    return next(line.partition("│")[2] for line in shown.splitlines() if line.partition("│")[0].strip() == label)


def test_off_it_says_what_starts_it_and_why_it_is_off() -> None:
    shown = text(view.lines(World(), 70, 20, 5.0))
    assert "◦ off" in shown and "g starts it" in shown and "+ and - change its rate" in shown and "costs" in shown


def test_its_head_says_what_is_asked_and_achieved() -> None:
    shown = text(view.lines(fold_all([report(float(s)) for s in range(1, 20)]), 118, 30, 19.2))
    assert f"● on {TARGET}" in shown and "since 00:01" in shown
    for part in ("asked 50/s", "achieved 50.0/s", "in flight 3", "p50 11 ms", "950 sent", "950 good", "0 failed"):
        assert part in shown
    assert "late" not in shown and "✘" not in shown


def test_a_machine_that_cannot_keep_up_says_so() -> None:
    slow = [report(float(s), (10.0,) * 20, late=340.0) for s in range(1, 9)]
    shown = text(view.lines(fold_all(slow), 118, 30, 8.0))
    assert "achieved 20.0/s, behind" in shown and "this machine is late by 340 ms" in shown


def test_a_silence_is_told() -> None:
    assert "no report for 12 s" in text(view.lines(fold_all([report(1.0)]), 80, 30, 13.0))


@pytest.mark.parametrize("room", [56, 70, 118])
def test_a_failure_stands_in_the_column_of_its_second_beside_a_mark(room: int) -> None:
    now = broken()
    lines = text(view.lines(now, room, 40, 60.0))
    cells = row(lines, "✘ failed")
    place = cells.index("2")
    time = histogram.axis(now.load, 60.0, room - histogram.GUTTER)
    assert time.place(40.6) == place and cells.count("2") == 1 and "·" in cells
    marks = next(line for line in lines.splitlines() if line.lstrip().startswith(("▼", "▽")))
    assert abs(marks.index("▼", histogram.GUTTER + place - 3) - histogram.GUTTER - place) <= 1
    assert "web.3: its container died on node3" in lines


def test_reports_that_follow_one_another_leave_no_gap() -> None:
    spaced = [report(0.3 + 1.004 * n, seconds=1.004) for n in range(1, 150)]
    now = fold_all(spaced).load
    seen = histogram.columns(now, histogram.axis(now, spaced[-1].at, 100))
    assert all(column.known and column.rates for column in seen)


def test_a_pause_of_the_load_is_a_gap() -> None:
    now = fold_all([*(report(float(s)) for s in range(1, 11)), *(report(float(s)) for s in range(31, 41))]).load
    seen = histogram.columns(now, histogram.axis(now, 40.0, 80))
    assert sum(column.known for column in seen) == 20


def test_slower_answers_stand_higher_and_one_of_many_is_seen() -> None:
    shown = text(view.lines(fold_all([report(1.0), report(2.0, [*[10.0] * 400, 900.0])]), 70, 40, 2.0))
    assert row(shown, "1 s").rstrip().endswith("░")
    labels = [line.partition("│")[0].strip() for line in shown.splitlines() if "│" in line]
    assert labels.index("1 s") < labels.index("16 ms")


@given(st.lists(st.lists(st.floats(0, 60_000), min_size=1, max_size=20), min_size=1, max_size=30), st.integers(5, 16))
def test_every_answer_is_in_the_picture(seconds: list[list[float]], rows: int) -> None:
    now = fold_all([report(float(n), latencies) for n, latencies in enumerate(seconds, 1)]).load
    seen = histogram.columns(now, histogram.axis(now, float(len(seconds)), 70))
    drawn = list(histogram.heat(seen, rows))
    assert 1 <= len(drawn) <= rows
    lit = {x for line in drawn for x, cell in enumerate(line[1][0]) if cell != " "}
    assert lit == {70 - len(seconds) + n for n in range(len(seconds))}


def test_failures_are_listed_newest_first_beside_the_nearest_change() -> None:
    now = broken()
    listed = view.failures(now)
    assert [place for place, _ in listed] == ["1", "0"]
    assert "nobody answered" in listed[0][1] and "status 502" in listed[1][1] and "node2" in listed[1][1]
    shown = text(view.lines(now, 118, 40, 60.0))
    assert "0.1 s before: web.3 failed on node3 (exit 137)" in shown


def test_a_failure_opened_lies_among_what_happened() -> None:
    shown = text(view.failure_page(broken(), 0, 80))
    assert "✘ status 502" in shown and f"{TARGET} through node2" in shown and "after 34 ms" in shown
    happened = [line.split(" s ", 1) for line in shown.splitlines() if line[:7].strip()[:1] in ("+", "-")]
    offsets = [float(offset) for offset, _ in happened]
    assert offsets == sorted(offsets)
    assert ["▶" in what for _, what in happened].index(True) == 2, "after the death and the managers' word for it"
    assert "-0.4 s ✘ web.3: its container died" in shown and "+2.4 s ● web.3 runs on node4" in shown
    assert "web.3 died on node3, 0.4 s before" in shown
    assert "web.3 was on its way to node4, and ran 2.4 s later" in shown


def test_a_failure_that_is_no_longer_kept_says_so() -> None:
    for place in (-1, 7):
        assert "no longer kept" in text(view.failure_page(broken(), place, 60))


def test_a_failure_beside_which_nothing_happened_says_so() -> None:
    now = fold_all([report(1.0, failures=[Failure(0.2, "node1", 503, "", 3.0)])])
    assert "the swarm did nothing" in text(view.lines(now, 80, 30, 1.0))
    assert "changed nothing" in text(view.failure_page(now, 0, 80)) and "None had died" in text(
        view.failure_page(now, 0, 80)
    )


def test_letters_stay_while_the_picture_moves() -> None:
    acted = [Entry(10.5, ActDone("one")), Entry(30.5, ActDone("two"))]
    told = sorted([*acted, *(report(float(s)) for s in range(1, 201))], key=lambda entry: entry.at)
    names = {}
    for end in (40, 60, 80):
        shown = text(view.lines(fold_all(entry for entry in told if entry.at <= end), 70, 40, float(end)))
        names[end] = next(line[:2] for line in shown.splitlines() if line.endswith("» two"))
    assert len(set(names.values())) == 1


counts = st.lists(st.integers(0, 90), max_size=BUCKETS + 2).map(tuple)
failures = st.builds(
    Failure, st.floats(0, 9), st.sampled_from(["node1", ""]), st.sampled_from([0, 502]), st.text(max_size=40),
    st.floats(0, 1e7),
)  # fmt: skip
reports = st.builds(
    LoadReport, st.booleans(), st.floats(0, 500), st.text(max_size=90), st.floats(0, 20), st.integers(0, 900),
    st.integers(0, 900), st.integers(0, 30), st.integers(0, 900), st.floats(0, 1e5), counts, counts,
    st.lists(failures, max_size=3).map(tuple),
)  # fmt: skip
loaded = st.lists(st.tuples(st.floats(0, 40), reports), max_size=8)


@given(entries, loaded, st.integers(1, 130), st.integers(1, 60), st.floats(0, 600))
def test_any_world_is_drawn_within_its_room(
    some: tuple[Entry, ...], more: list[tuple[float, LoadReport]], room: int, height: int, later: float
) -> None:
    now = fold_all(some)
    for gap, fact in more:
        now = fold_all([Entry(now.at + gap, fact)], now)
    drawn = view.lines(now, room, height, now.at + later)
    opened = [view.failure_page(now, place, room) for place in range(min(3, len(now.load.failures)))]
    for line in (*drawn, *(line for one in opened for line in one)):
        assert width(line) <= room and all(part.isprintable() for part, _ in line)
    assert len(view.failures(now)) == len(now.load.failures)


def test_a_change_too_long_for_its_line_says_less() -> None:
    change = Change(1.0, "web.1 failed on node2 (exit 137); a new task was assigned to node2", "bad")
    assert [shorten_change(change, room) for room in (80, 50, 30)] == [
        change.text,
        "web.1 failed on node2 (exit 137)",
        "web.1 failed on node2",
    ]
    assert (
        shorten_change(Change(1.0, "$ VERSION=2 \\\n  docker  stack deploy", "lab"), 60)
        == "$ VERSION=2 docker stack deploy"
    )
