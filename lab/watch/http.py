"""HTTP to an address of this machine, under the name of a host that it stands for.

Certificates are not judged here: the way is loopback, and `lab.watch.handshake` tells what is served. A password goes
only where `lab.watch.listener_proof` has proven who listens. No answer is read without a bound, whatever it says of
itself.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import httpx

from lab.watch.listener_proof import Guard, is_local

Password = tuple[str, str]
"""A user and the password."""


class TooLong(ValueError):
    """An answer has more bytes than are read."""


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end or to a bound. `charset` is what it says of itself, None for nothing."""

    status: int
    headers: httpx.Headers
    body: bytes
    charset: str | None = None

    @property
    def text(self) -> str:
        """The body as a text that can be written anywhere, whatever charset it claims to have."""
        return decode_text(self.body, self.charset)


@cache
def unverified_context() -> ssl.SSLContext:
    """TLS that takes any certificate; made once, for a context costs more than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client(httpx.Client):
    """An HTTP client of one connection, whose exchange can be cut off from another thread, whatever it waits for: its
    own bounds are for each read, and one that gets a byte now and then waits for ever."""

    def __init__(self, *, hooks: Sequence[Callable[[httpx.Request], None]] = (), **options: Any) -> None:
        super().__init__(event_hooks={"request": [*hooks, self._watch]}, **options)
        self._line: socket.socket | None = None
        self._guard = threading.Lock()
        self.late = False

    def begin(self) -> None:
        """A new exchange, that is not late."""
        with self._guard:
            self.late = False

    def cut(self) -> None:
        """End what is under way: it is late."""
        with self._guard:
            self.late = True
            self._shut()

    def __exit__(self, *told: Any) -> None:
        """See httpx.Client."""
        super().__exit__(*told)
        with self._guard:
            if self._line is not None:
                self._line.close()
                self._line = None

    def _watch(self, request: httpx.Request) -> None:
        request.extensions = {**request.extensions, "trace": partial(self._told, request.extensions.get("trace"))}

    def _told(self, before: Callable[[str, Any], None] | None, event: str, info: Mapping[str, Any]) -> None:
        if before is not None:
            before(event, info)
        if event == "connection.connect_tcp.complete":
            with self._guard:
                if self._line is not None:
                    self._line.close()
                # A descriptor of its own: TLS takes the first one away from its socket.
                self._line = info["return_value"].get_extra_info("socket").dup()
                if self.late:
                    self._shut()

    def _shut(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


def make_client(bound: float, address: tuple[str, int], login: Password | None = None) -> Client:
    """A client for an address, of which each connection, write and read may take `bound` seconds. It follows no
    redirect. With a `login` its requests raise Unproven where nothing proves who listens."""
    judged = login is not None and not is_local(address[0])
    return Client(
        verify=ssl.create_default_context() if judged else unverified_context(),
        timeout=bound,
        trust_env=False,
        auth=login,
        hooks=[Guard()] if login is not None else [],
    )


def get(
    client: Client, url: str, host: str = "", *, longest: int, bound: float = 10.0, is_whole: bool = True
) -> Answer:
    """Ask for a URL under a host's name (in HTTP and in TLS), none for "". Raises httpx's errors, OSError,
    or ValueError for what no request can carry.

    The exchange takes at most `bound` seconds from its first byte to its last, and at most `longest` bytes of the body
    are read. Where the answer goes on, TooLong or a timeout is raised if it is wanted `whole`, and otherwise its start
    is the answer.
    """
    client.begin()
    end = threading.Timer(bound, client.cut)
    end.daemon = True
    end.start()
    try:
        return _read(client, url, host, longest, is_whole)
    except (httpx.TransportError, OSError) as error:
        if client.late:
            raise httpx.ReadTimeout(f"the answer had no end in {bound:.0f} s") from error
        raise
    finally:
        end.cancel()


def _read(client: Client, url: str, host: str, longest: int, whole: bool) -> Answer:
    # Nothing may be packed: a few bytes could be unpacked to any size.
    headers: Mapping[str, str] = {"Accept-Encoding": "identity", **({"Host": host} if host else {})}
    body = bytearray()
    with client.stream("GET", url, headers=headers, extensions={"sni_hostname": host} if host else {}) as answer:
        try:
            for part in answer.iter_raw():
                body += part
                if len(body) > longest or (len(body) == longest and not whole):
                    break
        except httpx.TransportError:
            if whole or not client.late:
                raise
        if whole and len(body) > longest:
            raise TooLong(f"the answer is longer than {longest:,} bytes")
        if whole and client.late:
            raise httpx.ReadTimeout("the answer had no end")
        return Answer(answer.status_code, answer.headers, bytes(body[:longest]), answer.charset_encoding)


def decode_text(data: bytes, charset: str | None = None) -> str:
    """Bytes as a text: by a charset that is known and is one of texts, else as UTF-8. What cannot be read or could
    not be written out again becomes a mark."""
    try:
        text = data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return is_whole(text)


def is_whole(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
