"""HTTP requests over one asyncio connection, as lean as a load needs: a protocol, and h11 to parse the answer."""

from __future__ import annotations

import asyncio
import errno
import ssl
from typing import cast

import h11

#: What an exchange may raise: no connection, no TLS, no answer, no HTTP.
FAILURES = (OSError, h11.ProtocolError, ValueError)


class Closed(ConnectionError):
    """The server closed the connection before the end of its answer. `begun`: part of the answer had arrived."""

    def __init__(self, begun: bool) -> None:
        self.begun = begun
        super().__init__("closed in the middle of the answer" if begun else "closed without an answer")


class Connection(asyncio.Protocol):
    """A connection that carries one request at a time. `reusable`: it is open, and the last answer allows another
    request. It is in the set `among` as long as it has a socket."""

    def __init__(self, among: set[Connection]) -> None:
        self._among = among
        self._http = h11.Connection(h11.CLIENT)
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[int] | None = None
        self._status = 0
        self.reusable = False

    async def ask(self, request: h11.Request) -> int:
        """Send a request without a body; return the answer's status once its last byte has arrived. Raises one of
        `FAILURES`."""
        if self._transport is None:
            raise Closed(begun=False)
        self.reusable, self._status = False, 0
        self._answer = asyncio.get_running_loop().create_future()
        said = (self._http.send(request) or b"") + (self._http.send(h11.EndOfMessage()) or b"")
        self._transport.write(said)
        return await self._answer

    def close(self) -> None:
        """Close the connection; a request in flight fails."""
        self.reusable = False
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, without a graceful shutdown."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See `asyncio.Protocol`."""
        self._transport = cast(asyncio.Transport, transport)
        self._among.add(self)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        self._read(data)

    def eof_received(self) -> None:
        """See `asyncio.Protocol`. This may be the end of an answer without a length."""
        self._read(b"")
        self._fail(Closed(begun=self._status > 0))

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self.reusable, self._transport = False, None
        self._among.discard(self)
        self._fail(exc or Closed(begun=self._status > 0))

    def _read(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            # No request is pending: once the server sends anything now, even a close, the connection is not reused.
            self.reusable = False
            return
        try:
            self._http.receive_data(data)
            while not isinstance(event := self._http.next_event(), type(h11.NEED_DATA) | h11.ConnectionClosed):
                if isinstance(event, h11.Response):
                    self._status = event.status_code
                elif isinstance(event, h11.EndOfMessage):
                    self._end()
                    return
        except h11.RemoteProtocolError as error:
            self._fail(Closed(begun=self._status > 0) if not data else error)

    def _end(self) -> None:
        if self._http.our_state is h11.DONE and self._http.their_state is h11.DONE:
            self._http.start_next_cycle()
            self.reusable = True
        if self._answer is not None:
            self._answer.set_result(self._status)

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def describe_failure(error: BaseException, bound: float) -> str:
    """Describe one of `FAILURES` in a few words. `bound` is the timeout in seconds."""
    if isinstance(error, TimeoutError):
        return f"no answer in {bound:g} s"
    if isinstance(error, Closed):
        return str(error)
    if isinstance(error, ssl.SSLError):
        return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError) and error.errno is None:
        # How asyncio reports a server that closes during the TLS handshake.
        return "TLS: closed in the handshake"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    if isinstance(error, h11.ProtocolError):
        return f"no HTTP: {error}"[:120]
    if isinstance(error, OSError) and error.errno in _ERRNOS:
        return _ERRNOS[error.errno]
    return f"{type(error).__name__}: {error}"[:120]


_ERRNOS = {
    errno.EHOSTUNREACH: "no route to the node",
    errno.ENETUNREACH: "no route to the node",
    errno.EADDRNOTAVAIL: "this machine has no free port left",
    errno.EMFILE: "this machine has too many open files",
    errno.ENFILE: "this machine has too many open files",
}
