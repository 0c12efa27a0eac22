"""The load: requested and achieved rate, latency over time, failed requests beside what the swarm did."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.tui.panes.common import finish, heading, pack
from lab.tui.panes.load import histogram
from lab.tui.panes.load.failures import MARKS, failure_page, failures, is_load_line, rows, shorten_change
from lab.tui.panes.load.failures import format_ms as ms
from lab.tui.panes.load.histogram import GUTTER, Axis
from lab.tui.spans import Line, Span, Tone, fit, format_stamp, width, wrap
from lab.world.load import latencies, percentile

if TYPE_CHECKING:
    from lab.world.entries import LoadReport
    from lab.world.load import Load
    from lab.world.world import Change, World

__all__ = ["HELP", "failure_page", "failures", "lines"]

HELP = (
    "Requests at a fixed rate, each sent at its time however long those before it take. The picture shows latency over "
    "time: right is now, up is slower, each row reaches √2, 2 or 4 times as far as the one below it, and the darker a "
    "cell the more requests. ▼ marks what failed in the swarm, ▽ what you or the lab did; f opens a failed request "
    "beside it."
)
OFF = (
    "g starts it, + and - change its rate. It costs time of this machine's processor and of the swarm's, so it is off "
    "until you ask for it."
)
_LATE = 50.0
"""Milliseconds by which requests may be late before it is reported."""
_RATE = 5.0
"""Seconds over which the rate is counted."""
_LATENCY = 10.0
"""Seconds over which latencies are counted."""
_SILENT = 5.0
"""Seconds without a report, after which that is shown."""
_AFTER = 10.0
"""Seconds for which the picture continues past the last report."""
_BAD, _DONE = "▼", "▽"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return the load, `room` cells wide, about `height` of its rows visible at once. `now` is the journal's time."""
    return finish(_all(world, max(room, 30), height, now), room)


def _all(world: World, room: int, height: int, now: float) -> Iterator[Line]:
    load = world.load
    head = tuple(_head(load, room, now))
    yield from head
    if not load.ticks:
        return
    last = load.ticks[-1][0]
    time = histogram.axis(load, max(last, min(now, last + _AFTER)), room - GUTTER)
    marks = _marks(world, time)
    legend = [(f"{_sign(group)}{letter}", change) for letter, group in marks for change in group]
    told = min(len(legend), 2 if height < 24 else 4 if height < 34 else 6)
    left = height - len(head) - 3 - told - (min(4, 1 + 2 * len(load.failures)) if load.failures else 0)
    seen = histogram.columns(load, time)
    yield _mark_row(marks, time)
    yield histogram.failure_row(seen)
    yield from histogram.heat(seen, max(5, min(16, left)))
    yield histogram.scale(time)
    for mark, change in legend[: -told - 1 : -1] if told else ():
        glyph, tone = MARKS[change.tone]
        lead: Line = ((f"{mark} ", tone), (f"{format_stamp(change.at)} ", "quiet"), (f"{glyph} ", tone))
        yield fit((*lead, (shorten_change(change, room - width(lead)), "why" if tone == "bad" else tone)), (), room)
    if load.failures:
        yield heading("Failed requests, the newest first", room, "f opens one")
        yield from rows(world, max(6, height // 2), room)


def _head(load: Load, room: int, now: float) -> Iterator[Line]:
    """Yield whether load runs, what it achieves, how long requests take, totals, and what keeps it from its rate."""
    last = load.ticks[-1][0] if load.ticks else 0.0
    if load.running:
        yield fit(
            (("● on ", "run"), (load.target, "strong")), ((f"since {format_stamp(load.began, False)}", "quiet"),), room
        )
    else:
        ended: Line = ((f"ended {format_stamp(last, False)}", "quiet"),) if load.ticks else ()
        yield fit((("◦ off ", "quiet"), (load.target, "")), ended, room)
        yield from wrap([(OFF, "")], room, (("  ", ""),))
    if not load.ticks:
        return
    recent = [fact for at, fact in load.ticks if at > last - _RATE]
    things: list[tuple[Span, ...]] = []
    if load.running:
        things += _rates(load, recent)
    things += _latency([fact for at, fact in load.ticks if at > last - _LATENCY])
    if load.running:
        things.append((("in flight ", "quiet"), (f"{load.in_flight:,}", "strong")))
    failed: Span = (f"✘ {load.bad:,} failed", "bad") if load.bad else ("0 failed", "run")
    things += [((f"{load.sent:,}", "strong"), (" sent", "quiet")), ((f"{load.good:,} good", "run"),), (failed,)]
    yield from pack(things, room, (("  ", ""),))
    late = max((fact.late for fact in recent), default=0.0)
    if load.running and late > _LATE:
        text = f"this machine is late by {ms(late)}: it cannot send as fast as asked. - lowers the rate."
        yield from wrap([(text, "move")], room, (("▲ ", "move"),))
    if load.running and now - last > _SILENT:
        yield from wrap([(f"no report for {now - last:.0f} s", "move")], room, (("▲ ", "move"),))


def _rates(load: Load, recent: list[LoadReport]) -> Iterator[tuple[Span, ...]]:
    seconds = sum(fact.seconds for fact in recent)
    yield ("asked ", "quiet"), (f"{load.rate:g}/s", "strong")
    if not seconds:
        return
    got = sum(fact.sent for fact in recent) / seconds
    behind = got < 0.95 * load.rate
    yield ("achieved ", "quiet"), (f"{got:.1f}/s" + (", behind" if behind else ""), "move" if behind else "run")


def _latency(recent: list[LoadReport]) -> Iterator[tuple[Span, ...]]:
    """Yield the percentiles of the requests that were answered well."""
    found = latencies(recent)
    if not found:
        return
    for share in (50, 95, 99):
        yield (f"p{share} ", "quiet"), (ms(percentile(found, share / 100)), "strong")


Mark = tuple[str, list["Change"]]


def _marks(world: World, time: Axis) -> list[Mark]:
    """Return what happened in the time shown, with the letters that name it there: changes less than two columns apart
    share one. Letters are given from the oldest change kept, so that they stay while the picture moves."""
    groups: list[list[Change]] = []
    for change in world.changes:
        if change.tone not in ("bad", "lab") or is_load_line(change):
            continue
        if groups and time.place(change.at) - time.place(groups[-1][0].at) < 2:
            groups[-1].append(change)
        else:
            groups.append([change])
    named = [(_LETTERS[place % len(_LETTERS)], group) for place, group in enumerate(groups)]
    return [mark for mark in named if 0 <= time.place(mark[1][0].at) < time.many]


def _sign(group: list[Change]) -> str:
    """Return the sign of what happened at one moment."""
    return _BAD if any(change.tone == "bad" for change in group) else _DONE


def _mark_row(marks: list[Mark], time: Axis) -> Line:
    cells: list[Span] = [(" ", "")] * (GUTTER + time.many)
    for letter, group in marks:
        x = GUTTER + time.place(group[0].at)
        sign = _sign(group)
        tone: Tone = "bad" if sign == _BAD else "lab"
        cells[x] = (sign, tone)
        cells[x + 1 if x + 1 < len(cells) else x - 1] = (letter, tone)
    return tuple(cells)
