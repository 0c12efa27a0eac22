"""The nodes' own network as it can be read: the heads of frames, and never more of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

HEAD = 54
"""Bytes of a frame that are read: Ethernet, IPv4 and TCP without options (14 + 20 + 20)."""
VXLAN_HEAD = 104
"""Bytes of a frame of an overlay network: UDP and VXLAN (14 + 20 + 8 + 8), then the same again inside."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The head of one frame. `at` is this machine's monotonic clock, in seconds, `source` the node that sent it,
    `target` the one that it was for ("": all others), `size` its length in bytes. `lost`: a fault of the network took
    it."""

    at: float
    source: str
    target: str
    size: int
    head: bytes
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read since the last reading. `unread` is how many more frames there were: above a bound, only a sample
    is read. `marks` says in how many frames each text that is looked for was in clear; all frames are searched."""

    frames: tuple[Frame, ...] = ()
    unread: int = 0
    marks: Mapping[str, int] = field(default_factory=dict)


class Wire(Protocol):
    """The nodes' own network, open for reading."""

    def read(self, bound: float) -> Reading:
        """Return what has been read; wait up to `bound` seconds for the first of it."""

    def close(self) -> None:
        """Read no more. Idempotent."""
