"""The other end of a talk's sockets."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Generic, TypeVar

from lab.errors import LabError
from lab.session.talk.talk_socket import socket_path
from lab.session.talk.talk_views import LONGEST_LINE, Asked, BoardView, NotesView, read_view, to_line

CONNECT = 5.0
"""Seconds within which the talk must answer."""


Seen = TypeVar("Seen", NotesView, BoardView)


class TalkClient(Generic[Seen]):
    """A connection to the talk on a lab, for its notes or its board. Raises LabError when none is being given."""

    def __init__(self, lab: str, kind: type[Seen]) -> None:
        self._kind: type[Seen] = kind
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT)
        try:
            self._socket.connect(str(socket_path(lab, kind.FEED)))
        except OSError as error:
            self._socket.close()
            raise LabError(f"no talk is being given on the lab {lab}", remedy="swarmlab present") from error
        self._socket.settimeout(None)

    def views(self) -> Iterator[Seen]:
        """Yield what is to be seen as it changes, until the talk ends. Raises LabError for what cannot be read."""
        with self._socket.makefile("rb") as file:
            try:
                while line := file.readline(LONGEST_LINE):
                    yield read_view(self._kind, line)
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
