"""A terminal's screen, held by bittty: text with escapes in, rows of styled cells out; keys in, bytes for a shell out.

Printed text can only change cells here: no clipboard access, title, link or answer to a query gets out. Only a key or a
paste of the user reaches the shell, so printed text cannot type.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from bittty import Board, KeyEvent, KeyModifiers
from bittty.devices.modes import MouseProtocol
from bittty.terminals import Terminal
from bittty.terminals.scrollback import MemoryScrollback, ScrollbackLine

from lab.tui.widgets.cells import Cells
from lab.tui.widgets.flood import USUAL, take_lines, usual_styles

_MODIFIERS = {"shift": KeyModifiers.SHIFT, "ctrl": KeyModifiers.CTRL, "alt": KeyModifiers.ALT}
HISTORY = 1_500_000
"""Cells kept of what scrolled away, not counting the blanks at the lines' ends: 6,000 lines of 250 cells, or 25,000 of
60. They take at most 15 MB."""

_SEVERAL = 256
"""Characters that come at once, from which on it is worth a look whether they are whole lines."""


class _Wire:
    """Collects what the user typed, on its way to the shell."""

    closed = False

    def __init__(self) -> None:
        self.sent: list[str] = []

    def write(self, data: str) -> int:
        self.sent.append(data)
        return len(data)

    def write_bytes(self, data: bytes) -> int:
        """Take a mouse report of the oldest form; beyond column or row 95 it is no text, and is left out."""
        return self.write(data.decode("ascii", "ignore")) if data.isascii() else 0

    def flush(self) -> None: ...

    def configure_line(self, line: object) -> None: ...

    def resize(self, rows: int, cols: int) -> None: ...

    def close(self) -> None: ...


class _View(Terminal):  # type: ignore[misc]  # bittty has no types
    """bittty's view, which counts the rows that have scrolled off the screen, and keeps plain ones in less room."""

    gone = 0

    def on_rows_scrolled_off(self, lines: Any) -> None:
        self.gone += len(lines)
        for line in lines:
            row = ScrollbackLine.of(line.cells, not line.wrapped, line.attribute)
            if row.styles and row.styles[0] == USUAL and len(set(map(id, row.styles))) == 1:
                row = ScrollbackLine(row.text, usual_styles(len(row)), row.shape, row.attribute)
            self.scrollback.append(row, line.wrapped)


class Emulator:
    """One shell's screen and history, `columns` by `rows` cells.

    A row has a number that it keeps while it scrolls away, until the size changes: `top` is the first in view.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._board = Board(width=columns, height=rows)
        self._history = MemoryScrollback(HISTORY)
        self._view = _View(self._board, self._history)
        self._view.attach()

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._board.width, self._board.height

    def feed(self, text: str) -> None:
        """Take a shell's output, escapes included; a sequence may be split anywhere."""
        if len(text) >= _SEVERAL:
            text = self._to_last_row(text)
            taken, unseen = take_lines(self._board, self._view, self._history, text)
            self._view.gone += unseen
            text = text[taken:]
        self._board.parser.feed(text)

    def _to_last_row(self, text: str) -> str:
        """Draw lines until the cursor is at the beginning of the last row, and return the rest."""
        board, at = self._board, 0
        for _ in range(board.height):
            if (board.cursor.x, board.cursor.y) == (0, board.height - 1) or not (end := text.find("\r\n", at) + 2) > 1:
                break
            board.parser.feed(text[at:end])
            at = end
        return text[at:]

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

    @property
    def top(self) -> int:
        """The number of the first row in view."""
        return self._view.gone - self.back

    def bring(self, row: int) -> None:
        """Have a row in view, in the middle if it is not in view now."""
        height = self._board.height
        if not 0 <= row - self.top < height:
            self.scroll(row - self.top - height // 2)

    def lines(self) -> Iterator[tuple[int, ScrollbackLine]]:
        """Yield every line, history's first, with the number of its first row. A line that the terminal wrapped is
        one."""
        rows, base = self._history.width(self._board.width), self._view.gone
        opened = bool(self._history._open)
        for number in range(self._history.first, self._history.end - opened):
            yield base - len(rows) + rows.row_for(number), self._history.line(number)
        parts = [self._history.line(self._history.end - 1)] if opened else []
        first = base - len(rows) + rows.row_for(self._history.end - 1) if opened else base
        page = self._view.port.page
        for y in range(page.height):
            row = page.line(y)
            parts.append(ScrollbackLine.of(row.cells, not row.wrapped))
            if not row.wrapped or y == page.height - 1:
                yield first, ScrollbackLine.join(parts)
                parts, first = [], base + y + 1

    @property
    def alternate(self) -> bool:
        """Whether a program draws on the alternate screen, which has no history."""
        return bool(self._board.blitter.in_alt_screen)

    def take_damaged(self) -> list[int]:
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
            return self._capture_typed(lambda: self._board.input_text(printable))
        if len(key) > 1 and printable:
            key = printable
        return self._capture_typed(
            lambda: self._board.input_key_event(KeyEvent(_NAMES.get(key, key), bits, text=printable))
        )

    def paste(self, text: str) -> str:
        """Return pasted text as bytes, bracketed if the program asked for it. A line ends as by Enter, and what could
        end the bracket early is left out."""
        text = text.replace("\r\n", "\r").replace("\n", "\r").replace("\x1b", "").replace("\x9b", "")
        return self._capture_typed(lambda: self._board.input_paste(text))

    @property
    def brackets(self) -> bool:
        """Whether the program is told where a paste begins and ends, so that nothing in it acts as a key."""
        return bool(self._board.modes.bracketed_paste)

    @property
    def wants_mouse(self) -> bool:
        """Whether the program has asked for the mouse."""
        return self._board.mouse.protocol is not MouseProtocol.OFF

    def mouse(self, kind: str, column: int, row: int, button: int, modifiers: Iterable[str] = ()) -> str:
        """Return a press, release or move as the bytes that the program has asked for, if any. Buttons are 0 to 2, and
        64 and 65 for the wheel; modifiers are shift, meta and ctrl."""
        return self._capture_typed(lambda: self._board.input_mouse(column + 1, row + 1, button, kind, set(modifiers)))

    def _capture_typed(self, act: Any) -> str:
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
