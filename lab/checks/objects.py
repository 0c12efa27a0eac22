"""Checks on secrets, configs and networks."""

from __future__ import annotations

from pydantic import model_validator

from lab.checks.base import Baseline, Condition, Outcome
from lab.schema.value import Name, one_of
from lab.world.world import World


class Exists(Condition):
    """A secret, a config or a network exists, or is absent."""

    example = "{secret: db-password}"

    secret: Name | None = None
    config: Name | None = None
    network: Name | None = None
    absent: bool = False

    @model_validator(mode="after")
    def _one(self) -> Exists:
        one_of(self, "secret", "config", "network")
        return self

    @property
    def what(self) -> str:
        """What it is: `secret`, `config` or `network`."""
        return one_of(self, "secret", "config", "network")

    @property
    def name(self) -> str:
        """Its name."""
        return str(getattr(self, self.what))

    @property
    def sentence(self) -> str:
        return f"{'there is no' if self.absent else 'there is a'} {self.what} {self.name}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        there = any(n.what == self.what and n.name == self.name for n in world.swarm.objects.values())
        return Outcome(there is not self.absent, f"there is {'a' if there else 'no'} {self.what} {self.name}")
