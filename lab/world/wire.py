"""What was seen on the nodes' own network: who talks to whom, about what, and what was asked and answered over
TCP connections."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Annotated, Literal

from immutables import Map
from pydantic import Field

from lab.world.bounds import Count, Name, PortNumber, Seconds

Carries = Literal["vxlan", "esp", "gossip", "management", "arp", "other"]
"""What a frame carries. vxlan: an overlay network's frame in clear. esp: something encrypted, as an encrypted overlay
network's. gossip: port 7946. management: port 2377, the managers' Raft and their workers, over TLS."""

KEEP_REPORTS = 15
"""Reports of the wire, of some seconds each."""
KEEP_EXCHANGES = 90


@dataclass(frozen=True, slots=True)
class Flow:
    """Frames from one node to another ("": to all others) that carry the same, in a VXLAN of the same number `network`.
    `lost` of them a fault of the network took."""

    source: Name
    target: Name
    carries: Carries
    frames: Count
    size: Count
    network: Count = 0
    lost: Count = 0


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a client sent over a TCP connection, and what came back: from the node `source` to the node `target` ("":
    not known), there to `address` and `port`. `network` is the number of its overlay network; 0: none, the nodes' own.

    `ago` is how long before the report its first frame was read; the other times are since that frame, and None for
    what was not read: the connection was `accepted`, the client `asked` (its first bytes), the server `answered` (its
    last bytes so far), the connection `ended`. `sent` and `got` are bytes, without headers.

    `sequence` is the number with which the client opened the connection, 0 if that was not read. It is drawn at
    random, and no translation of addresses changes it: two with the same one are the same connection, in two places.
    `turn` counts the exchanges of a connection: 0 is the one that it was opened for.
    """

    ago: Seconds
    source: Name
    target: Name
    network: Count
    client: Name
    client_port: PortNumber
    address: Name
    port: PortNumber
    sequence: Count = 0
    turn: Count = 0
    accepted: Seconds | None = None
    asked: Seconds | None = None
    answered: Seconds | None = None
    ended: Seconds | None = None
    sent: Count = 0
    got: Count = 0

    @property
    def connection(self) -> tuple[object, ...]:
        """Which connection it is a part of."""
        return self.network, self.client, self.client_port, self.address, self.port, self.sequence


@dataclass(frozen=True, slots=True)
class WireSeen:
    """What passed between the nodes in the `seconds` since the last report. `flows` count the frames that were read;
    `unread` is how many more there were, all alike. `exchanges` are those of which something new was read; one may be
    in several reports. `marks`: in how many frames each text that a check looks for was in clear."""

    seconds: Seconds
    flows: Annotated[tuple[Flow, ...], Field(max_length=200)] = ()
    exchanges: Annotated[tuple[Exchange, ...], Field(max_length=50)] = ()
    unread: Count = 0
    marks: Annotated[tuple[tuple[Name, Count], ...], Field(max_length=50)] = ()
    kind: Literal["wire"] = "wire"

    @property
    def scale(self) -> float:
        """How many frames each that was read stands for."""
        read = sum(flow.frames for flow in self.flows)
        return 1 + self.unread / read if read else 1.0


@dataclass(frozen=True, slots=True)
class Wire:
    """All that was seen of the wire. `reports` has the last ones with their times, `exchanges` the last ones as they
    were last reported, with the times of their first frames; `frames` counts what was ever read, by what it carries,
    and `marks` the frames with each text."""

    reports: tuple[tuple[float, WireSeen], ...] = ()
    exchanges: tuple[tuple[float, Exchange], ...] = ()
    frames: Map[str, int] = Map()
    marks: Map[str, int] = Map()

    def recent(self, now: float, within: float) -> tuple[WireSeen, ...]:
        """Return the reports of the last seconds."""
        return tuple(report for at, report in self.reports if now - at <= within)


def fold_wire(wire: Wire, at: float, fact: WireSeen) -> Wire:
    """Return what is known of the wire after one more report."""
    return replace(
        wire,
        reports=(*wire.reports, (at, fact))[-KEEP_REPORTS:],
        exchanges=_renew(wire.exchanges, at, fact.exchanges),
        frames=_more(wire.frames, ((flow.carries, flow.frames) for flow in fact.flows)),
        marks=_more(wire.marks, fact.marks),
    )


def _renew(
    known: tuple[tuple[float, Exchange], ...], at: float, told: Iterable[Exchange]
) -> tuple[tuple[float, Exchange], ...]:
    """Return the exchanges with those that were just reported in place of what was known of them, oldest first."""
    found = {(*one.connection, one.turn): (began, one) for began, one in known}
    found.update({(*one.connection, one.turn): (at - one.ago, one) for one in told})
    return tuple(sorted(found.values(), key=itemgetter(0))[-KEEP_EXCHANGES:])


def _more(counts: Map[str, int], rows: Iterable[tuple[str, int]]) -> Map[str, int]:
    changed = counts.mutate()
    for key, more in rows:
        changed[key] = changed.get(key, 0) + more
    return changed.finish()
