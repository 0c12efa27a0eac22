"""A recording as data for a page to explore: each pane, row by row, at every moment at which it changed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, TypeVar

from lab.lesson.model import Lesson
from lab.panes import CLUSTER, find_pane
from lab.schema.template import fill
from lab.tape.tape import Tape
from lab.terminal.sanitize import visible
from lab.tui.pane_lines import pane_lines
from lab.tui.pane_picture import row_svg
from lab.tui.panes.load.failures import describe_failure, failure_page
from lab.tui.spans import plain
from lab.tui.widgets.emulator import Emulator
from lab.world.entries import CommandBegan, Entry, Failure, Printed, StepMoved
from lab.world.world import Change, World, fold

TERMINAL = "terminal"
"""The id of the terminal among the panes."""
APART = 0.5
"""Seconds between two looks at a pane: what a reader tells apart."""
ROWS = 20
"""Rows of the terminal that are shown."""
AROUND = 3.5
"""Seconds after a failed request in which what the swarm did belongs to it."""
_WIDE = 76
"""Cells of a line."""
_Item = TypeVar("_Item")


@dataclass
class Frames:
    """A pane over time: its `title`, and from each moment on its rows, as numbers of pictures."""

    title: str
    at: list[tuple[float, list[int]]] = field(default_factory=list)

    def add(self, at: float, rows: list[int]) -> None:
        """Note what the pane shows from now on, if it is something else."""
        if not self.at or self.at[-1][1] != rows:
            self.at.append((round(at, 2), rows))


@dataclass
class RecordedRun:
    """What a page needs of a recording. `rows` are the pictures of all rows, each once, as SVG; `steps` have the begin,
    the end, the texts and the commands; `changes` are the timeline; `failures` the failed requests, each with what the
    swarm did then."""

    seconds: float = 0.0
    rows: list[str] = field(default_factory=list)
    panes: dict[str, Frames] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    changes: list[tuple[float, str, str]] = field(default_factory=list)
    failures: list[tuple[float, str, str]] = field(default_factory=list)


def record_run(tape: Tape, lesson: Lesson) -> RecordedRun:
    """Return a recording as it is explored, with the lesson's own texts as they are now."""
    return _Reading(tape, lesson).run


class _Reading:
    """One way through a tape."""

    def __init__(self, tape: Tape, lesson: Lesson) -> None:
        self.run, self._lesson = RecordedRun(), lesson
        ids = dict.fromkeys((CLUSTER, *lesson.panes, *(step.pane for step in lesson.steps if step.pane)))
        self.run.panes = {find_pane(id).id: Frames(find_pane(id).title) for id in ids}
        self.run.panes[TERMINAL] = Frames("Terminal")
        self._numbers: dict[str, int] = {}
        self._screens: dict[str, Emulator] = {}
        self._world = World()
        self._last_change: Change | None = None
        self._last_failure: tuple[float, Failure] | None = None
        self._open: list[tuple[float, Failure]] = []
        looked = -APART
        for entry in tape.entries:
            if entry.at - looked >= APART:
                self._look(looked)
                looked = entry.at
            self._take(entry)
        self.run.seconds = round(tape.entries[-1].at, 2) if tape.entries else 0.0
        self._look(self.run.seconds)
        self._tell(math.inf)

    def _take(self, entry: Entry) -> None:
        self._world = fold(self._world, entry)
        fact = entry.fact
        if isinstance(fact, Printed):
            screen = self._screens.setdefault(fact.node, Emulator(_WIDE, ROWS))
            screen.feed(fact.text)
            self.run.panes[TERMINAL].add(entry.at, [self._number(row) for row in _rows_of(screen)])
        elif isinstance(fact, StepMoved):
            self._move(fact, entry.at)
        elif isinstance(fact, CommandBegan) and self.run.steps:
            self.run.steps[-1]["commands"].append(visible(fact.text))
        for change in _newer(self._world.changes, self._last_change):
            self.run.changes.append((round(change.at, 2), change.text, change.tone))
            self._last_change = change
        for failed in _newer(self._world.load.failures, self._last_failure):
            self._open.append(failed)
            self._last_failure = failed
        self._tell(entry.at)

    def _look(self, at: float) -> None:
        for id, frames in self.run.panes.items():
            if id != TERMINAL:
                frames.add(max(0.0, at), [self._number(row_svg(row)) for row in pane_lines(self._world, id)])

    def _number(self, picture: str) -> int:
        if picture not in self._numbers:
            self._numbers[picture] = len(self.run.rows)
            self.run.rows.append(picture)
        return self._numbers[picture]

    def _move(self, fact: StepMoved, at: float) -> None:
        step, values, steps = self._lesson.step(fact.step), self._world.lesson.captured, self.run.steps
        if step is None:
            return
        if fact.state == "begun":
            pane = find_pane(step.pane or self._lesson.panes[0]).id
            row = {"id": step.id, "title": fill(step.title, values), "text": fill(step.text, values), "pane": pane}
            steps.append({**row, "after": "", "why": "", "begin": round(at, 2), "end": round(at, 2), "commands": []})
        elif steps and steps[-1]["id"] == step.id:
            after = fill(step.after, values) if step.after else ""
            steps[-1] |= {"end": round(at, 2), "why": fact.why, "after": after}

    def _tell(self, now: float) -> None:
        """Add the failed requests of which all is known that happened around them."""
        while self._open and now >= self._open[0][0] + AROUND:
            at, failure = failed = self._open.pop(0)
            there = self._world.load.failures
            around = plain(failure_page(self._world, there.index(failed), _WIDE)) if failed in there else ""
            self.run.failures.append((round(at, 2), describe_failure(failure), around))


def _newer(items: Sequence[_Item], last: _Item | None) -> list[_Item]:
    """Return the items after the last one that was seen."""
    new = list(takewhile(lambda each: each is not last, reversed(items)))
    return new[::-1]


def _rows_of(screen: Emulator) -> Iterator[str]:
    rows = [visible(text).rstrip() for text in screen.text().split("\n")]
    while rows and not rows[-1]:
        rows.pop()
    for text in rows:
        yield row_svg(((text, ""),))
