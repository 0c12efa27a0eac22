"""HTTP to an address of this machine, under the name of a host that it stands for.

Certificates are not judged here: the way is loopback, and `lab.watch.handshake` tells what is served. A password goes
only where `lab.watch.proof` has proven who listens. No answer is read without a bound, whatever it says of itself.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import httpx

from lab.watch.proof import Guard, is_local

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
        return decoded(self.body, self.charset)


@cache
def unjudged() -> ssl.SSLContext:
    """TLS that takes any certificate; made once, for a context costs more than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def client(bound: float, address: tuple[str, int], login: Password | None = None) -> httpx.Client:
    """A client for an address, of which each connection, write and read may take `bound` seconds. It follows no
    redirect. With a `login` its requests raise Unproven where nothing proves who listens."""
    judged = login is not None and not is_local(address[0])
    return httpx.Client(
        verify=ssl.create_default_context() if judged else unjudged(),
        timeout=bound,
        trust_env=False,
        auth=login,
        event_hooks={"request": [Guard()]} if login is not None else None,
    )


def get(
    client: httpx.Client, url: str, host: str = "", *, longest: int, bound: float = 10.0, whole: bool = True
) -> Answer:
    """Ask for a URL under a host's name (in HTTP and in TLS), none for "". Raises httpx's errors, OSError,
    or ValueError for what no request can carry.

    At most `longest` bytes of the body are read, for at most `bound` seconds; where it goes on, TooLong or a timeout is
    raised if it is wanted `whole`, and otherwise its start is the answer.
    """
    # Nothing may be packed: a few bytes could be unpacked to any size.
    headers: Mapping[str, str] = {"Accept-Encoding": "identity", **({"Host": host} if host else {})}
    until, body = time.monotonic() + bound, bytearray()
    with client.stream("GET", url, headers=headers, extensions={"sni_hostname": host} if host else {}) as answer:
        for part in answer.iter_raw():
            body += part
            late = time.monotonic() > until
            if whole and len(body) > longest:
                raise TooLong(f"the answer is longer than {longest:,} bytes")
            if whole and late:
                raise httpx.ReadTimeout(f"the answer had no end in {bound:.0f} s")
            if not whole and (late or len(body) >= longest):
                break
        return Answer(answer.status_code, answer.headers, bytes(body[:longest]), answer.charset_encoding)


def decoded(data: bytes, charset: str | None = None) -> str:
    """Bytes as a text: by a charset that is known and is one of texts, else as UTF-8. What cannot be read or could
    not be written out again becomes a mark."""
    try:
        text = data.decode(charset or "utf-8", "replace")
    except (LookupError, ValueError):
        text = data.decode("utf-8", "replace")
    return whole(text)


def whole(text: str) -> str:
    """A text without halves of surrogate pairs, which JSON can spell and no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
