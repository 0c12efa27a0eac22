"""The app's terminal driver: Textual's own, made to survive unexpected input, a closed terminal and signals."""

from __future__ import annotations

import asyncio
import logging
import os
import select
import signal
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Iterable, Iterator
from typing import Any

from textual._xterm_parser import XTermParser
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from lab.tui.terminal_input import Incoming

_TURN = 0.1
"""Seconds between two checks of whether the app has ended."""
_SHORT_TURN = 0.02
"""The same while input is held back."""

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the app, with the terminal restored and the exit code 128 + signal."""


class TerminalDriver(LinuxDriver):
    """Reads through `Incoming`. On a signal in `ENDS`, or when the terminal goes away, it asks the app to end."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        # Textual's choice is standard error, which may lead to a file, or nowhere.
        self._file: Any = _Screen(self._file if self._file is not None and self._file.isatty() else sys.__stdout__)

    def start_application_mode(self) -> None:
        """See `LinuxDriver`."""
        loop = asyncio.get_running_loop()
        for number in ENDS:
            if signal.getsignal(number) is not signal.SIG_IGN:  # as under nohup
                loop.add_signal_handler(number, self._end, number)
        super().start_application_mode()  # type: ignore[no-untyped-call]  # it has no annotations

    def stop_application_mode(self) -> None:
        """See `LinuxDriver`, which leaves pixel mouse positions turned on."""
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
        super().stop_application_mode()

    def run_input_thread(self) -> None:
        """Read until the app ends or the terminal is gone."""
        incoming, keys = Incoming(), PieceParser()
        while not self.exit_event.is_set():
            ready, _, _ = select.select([self.fileno], [], [], _SHORT_TURN if incoming.waits else _TURN)
            now = time.monotonic()
            pieces: Iterable[bytes] = incoming.expire(now)
            if ready:
                data = self._read()
                if not data:
                    # End of input. Input that is not a terminal (a pipe, /dev/null) may end long before the app.
                    if self.input_tty:
                        self._loop.call_soon_threadsafe(self._end, signal.SIGHUP)
                    return
                pieces = incoming.feed(data, now)
            for piece in pieces:
                for message in keys.messages(piece):
                    self.process_message(message)

    def _run_input_thread(self) -> None:
        try:
            self.run_input_thread()
        except Exception as error:  # noqa: BLE001  thread boundary: else the app would go on without keys
            self._loop.call_soon_threadsafe(self._app._handle_exception, error)

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, 4096)
        except OSError:  # EIO: the other end is closed
            return b""

    def _end(self, number: signal.Signals) -> None:
        self._app.exit(return_code=128 + number)


class PieceParser(XTermParser):
    """Textual's parser, given one whole piece at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._decode = getincrementaldecoder("utf-8")(errors="ignore").decode

    def messages(self, piece: bytes) -> Iterator[Message]:
        """Yield the messages in a piece."""
        try:
            if text := self._decode(piece):
                yield from self.feed(text)
                if self._timeout_time is not None:  # nothing still to come belongs to this piece
                    self._timeout_time = 0.0
                    yield from self.tick()
        except Exception:  # boundary: no bytes from a terminal may end the app
            logging.getLogger(__name__).warning("not understood: %r", piece, exc_info=True)
            self._gen.close()
            self._tokens.clear()
            self._timeout_time, self._gen = None, self.parse(self._tokens.append)
            self._awaiting = next(self._gen)


class _Screen:
    """The file that is written to. Once the terminal is gone, all further output is discarded."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.fileno, self.isatty = file.fileno, file.isatty

    def write(self, text: str) -> None:
        self._try(lambda: self._file.write(text))

    def flush(self) -> None:
        self._try(self._file.flush)

    def _try(self, act: Any) -> None:
        try:
            act()
        except OSError:
            # The interpreter flushes buffered output again at exit; an error there would change the exit code.
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
