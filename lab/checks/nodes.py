"""Checks on nodes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Outcome
from lab.checks.replacements import new_changes
from lab.schema.value import Name
from lab.world.world import World


class NodeIs(Condition):
    """A node as the managers see it."""

    example = "{name: node4, state: down}"

    name: Name
    absent: bool = False
    """No manager lists it."""
    state: Literal["ready", "down", "unknown", "disconnected"] | None = None
    availability: Literal["active", "pause", "drain"] | None = None
    role: Literal["manager", "worker"] | None = None
    leader: bool | None = None
    reachability: Literal["reachable", "unreachable"] | None = None
    """Whether the leader hears from it, as one of the managers."""
    label: Annotated[str, Field(pattern=r"^[^=\s]+=\S*$", max_length=200)] | None = None
    """`NAME=value`."""

    @model_validator(mode="after")
    def _some(self) -> NodeIs:
        if not self.model_fields_set - {"name"}:
            raise ValueError("needs one of absent, state, availability, role, leader, reachability, label")
        if self.absent and self.model_fields_set - {"name", "absent"}:
            raise ValueError("a node that is absent has no state, availability, role or label")
        return self

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"{self.name} is not in the list of nodes"
        asks = [
            f"is {self.state}" if self.state else "",
            f"is set to {self.availability}" if self.availability else "",
            f"is a {self.role}" if self.role else "",
            "" if self.leader is None else "leads the managers" if self.leader else "does not lead the managers",
            f"is {self.reachability} as a manager" if self.reachability else "",
            f"bears the label {self.label}" if self.label else "",
        ]
        return f"{self.name} " + " and ".join(a for a in asks if a)

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        node = world.swarm.node(self.name)
        if node is None:
            return Outcome(self.absent, f"there is no node {self.name}")
        ok = (
            not self.absent
            and self.state in (None, node.state)
            and self.availability in (None, node.availability)
            and self.role in (None, node.role)
            and self.leader in (None, node.leader)
            and self.reachability in (None, node.reachability)
        )
        says = f"{node.name} is a {node.role}, {node.state}, {node.availability}" + (
            ", the leader" if node.leader else f", {node.reachability}" if node.reachability else ""
        )
        if self.label is not None:
            name, _, value = self.label.partition("=")
            ok = ok and node.labels.get(name) == value
            says += f"; labels: {', '.join(f'{k}={v}' for k, v in sorted(node.labels.items())) or 'none'}"
        return Outcome(ok, says)

    def measure(self, world: World, baseline: Baseline) -> Iterable[str]:
        """Return how long after the lab's own act the managers declared the node down."""
        node, new = world.swarm.node(self.name), new_changes(baseline.since, world)
        acted = next((change for change in new if change.kind == "act"), None)
        down = next((change for change in new if change.kind == "node-down" and node and change.node == node.id), None)
        if self.state == "down" and acted is not None and down is not None:
            yield f"{self.name} was down for the managers {down.at - acted.at:.1f} s after {acted.text}"
