"""HTTP to an address of this machine, under the name of a host that it stands for. Every request is a new connection.

Certificates are not judged here: the way is loopback, and `lab.watch.handshake` tells what is served.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

#: What a request may raise: no answer, no HTTP, or a path or host that no request can carry.
FAILURES = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)


@cache
def unjudged() -> ssl.SSLContext:
    """TLS that takes any certificate; made once, for a context costs more than a request."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def client(bound: float, login: tuple[str, str] | None = None) -> httpx.Client:
    """A client of which each connection, write and read may take `bound` seconds. It follows no redirect."""
    return httpx.Client(verify=unjudged(), timeout=bound, trust_env=False, auth=login)


def named(host: str) -> dict[str, Any]:
    """What a request needs to bear a host's name, in HTTP and in TLS; nothing for no name."""
    headers: Mapping[str, str] = {"Host": host} if host else {}
    return {"headers": headers, "extensions": {"sni_hostname": host} if host else {}}
