"""Odd numbers in a tape, and a fault in a view: the rest goes on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.panes import CLUSTER
from lab.tui.panes.load import histogram
from lab.tui.panes.rollout import view
from lab.tui.spans import format_stamp, width
from lab.tui.widgets.emulator import Emulator
from lab.world.entries import ActDone, Entry, Failure, LoadReport, Printed
from lab.world.load import Load
from tests.tui.conftest import desk
from tests.tui.fake import FakeStage

TIMES = st.sampled_from([0.0, 1.0, -5.0, 1e308, -1e308, 1e9, math.inf, -math.inf, math.nan]) | st.floats(-10, 200)
COUNTS = st.sampled_from([0, 1, -5, 7, 10**400]) | st.integers(-10, 10)
REPORTS = st.builds(
    LoadReport,
    running=st.booleans(),
    rate=TIMES,
    target=st.just("port 8080 /"),
    seconds=TIMES,
    sent=COUNTS,
    good=COUNTS,
    bad=COUNTS,
    late=TIMES,
    counts=st.lists(COUNTS, max_size=40).map(tuple),
    failures=st.lists(st.builds(Failure, TIMES, st.just("node1"), COUNTS, st.just(""), TIMES), max_size=3).map(tuple),
)


@given(st.lists(st.tuples(TIMES, REPORTS), max_size=8), TIMES, st.integers(1, 120))
def test_the_picture_of_a_load_is_drawn_from_any_numbers(
    ticks: list[tuple[float, LoadReport]], end: float, many: int
) -> None:
    made = Load(ticks=tuple(ticks))
    time = histogram.axis(made, end, many)
    seen = histogram.columns(made, time)
    assert len(seen) == many
    for line in [histogram.failure_row(seen), *histogram.heat(seen, 8), histogram.scale(time)]:
        assert width(line) == many + histogram.GUTTER


@pytest.mark.parametrize("seconds", [math.inf, -math.inf, math.nan, 1e308, -1e308])
def test_a_time_that_no_clock_shows_is_said_shortly(seconds: float) -> None:
    assert format_stamp(seconds) == format_stamp(seconds, False) == "--:--"


def fail(*_: object) -> None:
    """A fault in the program."""
    raise ValueError("a fault of the program")


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    monkeypatch.setattr("lab.tui.draw_guard._kept", {})
    return tmp_path / "error.log"


async def test_a_view_that_cannot_be_drawn_says_so_and_the_rest_goes_on(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(view, "lines", fail)
    async with desk(FakeStage(desired=4)) as it:
        await it.press("0")
        await it.see("this view could not be drawn: ValueError: a fault of the program;", "the log is")
        assert "in fail" in log.read_text()
        await it.press("2")
        await it.see("desired 4  running 4")
        await it.press("1", "n")
        await it.see("Step 1 of 3")


@pytest.mark.parametrize(
    "broken",
    [
        "lab.tui.cluster.grid.service_row",
        "lab.tui.cluster.widget.ClusterGrid.show",
        "lab.tui.widgets.timeline.Timeline._wrap",
    ],
)
async def test_a_pane_with_a_fault_says_so(log: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    monkeypatch.setattr(broken, fail)
    async with desk(FakeStage(desired=4)) as it:
        it.stage.journal.put(Entry(3.0, ActDone("the lab did something")))
        await it.see("this view could not be drawn")
        monkeypatch.undo()
        it.stage.journal.put(Entry(4.0, ActDone("the lab did something else")))
        await it.see("something else")


async def test_output_with_a_fault_costs_the_output(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = Emulator.feed
    monkeypatch.setattr(Emulator, "feed", lambda self, text: fail() if "odd" in text else feed(self, text))
    async with desk() as it:
        it.stage.journal.write(Printed("node1", "odd\r\n"))
        await it.see("what was printed could not be drawn")
        it.stage.journal.write(Printed("node1", "after it\r\n"))
        await it.see("after it")


async def test_a_tape_with_odd_numbers_is_shown() -> None:
    stage = FakeStage(live=False, desired=4)
    for at, seconds, counts in ((2.0, math.inf, (1,)), (3.0, 0.5, (-5, 2, -7, 1)), (1e308, 1.0, (1,) * 31)):
        stage.journal.put(Entry(at, LoadReport(True, 3.0, "port 8080 /", seconds, 5, 5, counts=counts)))
    stage.journal.put(Entry(1.1e308, ActDone("late")))
    async with desk(stage) as it:
        for key in "567890":
            await it.press(key)
            await it.be(lambda: it.app.ui.view != CLUSTER, "a view")
            assert "could not be drawn" not in it.text
        await it.see("--:--")
