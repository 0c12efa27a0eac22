"""Faults inside a node's machine, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ENGINE = "engine"
"""What a hung process is called that is the engine itself, not a service's."""

Kind = Literal["fill", "hang", "skew"]

STATES: Mapping[Kind, str] = {
    "fill": "the disk of {0} is full",
    "hang": "{1} hangs on {0}, stopped by SIGSTOP",
    "skew": "the clock of {0} is wrong by {1} min",
}
"""The faults in words, with `{0}` for the node and `{1}` for what hangs, or how many minutes."""


@dataclass(frozen=True, slots=True)
class MachineFault:
    """What is wrong inside the machine of `node`. `kind`: fill (its disk is full) | hang (the processes of `what`, the
    engine or a service, are stopped by SIGSTOP) | skew (its clock is `minutes` ahead, or behind when negative)."""

    node: str
    kind: Kind
    what: str = ""
    minutes: int = 0

    @property
    def sentence(self) -> str:
        """The fault in words: `the disk of node2 is full`."""
        return STATES[self.kind].format(self.node, self.what or self.minutes)

    def replaces(self, other: MachineFault) -> bool:
        """Return whether it is the same fault as `other`, perhaps to another degree."""
        return (self.node, self.kind, self.what) == (other.node, other.kind, other.what)
