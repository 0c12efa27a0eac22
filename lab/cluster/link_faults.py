"""Faults of the links between nodes, as values: what happens to the frames that one node sends to another."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LinkFault:
    """What happens to frames on their way from `node` to `peer`, and back unless it is `one_way`; "" is every peer.

    `lost` is the share of frames that are lost, 0 to 1, or of those to or from the TCP or UDP `port` when it is not 0;
    the others arrive `delay` seconds late.
    """

    node: str
    peer: str = ""
    one_way: bool = False
    lost: float = 0.0
    delay: float = 0.0
    port: int = 0

    @property
    def sentence(self) -> str:
        """The fault in words, those of its row in `lab.cluster.faults`: `port 2377 of node2 is blocked, ...`."""
        if self.delay:
            return f"the frames of {self.node} arrive {self.delay * 1000:.0f} ms late, each way"
        if self.port:
            return f"port {self.port} of {self.node} is blocked, TCP and UDP, each way"
        if self.one_way:
            return f"what {self.node} sends to {self.peer} is dropped"
        if self.peer:
            return f"the link between {self.node} and {self.peer} is cut"
        return f"{self.lost * 100:.0f} percent of the frames of {self.node} are lost, each way"

    def concerns(self, source: str, target: str) -> bool:
        """Return whether frames from `source` to `target` are concerned."""
        there = source == self.node and self.peer in ("", target)
        back = target == self.node and self.peer in ("", source)
        return there or (back and not self.one_way)

    def replaces(self, other: LinkFault) -> bool:
        """Return whether it is the same fault as `other`, perhaps to another degree."""

        def kind(fault: LinkFault) -> tuple[object, ...]:
            return fault.node, fault.peer, fault.one_way, fault.port, bool(fault.delay)

        return kind(self) == kind(other)
