"""The only place of this room that writes to the terminal, and the thread that reads from it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TextIO

from lab.plain.line import Line, Tone, wrap
from lab.terminal.sanitize import visible

_COLOURS: dict[Tone, str] = {"head": "1", "good": "32", "bad": "31"}


class Console:
    """Writes lines and prompts, one below the other: nothing moves the cursor. `width` is asked anew for every line,
    in characters. With `echo` what was typed is written too, for an input that no terminal shows."""

    def __init__(
        self, stream: TextIO, *, width: Callable[[], int] = lambda: 80, colour: bool = False, echo: bool = False
    ) -> None:
        self._stream, self._width, self._colour, self._echo = stream, width, colour, echo
        self._prompted = False

    def say(self, *lines: Line) -> None:
        """Write these, below a prompt that waits."""
        if lines:
            self.end()
        for line in lines:
            for each in wrap(line, self._width()):
                shown, code = visible(each), _COLOURS.get(line.tone, "") if self._colour else ""
                self._write(f"\x1b[{code}m{shown}\x1b[0m\n" if code and shown else f"{shown}\n")

    def prompt(self, text: str) -> None:
        """Write a prompt, unless one waits."""
        if not self._prompted:
            self._prompted = True
            self._write(f"{visible(text)} > ")

    def note_entered(self, text: str | None, *, early: bool = False) -> None:
        """Take note of the answer to the prompt. The terminal has shown it, unless it came `early`, before the prompt;
        the end of input (None) shows nowhere."""
        if self._prompted and (self._echo or early or text is None):
            self._write(f"{visible(text or '')}\n")
        self._prompted = False

    def end(self) -> None:
        """End the line of a prompt that waits."""
        if self._prompted:
            self._prompted = False
            self._write("\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def read_lines(lines: Iterable[str], hear: Callable[[str | None], None]) -> None:
    """Have a thread hand over every line that is typed, without its end, and None after the last. The thread ends with
    the process: nobody can take back a reading of a terminal."""

    def run() -> None:
        try:
            for line in lines:
                hear(line.rstrip("\r\n"))
        except (OSError, ValueError):
            pass  # The terminal is gone, or the stream was closed.
        hear(None)

    threading.Thread(target=run, name="typed lines", daemon=True).start()
