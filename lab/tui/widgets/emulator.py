"""A terminal's screen, held by bittty: text with escapes in, rows of styled cells out; keys in, bytes for a shell out.

Printed text can only change cells here: no clipboard access, title, link or answer to a query gets out. Only a key or a
paste of the user reaches the shell, so printed text cannot type.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from bittty import Board, KeyEvent, KeyModifiers
from bittty.palette import build_256
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback
from rich.segment import Segment
from rich.style import Style

#: The sixteen colours, chosen to be legible on each of the two backgrounds.
_DARK = (
    "28323e ff8080 63e691 ffd24d 5cb8ff e2a6ff 6fe3e3 dfe6ee 8796a6 ffa3a3 93f2b5 ffe28a 93d0ff efc9ff a2f0f0 ffffff"
)
_LIGHT = (
    "10151c a8001c 0a6230 7a4300 0b4fae 6b1f96 00606b 485462 5b6775 c4001f 0b7a3b 8f4f00 1560cc 8230b3 007683 2b3440"
)
_ABOVE = build_256(((0, 0, 0),) * 16)
_MODIFIERS = {"shift": KeyModifiers.SHIFT, "ctrl": KeyModifiers.CTRL, "alt": KeyModifiers.ALT}
_HISTORY_CELLS = 500_000

Cells = Sequence[tuple[Any, str]]


class _Wire:
    """Collects what the user typed, on its way to the shell."""

    closed = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: str) -> int:
        self.sent.append(data)
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        return self.write(data.decode("latin-1"))

    def flush(self) -> None: ...

    def configure_line(self, line: object) -> None: ...

    def resize(self, rows: int, cols: int) -> None: ...

    def close(self) -> None: ...


class Emulator:
    """One shell's screen and history, `columns` by `rows` cells."""

    def __init__(self, columns: int, rows: int) -> None:
        self._board = Board(width=columns, height=rows)
        self._view = Terminal(self._board, MemoryScrollback(_HISTORY_CELLS))
        self._view.attach()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._board.width, self._board.height

    def feed(self, text: str) -> None:
        """Take a shell's output, escapes included; a sequence may be split anywhere."""
        self._board.parser.feed(text)

    def resize(self, columns: int, rows: int) -> None:
        """Set a new size; long lines are wrapped again."""
        if (columns, rows) != self.size:
            self._board.resize(columns, rows)

    def text(self) -> str:
        """Return the screen as plain text, without trailing blanks."""
        return str(self._board.capture_text())

    @property
    def back(self) -> int:
        """How many rows the view is scrolled back: 0 shows the live screen."""
        return int(self._view.view_offset())

    def scroll(self, rows: int) -> None:
        """Move the view down by `rows`; a negative number goes back into history."""
        self._view.scroll_view(rows)

    def to_end(self) -> None:
        """Show the live screen."""
        self._view.scroll_to_bottom()

    def damaged(self) -> list[int]:
        """Return the screen's rows that changed since the last call."""
        return list(self._view.damaged_rows())

    def rows(self) -> list[Cells]:
        """Return the rows in view, top to bottom."""
        return list(self._view.view_rows())

    @property
    def cursor(self) -> tuple[int, int] | None:
        """The cursor's column and row, or None when it is hidden or the view is in history."""
        return None if self.back else self._view.port.cursor

    def key(self, name: str, character: str | None) -> str:
        """Return a key, given by its Textual name, as the bytes that the running program has asked for."""
        *modifiers, key = name.split("+")
        bits = KeyModifiers.NONE
        for modifier in modifiers:
            bits |= _MODIFIERS.get(modifier, KeyModifiers.NONE)
        printable = character if character and character.isprintable() else None
        if printable and not bits & (KeyModifiers.CTRL | KeyModifiers.ALT):
            return self._typed(lambda: self._board.input_text(printable))
        if len(key) > 1 and printable:
            key = printable
        return self._typed(lambda: self._board.input_key_event(KeyEvent(_NAMES.get(key, key), bits, text=printable)))

    def paste(self, text: str) -> str:
        """Return pasted text as bytes, bracketed if the program asked for it."""
        return self._typed(lambda: self._board.input_paste(text))

    def _typed(self, act: Any) -> str:
        wire = _Wire()
        self._board.host.attach(wire)
        try:
            act()
        finally:
            self._board.host.detach()
        return "".join(wire.sent)


#: Punctuation that Textual names in words, while its control code depends on the character itself.
_NAMES = {"at": "@", "left_square_bracket": "[", "backslash": "\\", "right_square_bracket": "]",
          "circumflex_accent": "^", "underscore": "_", "slash": "/", "question_mark": "?"}  # fmt: skip


def segments(cells: Cells, base: Style, dark: bool, cursor: int | None = None) -> list[Segment]:
    """Return a row of cells as segments over the theme's own colours; the cell at column `cursor` is reversed."""
    found: list[Segment] = []
    text, now = "", None
    for x, (style, char) in enumerate(cells):
        if not char:
            continue
        here: tuple[Any, bool] = (style, x == cursor)
        if here != now and text:
            found.append(Segment(text, _over(base, now, dark)))
            text = ""
        now = here
        text += char if char.isprintable() else " "
    if text:
        found.append(Segment(text, _over(base, now, dark)))
    return found


def _over(base: Style, here: tuple[Any, bool] | None, dark: bool) -> Style:
    if here is None:
        return base
    style = base + _rich(here[0], dark)
    return style + Style(reverse=not style.reverse) if here[1] else style


@lru_cache(maxsize=4096)
def _rich(style: Any, dark: bool) -> Style:
    return Style(
        color=_colour(style.fg, dark),
        bgcolor=_colour(style.bg, dark),
        bold=style.bold,
        dim=style.dim,
        italic=style.italic,
        underline=style.underline,
        reverse=style.reverse,
        conceal=style.conceal,
        strike=style.strike,
    )


def _colour(colour: Any, dark: bool) -> str | None:
    if colour is None or colour.mode == "default":
        return None
    if colour.mode == "indexed":
        if colour.value < 16:
            return "#" + (_DARK if dark else _LIGHT).split()[int(colour.value)]
        red, green, blue = _ABOVE[colour.value]
    else:
        red, green, blue = colour.value
    return f"#{red:02x}{green:02x}{blue:02x}"
