"""The facts about the lab's DNS: what is served, the checks of the nodes, and the clients that go by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.world.bounds import Count, Milliseconds, Name, PortNumber, Seconds

Caching = Literal["ttl", "forever", "next"]
"""How a client uses an answer: it asks again when the TTL is over (`ttl`), it never asks again (`forever`), or it obeys
the TTL and tries the next address when one does not answer (`next`)."""

CACHINGS: tuple[Caching, ...] = ("ttl", "forever", "next")


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """An A record: a node, and its address on the nodes' own network."""

    node: Name
    address: Name


@dataclass(frozen=True, slots=True)
class ClientsRow:
    """What the clients of one kind did since the last report, and where they will go next.

    `went` counts requests by the node that was tried first: those it answered, those that failed, and those that
    another node answered in its place. `believe` is how many clients have which node's address first in their cache;
    `age` is that of the oldest answer among them, in seconds.
    """

    caching: Caching
    went: tuple[tuple[Name, Count, Count, Count], ...] = ()
    believe: tuple[tuple[Name, Count], ...] = ()
    age: Seconds = 0.0


@dataclass(frozen=True, slots=True)
class ZoneServed:
    """What the lab's name server serves on loopback, when that changed. `state`: live | taken (another program has the
    port, and `why` says so) | off (nothing else is told then). Every name has all records, one a node; `ttl` is theirs.
    Each node is asked for `checks` every `interval` seconds."""

    state: Literal["live", "taken", "off"]
    port: PortNumber = 0
    names: tuple[Name, ...] = ()
    records: tuple[AddressRecord, ...] = ()
    ttl: Seconds = 0.0
    interval: Seconds = 0.0
    checks: str = ""
    why: str = ""
    kind: Literal["zone"] = "zone"


@dataclass(frozen=True, slots=True)
class EndpointChecked:
    """One health check of a node: whether it passed, and what was answered (`status` 0: nobody did, and `why` says
    why)."""

    node: Name
    passed: bool
    status: Count = 0
    ms: Milliseconds = 0.0
    why: str = ""
    kind: Literal["endpoint"] = "endpoint"

    @property
    def reason(self) -> str:
        """Why nobody answered, in plain words."""
        if "UNEXPECTED_EOF" in self.why:  # What OpenSSL says of a connection that ends in the midst of TLS.
            return "connection closed"
        return self.why or "no answer"


@dataclass(frozen=True, slots=True)
class ClientsSeen:
    """What the clients of the name did in the `seconds` since the last report, a row for each kind."""

    seconds: Seconds
    rows: tuple[ClientsRow, ...]
    kind: Literal["clients"] = "clients"
