"""Stretches of a terminal's screen and history: what is selected, what a search found."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bittty.terminals.scrollback import ScrollbackLine

    from lab.tui.widgets.cells import Cells
    from lab.tui.widgets.emulator import Emulator

Place = tuple[int, int]
"""A row's number (see `Emulator`) and a column."""


@dataclass(frozen=True)
class Range:
    """The cells from one place up to another, in reading order."""

    start: Place
    end: Place

    def columns(self, row: int, cells: Cells) -> tuple[int, int] | None:
        """Return the first column of a row that belongs to it, and the one after the last; a character of two cells
        belongs to it as a whole."""
        if not self.start[0] <= row <= self.end[0]:
            return None
        first = self.start[1] if row == self.start[0] else 0
        last = min(len(cells), self.end[1]) if row == self.end[0] else len(cells)
        if first >= last:
            return None
        return _widen([len(char) for _, char in cells], first, last)


def between(one: Place, other: Place) -> Range:
    """Return the range from one cell to another, both included."""
    first, last = sorted((one, other))
    return Range(first, (last[0], last[1] + 1))


def find(screen: Emulator, text: str) -> tuple[Range, ...]:
    """Return where a text is, from top to bottom, also across the rows of a wrapped line. Case counts only if the text
    has capitals."""
    if not text:
        return ()
    wanted = re.compile(re.escape(text), re.IGNORECASE if text.islower() else 0)
    found: list[Range] = []
    for row, line in screen.lines():
        for match in wanted.finditer(line.text):
            first, last = _cells(line, *match.span())
            found.append(_range(screen, row, first, last))
    return tuple(found)


def word_at(screen: Emulator, place: Place) -> Range | None:
    """Return the word at a place, up to the blanks around it; None where there is none."""
    for row, line, at in _lines_from(screen, place):
        for match in re.finditer(r"\S+", line.text):
            first, last = _cells(line, *match.span())
            if first <= at < last:
                return _range(screen, row, first, last)
        break
    return None


def line_at(screen: Emulator, place: Place) -> Range | None:
    """Return the line at a place, with all the rows that it was wrapped to; None where it is empty."""
    for row, line, _ in _lines_from(screen, place):
        return _range(screen, row, 0, len(line)) if len(line) else None
    return None


def text_in(screen: Emulator, part: Range) -> str:
    """Return what is written in a range. Wrapped lines are one, and have no blanks at the end."""
    columns, found = screen.size[0], []
    for row, line, first in _lines_from(screen, part.start):
        if row > part.end[0]:
            break
        last = min(len(line), (part.end[0] - row) * columns + part.end[1])
        first, last = _widen(line.shape, min(first, last), last) if line.shape else (min(first, last), last)
        found.append("".join(char for _, char in line.cells(first, last)).rstrip())
    return "\n".join(found)


def _lines_from(screen: Emulator, place: Place) -> Iterator[tuple[int, ScrollbackLine, int]]:
    """Yield the lines from a place on, each with its first row, and the place's cell in it (0 in those below)."""
    columns = screen.size[0]
    for row, line in screen.lines():
        if row + max(0, line.width - 1) // columns >= place[0]:
            yield row, line, max(0, (place[0] - row) * columns + place[1])


def _range(screen: Emulator, row: int, first: int, last: int) -> Range:
    """Return the range of a line's cells, given the row where the line begins."""
    columns = screen.size[0]
    end = last - 1
    return Range((row + first // columns, first % columns), (row + end // columns, end % columns + 1))


def _cells(line: ScrollbackLine, start: int, end: int) -> tuple[int, int]:
    """Return the cells of a line's characters."""
    if line.shape is None:
        return start, end
    ends = list(accumulate(line.shape))
    first = next(x for x, upto in enumerate(ends) if upto > start)
    last = next(x for x, upto in enumerate(ends) if upto >= end)
    return _widen(line.shape, first, last + 1)


def _widen(shape: list[int] | tuple[int, ...], first: int, last: int) -> tuple[int, int]:
    """Widen a range of cells, so that it cuts no wide character; the second cell of one holds nothing."""
    while first > 0 and not shape[first]:
        first -= 1
    while last < len(shape) and not shape[last]:
        last += 1
    return first, last
