"""What was seen on the nodes' own network: who talks to whom, about what, and which connections were opened."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Annotated, Literal

from immutables import Map
from pydantic import Field

from lab.world.bounds import Count, Name, PortNumber, Seconds

Carries = Literal["vxlan", "esp", "gossip", "management", "arp", "other"]
"""What a frame carries. vxlan: an overlay network's frame in clear. esp: something encrypted, as an encrypted overlay
network's. gossip: port 7946. management: port 2377, the managers' Raft and their workers, over TLS."""

KEEP_REPORTS = 15
"""Reports of the wire, of some seconds each."""
KEEP_OPENINGS = 60


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
class Opening:
    """A TCP connection that a container opened through an overlay network, or a node for one, `ago` seconds before the
    report: from the node `source` to the node `target`, there to `address` and `port`."""

    ago: Seconds
    source: Name
    target: Name
    network: Count
    client: Name
    address: Name
    port: PortNumber


@dataclass(frozen=True, slots=True)
class WireSeen:
    """What passed between the nodes in the `seconds` since the last report. `flows` count the frames that were read;
    `unread` is how many more there were, all alike. `marks`: in how many frames each text that a check looks for was in
    clear."""

    seconds: Seconds
    flows: Annotated[tuple[Flow, ...], Field(max_length=200)] = ()
    openings: Annotated[tuple[Opening, ...], Field(max_length=30)] = ()
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
    """All that was seen of the wire. `reports` and `openings` have the last of each with their times; `frames` counts
    what was ever read, by what it carries, and `marks` the frames with each text."""

    reports: tuple[tuple[float, WireSeen], ...] = ()
    openings: tuple[tuple[float, Opening], ...] = ()
    frames: Map[str, int] = Map()
    marks: Map[str, int] = Map()

    def recent(self, now: float, within: float) -> tuple[WireSeen, ...]:
        """Return the reports of the last seconds."""
        return tuple(report for at, report in self.reports if now - at <= within)


def fold_wire(wire: Wire, at: float, fact: WireSeen) -> Wire:
    """Return what is known of the wire after one more report."""
    openings = ((at - opening.ago, opening) for opening in fact.openings)
    return replace(
        wire,
        reports=(*wire.reports, (at, fact))[-KEEP_REPORTS:],
        openings=(*wire.openings, *openings)[-KEEP_OPENINGS:],
        frames=_more(wire.frames, ((flow.carries, flow.frames) for flow in fact.flows)),
        marks=_more(wire.marks, fact.marks),
    )


def _more(counts: Map[str, int], rows: Iterable[tuple[str, int]]) -> Map[str, int]:
    changed = counts.mutate()
    for key, more in rows:
        changed[key] = changed.get(key, 0) + more
    return changed.finish()
