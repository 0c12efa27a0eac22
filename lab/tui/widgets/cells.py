"""How a row of a terminal's cells is drawn: colours that are legible on the theme's background, the cursor, and what is
marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from bittty.palette import build_256
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from lab.tui.theme import ansi_colours

_ABOVE = build_256(((0, 0, 0),) * 16)

Cells = Sequence[tuple[Any, str]]
Mark = tuple[int, int, Style]
"""The columns from the first up to the second are drawn in this style."""

_STYLE = itemgetter(0)
SELECTED = Style(reverse=True)
FOUND = Style(color="#10151c", bgcolor="#ffd24d")
FOUND_HERE = Style(color="#10151c", bgcolor="#ff9d57", bold=True, underline=True)


def segments(
    cells: Cells, base: Style, theme: str, cursor: int | None = None, marks: Iterable[Mark] = ()
) -> list[Segment]:
    """Return a row of cells as segments over the theme's own colours, marked columns in their marks' styles. The cell
    at column `cursor` is reversed."""
    found: list[Segment] = []
    for columns, mark, at_cursor in _stretches(len(cells), cursor, marks):
        x = columns.start
        for style, run in groupby(cells[columns.start : columns.stop], key=_STYLE):
            chars = [char for _, char in run]
            text = "".join(chars)
            if not (text.isascii() and text.isprintable()):
                text = "".join(_fit(char, cells[at + 1 : at + 2]) for at, char in enumerate(chars, x) if char)
            if text:
                found.append(Segment(text, _overlay(base, _rich(style, theme), mark, at_cursor)))
            x += len(chars)
    return found


def _stretches(size: int, cursor: int | None, marks: Iterable[Mark]) -> Iterator[tuple[range, Style | None, bool]]:
    """Yield the columns of a row in stretches that have one mark, if any, and are at the cursor or not."""
    over = {x: style for start, end, style in marks for x in range(start, min(end, size))}
    if cursor is None and not over:
        yield range(size), None, False
        return
    for (mark, at_cursor), columns in groupby(range(size), key=lambda x: (over.get(x), x == cursor)):
        places = list(columns)
        yield range(places[0], places[-1] + 1), mark, at_cursor


def _fit(char: str, after: Cells) -> str:
    """Return a cell's character as wide as the cells that it takes, whatever the library that paints takes it for."""
    room = 2 if after and not after[0][1] else 1
    if not char.isprintable() or (wide := cell_len(char)) > room:
        return " " * room
    return " " * (room - wide) + char


def _overlay(base: Style, cell: Style, mark: Style | None, at_cursor: bool) -> Style:
    style = base + cell
    if mark is not None:
        style = style + (Style(reverse=not style.reverse) if mark is SELECTED else mark)
    return style + Style(reverse=not style.reverse) if at_cursor else style


@lru_cache(maxsize=4096)
def _rich(style: Any, theme: str) -> Style:
    return Style(
        color=_colour(style.fg, theme),
        bgcolor=_colour(style.bg, theme),
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        conceal=style.conceal,
        strike=style.strike,
    )


def _colour(colour: Any, theme: str) -> str | None:
    if colour is None or colour.mode == "default":
        return None
    if colour.mode == "indexed":
        if colour.value < 16:
            return ansi_colours(theme)[int(colour.value)]
        red, green, blue = _ABOVE[colour.value]
    else:
        red, green, blue = colour.value
    return f"#{red:02x}{green:02x}{blue:02x}"
