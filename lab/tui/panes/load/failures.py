"""The load's failed requests, and what the swarm did around each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.tui.cluster.grid import is_moving
from lab.tui.panes.common import finish, heading
from lab.tui.spans import Line, Span, Tone, fit, format_stamp, width, wrap
from lab.world.manager_clock import clock_ahead
from lab.world.swarm import ENDED

if TYPE_CHECKING:
    from lab.world.entries import Failure
    from lab.world.world import Change, World

BEFORE = 6.0
"""Seconds before a failure that are shown with it."""
AFTER = 3.0
"""Seconds after it."""
_NEAR = 5.0
"""Seconds before a failure that are searched for its nearest change."""
_SOON = 2.0
"""Seconds after it: the managers report some events late."""
_LESS = 2.0
"""Seconds by which a task's end counts as nearer than other changes."""

MARKS: dict[str, tuple[str, Tone]] = {
    "good": ("●", "run"),
    "bad": ("✘", "bad"),
    "plain": ("·", ""),
    "lab": ("»", "lab"),
}


def is_load_line(change: Change) -> bool:
    """Whether a change is the load's own report that requests failed."""
    return change.kind == "load-failed"


def shorten_change(change: Change, room: int) -> str:
    """Return a change in one line, without its result and the part in brackets where they do not fit."""
    text = " ".join(change.text.replace("\\\n", " ").split())
    shorter = (text, text.partition("; ")[0], text.partition(" (")[0])
    return next((each for each in shorter if cell_len(each) <= room), text)


def format_ms(ms: float) -> str:
    """Return a latency as text: `2.8 ms`, `45 ms`, `1.4 s`."""
    if ms >= 1000:
        return f"{ms / 1000:.1f} s" if ms < 1e6 else f"{ms / 1000:.0f} s"
    return f"{ms:.1f} ms" if 0 < ms < 10 and ms != int(ms) else f"{ms:.0f} ms"


def describe_failure(failure: Failure) -> str:
    """Return how a request ended."""
    if not failure.status:
        return failure.error or "nobody answered"
    return f"status {failure.status}" + (f": {failure.error}" if failure.error else "")


def failures(world: World) -> list[tuple[str, str]]:
    """Return the failed requests to pick from, newest first: the place in `world.load.failures`, and a line."""
    return [(str(place), f"{number:>3}  {_describe(world, place)}") for number, place in number_failures(world)]


def number_failures(world: World) -> Iterator[tuple[int, int]]:
    """Yield the number, from 1, and the place in `world.load.failures` of each failed request, newest first."""
    return enumerate(reversed(range(len(world.load.failures))), 1)


def _describe(world: World, place: int) -> str:
    at, failure = world.load.failures[place]
    return f"{format_stamp(at)}  {failure.node}  {format_ms(failure.ms):>7}  {describe_failure(failure)}"


def rows(world: World, most: int, room: int) -> Iterator[Line]:
    """Yield the newest failed requests, each with the swarm's nearest change, in one line where it fits."""
    for number, place in number_failures(world):
        if number > most:
            return
        at = world.load.failures[place][0]
        line: Line = ((f"{number:>3} ", "quiet"), ("✘ ", "bad"), (_describe(world, place), ""))
        beside = nearest_change(world, at, room - 6)
        if width(line) + 3 + width((beside,)) <= room:
            yield (*line, ("   ", ""), beside)
        else:
            yield fit(line, (), room)
            yield fit((("      ", ""), beside), (), room)


def nearest_change(world: World, at: float, room: int) -> Span:
    """Return how far the swarm's nearest change was from a moment, and the change, in `room` cells."""
    near = [c for c in world.changes if c.tone != "lab" and not is_load_line(c) and -_NEAR <= c.at - at <= _SOON]

    def far(change: Change) -> float:
        ends = change.tone == "bad" or change.kind == "task-ended"
        return abs(change.at - at) + (0.0 if ends else _LESS)

    if not near:
        return "beside it the swarm did nothing", "quiet"
    change = min(near, key=far)
    lead = f"{_apart(change.at - at)}: "
    return lead + shorten_change(change, room - len(lead)), "why"


def _apart(seconds: float) -> str:
    if abs(seconds) < 0.05:
        return "at that moment"
    return f"{abs(seconds):.1f} s {'after' if seconds > 0 else 'before'}"


def failure_page(world: World, place: int, room: int) -> tuple[Line, ...]:
    """Return the page of the failed request at that place in `world.load.failures`: what it was, and all that happened
    from 6 s before its end, or from just before it was sent, to 3 s after it."""
    if not 0 <= place < len(world.load.failures):
        return finish(wrap([("This request is no longer kept: only the last ones are.", "quiet")], room), room)
    return finish(_open_failure(world, place, max(room, 30)), room)


def _open_failure(world: World, place: int, room: int) -> Iterator[Line]:
    at, failure = world.load.failures[place]
    target = world.load.target or "the published port"
    yield from wrap([(describe_failure(failure), "bad")], room, (("✘ ", "bad"),))
    for name, text in (
        ("asked", f"{target} through {failure.node or 'a node'}"),
        ("sent", format_stamp(max(0.0, at - failure.ms / 1000))),
        ("ended", f"{format_stamp(at)}, after {format_ms(failure.ms)}"),
    ):
        yield from wrap([(text, "")], room, ((f"  {name:<7}", "quiet"),))
    yield ()
    yield heading(f"From {_before(failure):.0f} s before to {AFTER:g} s after", room)
    yield from _around(world, at, failure, room)
    yield ()
    yield heading("Tasks at that moment", room)
    tasks = tuple(_tasks(world, at, _before(failure)))
    for text, glyph, tone in tasks or (("None had died, and none was on its way.", "·", "quiet"),):
        yield from wrap([(text, tone)], room, ((f"{glyph} ", tone),))


def _before(failure: Failure) -> float:
    """Return how many seconds before its end are shown: the whole request, and a moment before it."""
    return max(BEFORE, failure.ms / 1000 + 1)


def _around(world: World, at: float, failure: Failure, room: int) -> Iterator[Line]:
    """Yield all changes around the failure, and the failure among them, in order of time."""
    near = [c for c in world.changes if -_before(failure) <= c.at - at <= AFTER and not is_load_line(c)]
    told: list[tuple[float, str, str, Tone, Tone]] = [(change.at - at, *_mark_change(change)) for change in near]
    told.append((0.0, "▶", f"this request failed: {describe_failure(failure)}", "bad", "bad"))
    if failure.ms > 50:
        told.append((-failure.ms / 1000, "▷", "this request was sent", "strong", "strong"))
    for offset, glyph, text, tone, words in sorted(told, key=lambda each: each[0]):
        yield from wrap([(text, words)], room, ((f"{offset:+6.1f} s ", "quiet"), (f"{glyph} ", tone)))
    if all(change.tone == "lab" for change in near):
        yield from wrap([("The swarm changed nothing then that the lab saw.", "quiet")], room, (("         ", ""),))


def _mark_change(change: Change) -> tuple[str, str, Tone, Tone]:
    glyph, tone = MARKS[change.tone]
    return glyph, change.text, tone, "why" if tone == "bad" else "" if tone == "run" else tone


def _tasks(world: World, at: float, before: float) -> Iterator[tuple[str, str, Tone]]:
    """Yield the tasks that ended around a moment and those on their way in at it, by the managers' timestamps."""
    offset = clock_ahead(world)
    for task in sorted(world.swarm.tasks.values(), key=lambda task: (task.changed, task.id)):
        died, changed, created = world.swarm.died.get(task.id), task.changed - offset, task.created - offset
        where = world.swarm.node_name(task.node) or "no node yet"
        if died is not None and -before <= died - at <= AFTER:
            yield f"{world.swarm.task_name(task)} died on {where}, {_apart(died - at)}", "✘", "bad"
        elif task.state in ENDED and -before <= changed - at <= AFTER:
            tone: Tone = "bad" if task.state in ("failed", "rejected") else ""
            yield (
                f"{world.swarm.task_name(task)} ended on {where} ({task.state}), about {_apart(changed - at)}",
                "◦",
                tone,
            )
        elif created <= at and is_moving(task):
            yield f"{world.swarm.task_name(task)} was on its way to {where}, and still is", "◑", "move"
        elif created <= at < changed and task.state == "running":
            yield (
                f"{world.swarm.task_name(task)} was on its way to {where}, and ran {changed - at:.1f} s later",
                "◑",
                "move",
            )
