"""A command's output as a person would read it afterwards: no escapes, every overwrite applied."""

from __future__ import annotations

import re
from typing import Any

from lab.terminal.escapes import private_modes
from lab.terminal.sanitize import safe_for_screen, text_only

LONGEST = 16_000
"""How many of the last characters of a command's plain output are kept."""

TAIL = 65_536
"""How many of the last characters of its raw output the plain text is made from."""

_OTHER_SCREEN = frozenset({"47", "1047", "1049"})
_LEAVE = "\x1b[?1049l\x1b[?1047l"


class Capture:
    """A command's output as it arrives, of which the end is kept. Appending takes time linear in what is appended."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._size = 0
        self._other = False

    def add(self, text: str) -> None:
        """Append output."""
        self._pieces.append(text)
        self._size += len(text)
        if self._size > 4 * TAIL:
            self._trim()

    def _trim(self) -> None:
        text = "".join(self._pieces)
        start = text.find("\n", len(text) - TAIL) + 1 or len(text) - TAIL
        for mode, switch in private_modes(text, start).items():
            if mode in _OTHER_SCREEN:
                self._other = switch == "h"
        self._pieces, self._size = [text[start:]], len(text) - start

    @property
    def raw(self) -> str:
        """The end of the output. Begins on the alternate screen if the program was there."""
        if self._size > TAIL:
            self._trim()
        return ("\x1b[?1049h" if self._other else "") + "".join(self._pieces)


def to_plain_text(raw: str, columns: int, rows: int) -> str:
    """Return the text that a terminal of this size would show and keep in its history, at most the last 16,000
    characters.

    Lines that the terminal wrapped are joined; progress bars appear as they ended; what was drawn on the alternate
    screen (editors, pagers) is left out.
    """
    if not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text := raw.replace("\r\n", "\n")):
        lines = text.expandtabs(8).split("\n")
    else:
        lines = _draw(safe_for_screen(raw), columns, rows)
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")[-LONGEST:]


def _draw(raw: str, columns: int, rows: int) -> list[str]:
    try:
        return _screen(raw + _LEAVE, columns, rows)
    except Exception:  # noqa: BLE001  an emulator is complex; what it cannot draw still has text
        return text_only(raw).expandtabs(8).split("\n")


def _screen(raw: str, columns: int, rows: int) -> list[str]:
    from bittty import Board  # not needed for the first paint
    from bittty.terminals import Terminal
    from bittty.terminals.scrollback import MemoryScrollback

    board = Board(width=columns, height=rows)
    history = MemoryScrollback()
    Terminal(board, history).attach()
    board.parser.feed(raw)
    page: Any = board.display.page
    shown = [(str(history.line(n).text), False) for n in range(history.first, history.end)]
    if history._open:
        shown[-1] = (shown[-1][0], True)
    shown += [(page.get_line_text(y), page.is_line_wrapped(y)) for y in range(page.height)]
    lines, part = [], ""
    for text, goes_on in shown:
        part += text
        if not goes_on:
            lines.append(part)
            part = ""
    return [*lines, part] if part else lines
