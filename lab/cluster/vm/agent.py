"""The lab's own agent in a machine: a loop in its process 1 (`build/guest/pid1`) that answers on a console of its own.

Nothing listens on a network: the console is a virtio port, whose other end is a socket in the machine's private folder.
One line each way: `WORD VALUE`, answered by `done WORD` when it is done.
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

    def await_done(self, word: str, bound: float = BOUND) -> None:
        """Wait until the machine says that it is done. Raises LabError after `bound` seconds."""
        end, said = time.monotonic() + bound, b""
        while f"done {word}".encode() not in (line.strip() for line in said.splitlines()):
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
