"""Proof that a connection leads to where a password may be sent: to our own listener on this machine, or to a remote
host that TLS has verified.

While a node is off, its ports are free, and any user of this machine may listen there. Linux shows in `/proc/net` who
owns each listener. Where that cannot be read, nothing is proven and no password is sent.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import httpx

_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LISTENS = "0A"
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Unproven(OSError):
    """A password was withheld; the message says why."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the password was not sent: {why}")


def is_local(host: str) -> bool:
    """Return whether a host is a loopback address. A name is not: what it resolves to may change."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def find_listeners(table: str, host: str, port: int) -> frozenset[tuple[int, int]]:
    """Return the user and the inode of each socket that may accept a connection to an address, from a table such as
    `/proc/net/tcp` or `/proc/net/tcp6`. Raises ValueError if the text is not such a table."""
    wanted = ipaddress.ip_address(host)
    found: set[tuple[int, int]] = set()
    for line in table.splitlines()[1:]:
        words = line.split()
        if len(words) < 10:
            raise ValueError(f"a line of the table of sockets is cut off: {line[:80]}")
        place, _, number = words[1].partition(":")
        if words[3] == _LISTENS and int(number, 16) == port and _takes(_address(place), wanted):
            found.add((int(words[7]), int(words[9])))
    return frozenset(found)


def _address(place: str) -> _Address:
    """Parse an address, which the kernel writes as four-byte words, each in the machine's byte order."""
    raw = bytes.fromhex(place)
    if sys.byteorder == "little":
        raw = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return ipaddress.ip_address(raw)


def _takes(listens: _Address, wanted: _Address) -> bool:
    """Return whether a listener at one address accepts connections to another: it listens on that one, or on all."""
    mapped = listens.ipv4_mapped if isinstance(listens, ipaddress.IPv6Address) else None
    return listens.is_unspecified or wanted in (listens, mapped) or (mapped is not None and mapped.is_unspecified)


def prove_listener(host: str, port: int, tables: Iterable[Path] = _TABLES) -> frozenset[int]:
    """Return the inodes of the sockets that listen on an address of this machine, all of them our own; empty if nobody
    listens. Raises Unproven if one belongs to another user, or if that cannot be determined."""
    found: set[tuple[int, int]] = set()
    try:
        for table in tables:
            # A machine without IPv6 has no such table, and no such listener either.
            if table.exists() or not table.name.endswith("6"):
                found |= find_listeners(table.read_text("ascii"), host, port)
    except (OSError, ValueError) as error:
        raise Unproven(f"whose port {port} is cannot be told on this machine ({error})") from error
    others = sorted({user for user, _ in found} - {os.geteuid()})
    if others:
        raise Unproven(
            f"port {port} of this machine is held by another user (uid {others[0]}), not by the lab's node; "
            "start the node again once that program has ended"
        )
    return frozenset(inode for _, inode in found)


class Guard:
    """An httpx request hook (`event_hooks`) that lets a client send requests only over proven connections. It watches
    the connection through the `trace` extension. Unproven is raised before any part of the request is written."""

    def __init__(self) -> None:
        self._before: frozenset[int] = frozenset()
        self._proven = False

    def __call__(self, request: httpx.Request) -> None:
        """Watch a request's connection."""
        request.extensions = {**request.extensions, "trace": partial(self._watch, request.url.host)}

    def _watch(self, host: str, event: str, info: Mapping[str, Any]) -> None:
        match event:
            case "connection.connect_tcp.started":
                self._proven = False
                self._before = prove_listener(host, info["port"]) if is_local(host) else frozenset()
            case "connection.connect_tcp.complete" if is_local(host):
                stream = info["return_value"]
                try:
                    # The same socket listened before and after, so it is the one that accepted this connection.
                    if not self._before or prove_listener(*stream.get_extra_info("server_addr")[:2]) != self._before:
                        raise Unproven("it is not certain which program took the connection")
                except BaseException:
                    stream.close()
                    raise
                self._proven = True
            case "connection.start_tls.complete":
                context = info["return_value"].get_extra_info("ssl_object").context
                self._proven = self._proven or (context.verify_mode == ssl.CERT_REQUIRED and context.check_hostname)
            case "http11.send_request_headers.started" if not self._proven:
                raise Unproven(f"{host} is not this machine, and no certificate proves who answers there")
