"""The objects at the swarm's edge, as plain values: certificates as served, and Traefik's own view of its routes.

Field names are those of X.509 and of Traefik's API (3.7).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.world.bounds import Count, Moment, Name

Verdict = Literal[
    "good", "default", "self-signed", "untrusted", "expired", "early", "wrong-name", "unreachable", "unreadable"
]
"""The verdict on what a node serves for a name. default: the certificate that Traefik generates for itself when it has
none for the name; self-signed: any other certificate that signed itself; untrusted: its chain ends at no authority
known here; early: not valid yet; unreachable: no handshake; unreadable: what was received is not a certificate."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """An X.509 certificate. Times are seconds since the epoch; `fingerprint` is SHA-256 in hexadecimal, `serial` the
    serial number in hexadecimal; `chain` lists the subjects from this certificate on, as served."""

    fingerprint: Name
    subject: str
    issuer: str
    names: tuple[str, ...]
    key: Name
    serial: Name
    not_before: Moment
    not_after: Moment
    chain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """Where Traefik listens: `web` at `:80`."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Router:
    """A router of Traefik. `protocol`: http | tcp | udp; `status`: enabled | warning | disabled; `errors` are Traefik's
    own sentences. `resolver` is the certificate resolver, "" for none."""

    name: str
    protocol: str
    rule: str
    service: str
    entrypoints: tuple[str, ...] = ()
    middlewares: tuple[str, ...] = ()
    status: str = "enabled"
    errors: tuple[str, ...] = ()
    tls: bool = False
    resolver: str = ""


@dataclass(frozen=True, slots=True)
class Balancer:
    """A service of Traefik: `servers` are (URL or address, status); a server without health checks also has the status
    "UP"."""

    name: str
    protocol: str
    servers: tuple[tuple[str, str], ...] = ()
    status: str = "enabled"
    errors: tuple[str, ...] = ()
    type: str = ""


@dataclass(frozen=True, slots=True)
class Middleware:
    """A middleware of Traefik. `type` is Traefik's name for it: basicauth, retry, ..."""

    name: str
    protocol: str
    type: str = ""
    status: str = "enabled"
    errors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Traffic:
    """Traefik's counters since it started: the requests of the service `name` by outcome (5xx is `bad`). If `what` is
    "entrypoint", `name` is an entry point, and `open` its connections open now."""

    name: str
    what: Literal["service", "entrypoint"] = "service"
    good: Count = 0
    bad: Count = 0
    open: Count = 0
