"""Lines that scroll past at once: they go into the history without being drawn first, which is most of the work.

Only whole lines of text, each with its own colours and nothing else, on a screen in its usual state. Whatever is left,
and the last screenful, is drawn; screen and history are afterwards as if all had been.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

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


def passing(text: str, start: int) -> int:
    """Return where the lines end that begin at `start` and could be taken at once."""
    found = _LINES.match(text, start, start + LONGEST)
    return found.end() if found else start


def scroll_past(board: Board, view: Terminal, history: Scrollback, text: str) -> tuple[int, int]:
    """Take lines from the beginning of a text into the history; return how many characters that were, and how many
    rows."""
    rows, columns = board.height, board.width
    if text.count("\r\n") < 2 * rows or not _usual(board):
        return 0, 0
    width = board.blitter.width_policy.width
    style = USUAL if board.style.current == USUAL else board.style.current
    passed: list[tuple[int, int, ScrollbackLine, Any]] = []  # characters, cells, the line, the style after it
    for line in text[: passing(text, 0)].split("\r\n")[:-1]:
        if style is USUAL and line.isascii() and line.isprintable():
            cells, row = len(line), _plain(line, columns)
        else:
            row, cells, style = _coloured(line, columns, width, style)
            if row is None:
                break
        passed.append((len(line) + 2, cells, row, style))
    if len(passed) < 2 * rows:
        return 0, 0
    del passed[-rows:]  # a screenful, to be drawn
    view.on_rows_scrolled_off(tuple(board.display.page.line(y) for y in range(rows - 1)))
    for _, _, row, _ in passed:
        history.append(row)
    board.display.page.scroll_region_up(0, rows - 1, rows - 1)
    board.cursor.set_position(0, 0)
    board.style.current = passed[-1][3]
    return sum(taken for taken, *_ in passed), sum(rows_of(cells, columns) for _, cells, *_ in passed)


def _usual(board: Board) -> bool:
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
        and all(style == USUAL and char == " " for style, char in blitter.main_page.line(board.height - 1).cells)
    )


def _plain(line: str, columns: int) -> ScrollbackLine:
    full = max(0, len(line) - 1) // columns * columns
    line = line[:full] + line[full:].rstrip(" ")
    return ScrollbackLine(line, usual_styles(len(line)))


def _coloured(
    line: str, columns: int, width: Callable[[str], int], style: Any
) -> tuple[ScrollbackLine | None, int, Any]:
    """Return a line with colours or wide characters that begins in a style, its cells, and the style after it. There is
    no line if a background goes on below, if a character has no cell of its own, or if a wide one may meet the edge."""
    styles, shape, backgrounds = list[Any](), list[int](), False
    parts = _COLOUR.split(line)
    for place, part in enumerate(parts):
        if place % 2:
            style = _after(style, part)
            backgrounds = backgrounds or style.bg is not None
        elif part.isascii():
            styles += [style] * len(part)
            shape += [1] * len(part)
        else:
            for wide in map(width, part):
                if not wide:
                    return None, 0, style
                styles += [style] * wide
                shape += (1, 0)[:wide]
    text, cells = "".join(parts[::2]), len(styles)
    if style.bg is not None or (cells >= columns and (backgrounds or len(text) != cells)):
        return None, cells, style
    full = max(0, cells - 1) // columns * columns
    while len(styles) > full and text[-1] == " " and styles[-1] is USUAL:
        text = text[:-1]
        del styles[-1], shape[-1]
    return ScrollbackLine(text, tuple(styles), None if 0 not in shape else tuple(shape)), cells, style


@lru_cache(maxsize=1024)
def usual_styles(cells: int) -> tuple[Any, ...]:
    """Return the styles of so many cells that have none. The same value each time: a history holds many."""
    return (USUAL,) * cells


@lru_cache(maxsize=4096)
def _after(style: Any, colour: str) -> Any:
    """Return the style after a colour sequence."""
    more, reset = parse_sgr_with_reset(colour)
    style = USUAL if reset else style
    style = style if more is None else style.merge(more)
    return USUAL if style == USUAL else style
