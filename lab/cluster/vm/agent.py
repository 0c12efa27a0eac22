"""The lab's own agent in a machine: a program (`build/guest/agent`) that answers on a console of its own.

Nothing listens on a network: the console is a virtio port, whose other end is a socket in the machine's private folder.
One line each way: `WORD VALUE`, answered by `done WORD` or `failed WORD`, for some after a line `said WORD ...`. One
connection at a time is served; others wait.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.errors import LabError

SOCKET = "agent"
"""The socket in a machine's folder."""

BOUND = 60.0
"""Seconds for one answer; an emulated machine on a busy host is slow."""


class Agent:
    """A connection to one machine's agent."""

    def __init__(self, node: str, connection: socket.socket) -> None:
        self._node, self._connection = node, connection

    def send(self, word: str, value: str = "") -> None:
        """Send a line. A machine that is paused reads it when it runs again. Raises LabError."""
        try:
            self._connection.sendall(f"{word} {value}".rstrip().encode() + b"\n")
        except OSError as error:
            raise self._describe_silence(word) from error

    def ask(self, word: str, value: str = "", bound: float = BOUND) -> str:
        """Send a line and wait until it is done; return what the machine said. Raises LabError."""
        self.send(word, value)
        return self.await_done(word, bound)

    def await_done(self, word: str, bound: float = BOUND) -> str:
        """Wait until the machine says that it is done, and return what else it said. Raises LabError after `bound`
        seconds, or when it failed."""
        end, said = time.monotonic() + bound, b""
        while True:
            lines = [line.strip().decode(errors="replace") for line in said.splitlines(keepends=True) if b"\n" in line]
            if f"done {word}" in lines:
                return next((line[len(word) + 6 :] for line in lines if line.startswith(f"said {word} ")), "")
            if f"failed {word}" in lines:
                raise LabError(f"{self._node} could not do what `{word}` asks", remedy="swarmlab status")
            self._connection.settimeout(max(0.01, end - time.monotonic()))
            try:
                more = self._connection.recv(4096)
            except OSError as error:
                raise self._describe_silence(word) from error
            if not more:
                raise self._describe_silence(word)
            said = (said + more)[-4096:]

    def _describe_silence(self, word: str) -> LabError:
        return LabError(f"the agent in {self._node} did not answer to `{word}`", remedy="swarmlab status")


def is_there(folder: Path) -> bool:
    """Return whether the machine in `folder` has an agent: the socket of one that was killed is not listened to."""
    try:
        with connect(folder):
            return True
    except LabError:
        return False


@contextmanager
def connect(folder: Path) -> Iterator[Agent]:
    """Connect to the agent of the machine in `folder` for a block. Raises LabError."""
    # A socket's address has at most 107 bytes; through a descriptor of its folder the path is always short.
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(BOUND)
        try:
            connection.connect(f"/proc/self/fd/{descriptor}/{SOCKET}")
        except FileNotFoundError:
            raise LabError(
                f"{folder.name} has no agent: it is off, or was made by an earlier version of the lab",
                remedy="swarmlab up; for an earlier version's lab, swarmlab down first",
            ) from None
        except OSError as error:
            raise LabError(
                f"the agent in {folder.name} cannot be reached: {error.strerror or error}", remedy="swarmlab status"
            ) from error
        yield Agent(folder.name, connection)
    finally:
        with suppress(OSError):
            connection.close()
        os.close(descriptor)
