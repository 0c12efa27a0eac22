"""Faults inside a node's machine, as values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ENGINE = "engine"
"""What a hung process is called that is the engine itself, not a service's."""


@dataclass(frozen=True, slots=True)
class MachineFault:
    """What is wrong inside the machine of `node`. `kind`: fill (its disk is full) | hang (the processes of `what`, the
    engine or a service, are stopped by SIGSTOP) | skew (its clock is `minutes` ahead, or behind when negative)."""

    node: str
    kind: Literal["fill", "hang", "skew"]
    what: str = ""
    minutes: int = 0

    @property
    def sentence(self) -> str:
        """The fault in words: `the disk of node2 is full`."""
        match self.kind:
            case "fill":
                return f"the disk of {self.node} is full"
            case "hang":
                return f"{self.what} hangs on {self.node}"
            case "skew":
                way = "ahead" if self.minutes > 0 else "behind"
                return f"the clock of {self.node} is {abs(self.minutes)} min {way}"

    def replaces(self, other: MachineFault) -> bool:
        """Return whether it is the same fault as `other`, perhaps to another degree."""
        return (self.node, self.kind, self.what) == (other.node, other.kind, other.what)
