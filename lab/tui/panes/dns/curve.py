"""The curve of the DNS pane: a column is a report of the clients, its height the share that met a dead node."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lab.tui.panes.load.failures import MARKS, shorten_change
from lab.tui.spans import Line, Span, fit, format_stamp, join_line, width

if TYPE_CHECKING:
    from lab.world.dns import Caching, ClientsSeen
    from lab.world.world import Change, World

GUTTER = 16
"""Cells left of the curve."""
_BARS = "▁▂▃▄▅▆▇█"
_SHADES = "░▒▓█"
_LETTERS = "abcdefghijklmnopqrstuvwxyz"

Window = Sequence[tuple[float, "ClientsSeen"]]


def window(world: World, columns: int) -> Window:
    """Return the reports that are drawn, one in each column, oldest first. There must be one."""
    return world.dns.reports[-max(1, columns) :]


def curve(seen: Window, caching: Caching) -> Line:
    """Return the curve of one kind of clients."""
    return join_line(_bar(report, caching) for _, report in seen)


def _bar(report: ClientsSeen, caching: Caching) -> Span:
    rows = [row for row in report.rows if row.caching == caching]
    sent = sum(sum(counts) for row in rows for _, *counts in row.went)
    failed = sum(bad for row in rows for _, _, bad, _ in row.went)
    vain = failed + sum(elsewhere for row in rows for *_, elsewhere in row.went)
    if not vain:
        return ("·" if sent else " ", "quiet")
    if not failed:
        return _SHADES[(vain * len(_SHADES) - 1) // sent], "move"
    return _BARS[(vain * len(_BARS) - 1) // sent], "bad"


def mark_row(world: World, seen: Window) -> Line:
    """Return the row above the curve, with a sign and a letter where something happened."""
    cells: list[Span] = [(" ", "")] * (GUTTER + len(seen) + 1)
    for letter, change in _marked(world, seen):
        x = GUTTER + _place(seen, change)
        cells[x] = ("▼" if change.tone == "bad" else "▽", MARKS[change.tone][1])
        cells[x + 1] = (letter, MARKS[change.tone][1])
    return join_line(cells)


def legend(world: World, seen: Window, room: int, most: int) -> Iterator[Line]:
    """Yield what happened at the marks, the newest first."""
    for letter, change in list(_marked(world, seen))[: -most - 1 : -1]:
        glyph, tone = MARKS[change.tone]
        lead: Line = ((f"{letter} ", tone), (f"{format_stamp(change.at)} ", "quiet"), (f"{glyph} ", tone))
        yield fit((*lead, (shorten_change(change, room - width(lead)), "why" if tone == "bad" else tone)), (), room)


def _marked(world: World, seen: Window) -> Iterator[tuple[str, Change]]:
    """Yield what concerns DNS in the time shown: faults and their undoing, commands, and changes of health. Letters
    are given from the oldest change kept, so that they stay while the picture moves."""
    told = [change for change in world.changes if change.kind in ("act", "command", "dns")]
    for number, change in enumerate(told):
        if seen[0][0] <= change.at:
            yield _LETTERS[number % len(_LETTERS)], change


def _place(seen: Window, change: Change) -> int:
    return min(len(seen) - 1, bisect_left([at for at, _ in seen], change.at))
