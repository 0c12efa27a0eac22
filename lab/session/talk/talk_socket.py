"""The local sockets on which other programs see a talk and press its keys: the notes' one and the board's."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path

from lab import paths
from lab.errors import InputError, MissingError
from lab.session.talk.talk_views import LONGEST_LINE, Feed, View, read_asked, to_line

MOST = 8
"""Terminals at a time."""
_BEHIND = 256 * 1024
"""Bytes that a listener may be behind, before it is let go: one that does not read holds up nobody."""


def socket_path(lab: str, feed: Feed) -> Path:
    """Return the socket of a feed of the talk on a lab."""
    return paths.state() / "talk" / f"{lab}.{feed}"


class TalkSocket:
    """Serves a feed of the talk on a lab, to this user alone (mode 0600, in a folder that is theirs).

    `actions` are those that a listener may ask for; `act` is called with each, on the socket's thread.
    """

    def __init__(self, lab: str, feed: Feed, actions: Collection[str], act: Callable[[str], None]) -> None:
        self.path = socket_path(lab, feed)
        self._actions, self.act = frozenset(actions), act
        self._view: View | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready, self._end = threading.Event(), asyncio.Event()
        self._error: OSError | None = None
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name=feed, daemon=True)

    def open(self) -> None:
        """Begin to serve. Raises MissingError when the socket cannot be made, InputError when another talk is on."""
        paths.make(self.path.parent)
        if _answers(self.path):
            raise InputError("a talk is being given on this lab already", remedy="end it, or name another lab")
        self._thread.start()
        self._ready.wait()
        if self._error is not None:
            raise MissingError(
                f"{self.path} cannot be made: {self._error.strerror or self._error}",
                remedy=f"set {paths.STATE} to a folder with a short path that you can write to",
            )

    def publish(self, view: View) -> None:
        """Send this view to all listeners, if it differs from the last; those who come later get it first."""
        if view != self._view and self._loop is not None:
            self._view = view
            with suppress(RuntimeError):  # the loop has just ended
                self._loop.call_soon_threadsafe(self._send, to_line(view))

    @property
    def heard(self) -> bool:
        """Whether anybody listens."""
        return bool(self._writers)

    def close(self) -> None:
        """End it, and remove the socket."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(5)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            with suppress(FileNotFoundError):
                self.path.unlink()
            before = os.umask(0o177)
            try:
                server = await asyncio.start_unix_server(self._listen, self.path, limit=LONGEST_LINE)
            finally:
                os.umask(before)
        except OSError as error:
            self._error = error
            return
        finally:
            self._ready.set()
        async with server:
            await self._end.wait()
            for writer in tuple(self._writers):
                writer.close()
        with suppress(OSError):
            self.path.unlink()

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._writers) >= MOST:
            writer.close()
            return
        self._writers.add(writer)
        try:
            if self._view is not None:
                writer.write(to_line(self._view))
            while line := await reader.readline():
                action = read_asked(line)
                if action in self._actions:
                    self.act(action)
        except (OSError, ValueError, asyncio.CancelledError):
            pass  # It went away, sent a line without an end, or the talk has ended.
        finally:
            self._writers.discard(writer)
            writer.close()

    def _send(self, line: bytes) -> None:
        for writer in tuple(self._writers):
            if writer.transport.get_write_buffer_size() > _BEHIND:
                self._writers.discard(writer)
                writer.transport.abort()
            else:
                writer.write(line)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
