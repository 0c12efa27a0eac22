"""A shell's output on its way to the journal: decoded, marks removed, redacted, batched into a few facts a second."""

from __future__ import annotations

import codecs
import time
from collections.abc import Callable, Iterator
from typing import Protocol

from lab.shell.marks import Mark, Marks
from lab.terminal.escapes import private_modes
from lab.terminal.plain_text import Capture
from lab.terminal.sanitize import at_rest

EVERY = 1 / 30
"""The minimum number of seconds between two facts."""

QUIET = 0.05
"""Seconds without output after which nothing is held back any more."""

FLOOD = 65_536
"""When one fact has more characters than this, only the last of them are shown, and a line that says so."""

_SHOWN = 16_384


class Redacts(Protocol):
    """The interface of a redactor (`lab.terminal.redact.Redactor` is one)."""

    def stream(self) -> Redacts:
        """Return a redactor for another stream, with the same secrets."""

    def feed(self, text: str) -> str:
        """Return the part of the stream that is certain."""

    def flush(self) -> str:
        """Return the rest."""

    def whole(self, text: str) -> str:
        """Return a standalone text, masked."""

    @property
    def holds(self) -> bool:
        """Whether anything is held back."""


class Output:
    """One shell's output on its way. `write` is called with the text for the journal; used by one thread."""

    def __init__(self, word: str, redact: Redacts, write: Callable[[str], None]) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace")
        self._marks, self._redact, self._write = Marks(word), redact.stream(), write
        self._pending: list[str] = []
        self._size = 0
        self._written = self._came = 0.0
        self.capture = Capture()

    def pieces(self, data: bytes) -> Iterator[str | Mark]:
        """Yield more bytes as text and marks. Pass each to `take` before requesting the next."""
        self._came = time.monotonic()
        yield from self._marks.feed(self._decode.decode(data))

    def take(self, piece: str | Mark) -> None:
        """Take one of the pieces. After a mark, everything before it is in the journal or on its way there."""
        self._add(self._redact.flush() if isinstance(piece, Mark) else self._redact.feed(piece))

    def due(self) -> float | None:
        """Write what is due; return the seconds until there is more to do, None when all is done."""
        now = time.monotonic()
        held = self._redact.holds or self._marks.holds
        if held and now - self._came >= QUIET:
            self._add(self._redact.feed(self._marks.flush()))
            self._add(self._redact.flush())
            held = False
        if self._pending and now - self._written >= EVERY:
            self.flush()
        waits = [self._came + QUIET - now] if held else []
        waits += [self._written + EVERY - now] if self._pending else []
        return max(0.0, min(waits)) if waits else None

    def flush(self) -> None:
        """Write what is certain, now."""
        if self._pending:
            text = "".join(self._pending)
            self._pending, self._size = [], 0
            self._written = time.monotonic()
            self._write(_shorten(text))

    def say(self, text: str) -> None:
        """Write a message of the lab's own, after the output so far."""
        self._add(self._redact.flush())
        self._pending.append(text)
        self.flush()

    def tidy(self) -> None:
        """Undo what a program left behind in the terminal when it ended."""
        if undo := at_rest(self.capture.raw):
            self._pending.append(undo)

    def _add(self, text: str) -> None:
        if text:
            self._pending.append(text)
            self._size += len(text)
            self.capture.add(text)
            if self._size > 8 * FLOOD:
                self._pending = [_shorten("".join(self._pending))]
                self._size = len(self._pending[0])


def _shorten(text: str) -> str:
    """Return only the end of a flood: nobody reads more, and a recording keeps it. Modes stay as the whole would set
    them."""
    if len(text) <= FLOOD:
        return text
    cut = text.find("\n", len(text) - _SHOWN) + 1 or len(text) - _SHOWN
    kept = "".join(f"\x1b[?{mode}{switch}" for mode, switch in private_modes(text, cut).items())
    return f"{kept}\x1b[0m\r\n… {cut:,} characters are not shown …\r\n{text[cut:]}"
