"""Checks on what was seen on the nodes' own network."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Outcome, Some
from lab.text import count_of
from lab.world.world import World

_WORDS = {
    "vxlan": "VXLAN, an overlay network in clear",
    "esp": "ESP, encrypted",
    "gossip": "gossip (port 7946)",
    "management": "cluster management (port 2377)",
}


class OnTheWire(Condition):
    """Since the step began, at least `frames` (1) frames between nodes carried vxlan, esp, gossip or management; with a
    `text`, at least one frame had it in `clear`, or none did."""

    kind = "total"
    of_swarm = False
    source = "wire"
    example = "{carries: esp, text: clear-text-4711, clear: false}"

    carries: Literal["vxlan", "esp", "gossip", "management"]
    frames: Some = 1
    text: Annotated[str, Field(pattern=r"^[\x21-\x7e]+$", min_length=8, max_length=100)] | None = None
    """It is looked for in whole frames; only how many have it is kept."""
    clear: bool | None = None

    @model_validator(mode="after")
    def _both(self) -> OnTheWire:
        if (self.text is None) != (self.clear is None):
            raise ValueError("text and clear are given together")
        if self.text is not None and "{{" in self.text:
            raise ValueError("text is as it is on the wire, and has no placeholders")
        return self

    @property
    def mark(self) -> str:
        """The text that is looked for."""
        return self.text or ""

    @property
    def sentence(self) -> str:
        passed = f"{count_of(self.frames, 'frame')} of {_WORDS[self.carries]} passed between nodes"
        if self.text is None:
            return passed
        return f"{passed}, and {'at least one' if self.clear else 'no'} frame had the text {self.text} in clear"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        wire, before = world.wire, baseline.since.wire
        frames = wire.frames.get(self.carries, 0) - before.frames.get(self.carries, 0)
        said = f"{count_of(frames, 'frame')} of {_WORDS[self.carries]} {'was' if frames == 1 else 'were'} read"
        if not wire.reports:
            return Outcome(False, "nothing was read of the nodes' network yet")
        if self.text is None:
            return Outcome(frames >= self.frames, said)
        marked = wire.marks.get(self.text, 0) - before.marks.get(self.text, 0)
        said += f"; {self.text} was in clear in {count_of(marked, 'frame')}"
        return Outcome(frames >= self.frames and (marked > 0) == self.clear, said)

    def is_lost(self, world: World, baseline: Baseline) -> bool:
        """Return whether a text that should not be seen was."""
        if self.text is None or self.clear:
            return False
        return world.wire.marks.get(self.text, 0) > baseline.since.wire.marks.get(self.text, 0)
