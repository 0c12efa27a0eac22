"""HTTP to an address of this machine, under the name of a host that it serves.

Certificates are not verified here: the connection is over loopback, and `lab.watch.handshake` reports what is served. A
password is sent only where `lab.watch.listener_proof` has proven who listens. No answer is read without a limit,
whatever it declares about itself.
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
"""A username and password."""


class TooLong(ValueError):
    """The answer is longer than the limit."""


@dataclass(frozen=True)
class Answer:
    """An answer, read to its end or to a limit. `charset` is the one that it declares, None if it declares none."""

    status: int
    headers: httpx.Headers
    body: bytes
    charset: str | None = None

    @property
    def text(self) -> str:
        """The body as text that can be written anywhere, whatever charset it declares."""
        return decode_text(self.body, self.charset)


@cache
def insecure_tls_context() -> ssl.SSLContext:
    """Return a TLS context that accepts any certificate; cached, because a context costs more than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Client(httpx.Client):
    """An HTTP client with one connection, whose exchange can be cut off from another thread, whatever it is waiting
    for: httpx's timeouts apply to each read, so an answer that trickles in could take forever."""

    def __init__(self, *, hooks: Sequence[Callable[[httpx.Request], None]] = (), **options: Any) -> None:
        super().__init__(event_hooks={"request": [*hooks, self._watch]}, **options)
        self._line: socket.socket | None = None
        self._guard = threading.Lock()
        self.late = False

    def begin(self) -> None:
        """Begin a new exchange, which is not late yet."""
        with self._guard:
            self.late = False

    def cut(self) -> None:
        """End the exchange in progress: it is late."""
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
        request.extensions = {
            **request.extensions,
            "trace": partial(self._trace_connection, request.extensions.get("trace")),
        }

    def _trace_connection(self, before: Callable[[str, Any], None] | None, event: str, info: Mapping[str, Any]) -> None:
        if before is not None:
            before(event, info)
        if event == "connection.connect_tcp.complete":
            with self._guard:
                if self._line is not None:
                    self._line.close()
                # A duplicate descriptor: TLS detaches the original one from its socket.
                self._line = info["return_value"].get_extra_info("socket").dup()
                if self.late:
                    self._shut()

    def _shut(self) -> None:
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)


def make_client(bound: float, address: tuple[str, int], login: Password | None = None) -> Client:
    """Create a client for an address; each connect, write and read may take `bound` seconds. It follows no redirects.
    With a `login`, its requests raise Unproven if nothing proves who listens."""
    judged = login is not None and not is_local(address[0])
    return Client(
        verify=ssl.create_default_context() if judged else insecure_tls_context(),
        timeout=bound,
        trust_env=False,
        auth=login,
        hooks=[Guard()] if login is not None else [],
    )


def get(client: Client, url: str, host: str = "", *, longest: int, bound: float = 10.0, whole: bool = True) -> Answer:
    """Get a URL under a host's name (in HTTP and in TLS), or under none if `host` is "". Raises httpx's errors,
    OSError, or ValueError for what no request can carry.

    The exchange takes at most `bound` seconds from first byte to last, and at most `longest` bytes of the body are
    read. With `whole`, an answer that goes on raises TooLong or a timeout; without it, the start of the answer is
    returned.
    """
    client.begin()
    end = threading.Timer(bound, client.cut)
    end.daemon = True
    end.start()
    try:
        return _read(client, url, host, longest, whole)
    except (httpx.TransportError, OSError) as error:
        if client.late:
            raise httpx.ReadTimeout(f"the answer had no end in {bound:.0f} s") from error
        raise
    finally:
        end.cancel()


def _read(client: Client, url: str, host: str, longest: int, whole: bool) -> Answer:
    # No compression: a few bytes could decompress to any size.
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
    """Decode bytes as text: by the charset if it is a known text encoding, else as UTF-8. What cannot be decoded, or
    could not be encoded again, becomes U+FFFD or a question mark."""
    try:
        text = data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return drop_surrogates(text)


def drop_surrogates(text: str) -> str:
    """Replace lone surrogates in a text: JSON can express them, but no file can hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")
