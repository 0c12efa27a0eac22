"""Whole lines that come at once are put where they belong, without a terminal's work for each of their characters.

Only lines of text, each with its own colours and nothing else, on a screen in its usual state whose cursor is at the
beginning of the last row. Screen and history are afterwards as if all had been drawn.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple

from bittty import Board
from bittty.style import Style, parse_sgr_with_reset
from bittty.terminals import Terminal
from bittty.terminals.scrollback import Scrollback, ScrollbackLine, rows_of

from lab.terminal.escapes import CONTROLS

LONGEST = 16_384
"""Characters that are looked at at a time."""

_LINES = re.compile(rf"(?:(?:[^{CONTROLS}\ud800-\udfff]++|\x1b\[[0-9;]{{0,64}}+m)*+\r\n)*+")
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
USUAL = Style()
"""How a cell is drawn unless something else was asked for."""
_BLANK = (USUAL, " ")


def passing_end(text: str, start: int) -> int:
    """Return where the lines end that begin at `start` and could be taken at once."""
    found = _LINES.match(text, start, start + LONGEST)
    return found.end() if found else start


class _Whole(NamedTuple):
    """A line as it was printed, the styles that it begins and ends in, how many cells it takes, and what the history
    keeps of it."""

    text: str
    before: _Ink
    after: _Ink
    cells: int
    kept: ScrollbackLine


def take_lines(board: Board, view: Terminal, history: Scrollback, text: str) -> tuple[int, int]:
    """Take lines from the beginning of a text, all but the last one; return how many characters that were, and how many
    rows went into the history without having been on the screen."""
    if not _is_usual(board):
        return 0, 0
    lines = list(_whole_lines(text, board.width, board.blitter.width_policy.width, _ink(board.style.current)))
    # Drawing the last one leaves all that is remembered of it, such as the character that could be repeated.
    del lines[-1:]
    if not lines:
        return 0, 0
    board.style.current = lines[-1].after.style
    return sum(len(one.text) + 2 for one in lines), _put(board, view, history, lines)


def _put(board: Board, view: Terminal, history: Scrollback, lines: list[_Whole]) -> int:
    """Put lines above the cursor's row, and into the history what they push off the screen or is not seen of them;
    return how many rows were not seen."""
    page, columns, above = board.display.page, int(board.width), int(board.height) - 1
    counts: list[int] = [rows_of(one.cells, columns) for one in lines]
    first, unseen = len(lines), -above
    while first and unseen < 0:
        first -= 1
        unseen += counts[first]
    pushed = above + min(unseen, 0)
    view.on_rows_scrolled_off(tuple(page.line(y) for y in range(pushed)))
    for one in lines[:first]:
        history.append(one.kept)
    shown = [row for one, rows in zip(lines[first:], counts[first:], strict=True) for row in _rows(one, rows, columns)]
    for cells, _ in shown[: max(0, unseen)]:  # the beginning of a line that ends on the screen
        history.append(ScrollbackLine.of(cells), wrapped=True)
    page.scroll_region_up(0, above, pushed)
    for y, (cells, goes_on) in enumerate(shown[max(0, unseen) :], above - pushed):
        page.grid[y] = cells
        page.set_line_wrapped(y, goes_on)
    return sum(counts) - pushed


def _rows(one: _Whole, rows: int, columns: int) -> Iterator[tuple[list[Any], bool]]:
    """Yield a line's rows, each with whether the line goes on in the next one."""
    cells = _cells(one)
    cells += [_BLANK] * (rows * columns - len(cells))
    for end in range(columns, rows * columns + 1, columns):
        yield cells[end - columns : end], end < rows * columns


def _cells(one: _Whole) -> list[Any]:
    """Return a line's cells. Equal ones are one object: many new ones at once keep the garbage collector busy."""
    if not one.text.isascii():
        return list(one.kept.cells(0, one.cells))
    ink, cells = one.before, list[Any]()
    for place, part in enumerate(_COLOUR.split(one.text)):
        if place % 2:
            ink = _after(ink, part)
        else:
            cells += map(ink.cells.__getitem__, part)
    return cells


def _is_usual(board: Board) -> bool:
    """Whether the cursor is at the beginning of an empty last row, and nothing is set that changes what a line does."""
    blitter, modes, parser, style = board.blitter, board.modes, board.parser, board.style
    return bool(
        (board.cursor.x, board.cursor.y) == (0, board.height - 1)
        and not (blitter.in_alt_screen or blitter.status_active or blitter.right_to_left)
        and (blitter.scroll_top, blitter.scroll_bottom) == (0, board.height - 1)
        and (blitter.left_margin, blitter.right_margin) == (0, board.width - 1)
        and blitter.current_page is blitter.main_page
        and (modes.auto_wrap, modes.insert_mode, parser.vt52) == (True, False, False)
        and not (parser.buffer or parser.mode)
        and (style.current.bg, style.current.hyperlink, style.current.protected, style.default) == (*[None] * 3, USUAL)
        and board.charset.translate("qé") == "qé"
        and (last := blitter.main_page.grid[-1]).count(_BLANK) == len(last)
    )


def _whole_lines(text: str, columns: int, width: Callable[[str], int], ink: _Ink) -> Iterator[_Whole]:
    """Yield the lines that a text begins with, up to one that is not as simple: that prints what is no text, leaves a
    background behind, has a background or wide characters at the edge, or a character without a cell of its own."""
    for line in text.split("\r\n")[:-1]:
        if ink.style is USUAL and line.isascii() and line.isprintable():
            words = line[: max(_count_full(len(line), columns), len(line.rstrip(" ")))]
            yield _Whole(line, ink, ink, len(line), ScrollbackLine(words, usual_styles(len(words))))
            continue
        before, runs = ink, _COLOUR.split(line)
        words, shape = "".join(runs[::2]), None
        styles, grounds = [ink.style] * len(runs[0]), False
        for colour, run in zip(runs[1::2], runs[2::2], strict=True):
            ink = _after(ink, colour)
            styles += [ink.style] * len(run)
            grounds = grounds or ink.ground
        if not words.isascii():
            sizes = [width(char) for char in words]
            if 2 in sizes:
                styles = [style for style, size in zip(styles, sizes, strict=True) for _ in range(size)]
                shape = tuple(chain.from_iterable((1, 0)[:size] for size in sizes))
            if 0 in sizes:
                return
        cells = len(styles)
        if not words.isprintable() or ink.ground or (cells >= columns and (grounds or shape)):
            return
        if words.endswith(" "):
            blanks = min(len(words) - len(words.rstrip(" ")), cells - _count_full(cells, columns))
            blanks = next((i for i in range(blanks) if styles[-1 - i] is not USUAL), blanks)
            words, styles = words[: len(words) - blanks], styles[: cells - blanks]
            shape = shape and shape[: cells - blanks]
        yield _Whole(line, before, ink, cells, ScrollbackLine(words, tuple(styles), shape))


def _count_full(cells: int, columns: int) -> int:
    """Return how many cells of a line are in rows before its last one, where blanks are kept."""
    return max(0, cells - 1) // columns * columns


@lru_cache(maxsize=1024)
def usual_styles(cells: int) -> tuple[Any, ...]:
    """Return the styles of so many cells that have none. The same value each time: a history holds many."""
    return (USUAL,) * cells


class _Ink:
    """A style, whether it has a background, and its cells by their character. Compared by identity, since to hash a
    style takes long."""

    def __init__(self, style: Any) -> None:
        self.style, self.ground = style, style.bg is not None
        self.cells = _Cells()
        self.cells.style = style


class _Cells(dict[str, tuple[Any, str]]):
    style: Any

    def __missing__(self, char: str) -> tuple[Any, str]:
        cell = self[char] = (self.style, char)
        return cell


@lru_cache(maxsize=1024)
def _ink(style: Any) -> _Ink:
    return _Ink(USUAL if style == USUAL else style)


@lru_cache(maxsize=4096)
def _after(ink: _Ink, colour: str) -> _Ink:
    """Return the style after a colour sequence."""
    more, reset = parse_sgr_with_reset(colour)
    style = USUAL if reset else ink.style
    return _ink(style if more is None else style.merge(more))
