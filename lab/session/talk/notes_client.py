"""The other end of the notes' socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator

from lab.errors import LabError
from lab.session.talk.notes_hub import socket_path
from lab.session.talk.notes_view import LONGEST_LINE, Asked, NotesView, read_view, to_line

CONNECT = 5.0
"""Seconds within which the talk must answer."""


class NotesClient:
    """A connection to the talk on a lab. Raises LabError when none is being given."""

    def __init__(self, lab: str) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT)
        try:
            self._socket.connect(str(socket_path(lab)))
        except OSError as error:
            self._socket.close()
            raise LabError(f"no talk is being given on the lab {lab}", remedy="swarmlab present") from error
        self._socket.settimeout(None)

    def views(self) -> Iterator[NotesView]:
        """Yield the notes as they change, until the talk ends. Raises LabError for what cannot be read."""
        with self._socket.makefile("rb") as file:
            try:
                while line := file.readline(LONGEST_LINE):
                    yield read_view(line)
            except OSError:
                return

    def ask(self, action: str) -> None:
        """Press one of the talk's keys. Raises LabError when the talk has ended."""
        try:
            self._socket.sendall(to_line(Asked(action=action)))
        except OSError as error:
            raise LabError("the talk has ended") from error

    def close(self) -> None:
        """End the connection."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # The talk ended first.
        self._socket.close()
