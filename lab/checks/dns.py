"""Checks on the lab's DNS: to which nodes a name leads, and where its clients go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Outcome, Some
from lab.checks.replacements import new_changes
from lab.schema.value import Name, one_of
from lab.text import count_of
from lab.world.dns import Caching, ClientsRow
from lab.world.health import THRESHOLD
from lab.world.world import World

WORDS: dict[Caching, str] = {
    "ttl": "clients that obey the TTL",
    "forever": "clients that cache for ever",
    "next": "clients that try the next address",
}


class Resolves(Condition):
    """The lab's name server answers for a host name with exactly these nodes; or with all of them, because none is
    healthy (`fails_open`)."""

    source = "dns"
    of_swarm = False
    example = '{host: "node-app.{{domain}}", nodes: [node1, node2]}'

    host: Name
    nodes: Annotated[tuple[Name, ...], Field(min_length=1)] | None = None
    """The nodes whose addresses are answered, in any order."""
    fails_open: Literal[True] | None = None
    """All nodes are answered because none is healthy."""

    @model_validator(mode="after")
    def _one(self) -> Resolves:
        one_of(self, "nodes", "fails_open")
        return self

    @property
    def sentence(self) -> str:
        if self.nodes is not None:
            return f"{self.host} leads to {', '.join(self.nodes)}"
        return f"{self.host} leads to all nodes, as none is healthy"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        zone = world.dns.zone
        if zone is None or zone.state != "live":
            return Outcome(False, zone.why if zone is not None and zone.why else "the lab serves no DNS yet")
        if self.host not in zone.names:
            return Outcome(False, f"the zone has no name {self.host}; it has {', '.join(zone.names)}")
        answered = sorted(record.node for record in world.dns.answers)
        text = "; ".join((f"{self.host} leads to {', '.join(answered) or 'nobody'}", *_doubts(world)))
        if self.nodes is not None:
            return Outcome(answered == sorted(self.nodes) and not world.dns.fails_open, text)
        return Outcome(world.dns.fails_open, text)


def _doubts(world: World) -> Iterator[str]:
    """Yield how far the checks of a node are from changing what is answered."""
    for node, checks in sorted(world.dns.checks.items()):
        state = "healthy" if checks.health.healthy else "unhealthy"
        if checks.health.against:
            otherwise = "failed" if checks.health.healthy else "passed"
            yield f"{node} is {state}, but has {otherwise} {checks.health.against} of {THRESHOLD} checks"
        elif not checks.health.healthy:
            yield f"{node} is {state}"


class ClientsGo(Condition):
    """Since the step began, clients of one kind have failed at a node (`fail_at`), have failed there and stopped going
    there (`leave`), have been answered by it (`reach`), or have been answered so many times without a failure
    (`answered`)."""

    kind = "event"
    source = "dns"
    of_swarm = False
    example = "{caching: ttl, leave: node4}"

    caching: Caching
    """What the clients do with an answer: `ttl` obeys its TTL, `forever` never asks again, `next` tries the next
    address."""
    fail_at: Name | None = None
    """A node."""
    leave: Name | None = None
    """A node."""
    reach: Name | None = None
    """A node."""
    answered: Some | None = None
    """How many requests, none of which has failed since the step began."""

    @model_validator(mode="after")
    def _one(self) -> ClientsGo:
        one_of(self, "fail_at", "leave", "reach", "answered")
        return self

    @property
    def sentence(self) -> str:
        who = WORDS[self.caching]
        if self.answered is not None:
            return f"{who} get {count_of(self.answered, 'answer')} and no failure"
        if self.reach is not None:
            return f"{who} are answered by {self.reach}"
        return f"{who} fail at {self.fail_at}" if self.fail_at else f"{who} fail at {self.leave}, and go there no more"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        who, rows = WORDS[self.caching], list(world.dns.rows(self.caching, baseline.since.at))
        sent = sum(sum(counts) for _, row in rows for _, *counts in row.went)
        lost = sum(failed for _, row in rows for _, _, failed, _ in row.went)
        if not rows:
            return Outcome(False, f"nothing is known of {who} yet")
        if self.answered is not None:
            return Outcome(sent >= self.answered and not lost, f"{lost} of {count_of(sent, 'request')} of {who} failed")
        node = self.fail_at or self.leave or self.reach or ""
        good = sum(good for _, good, _, _ in _at(rows, node))
        bad = sum(failed for _, _, failed, _ in _at(rows, node))
        text = f"of {who} {count_of(bad, 'request')} failed at {node}"
        if self.reach is not None:
            return Outcome(good > 0, f"{node} has answered {count_of(good, 'request')} of {who}")
        if self.fail_at is not None or not bad:
            return Outcome(bad > 0, text)
        believe = dict(rows[-1][1].believe).get(node, 0)
        still = believe or any(_at(rows[-1:], node))
        return Outcome(not still, f"{text}, and {believe or 'none'} of them still would go there" if still else text)

    def is_lost(self, world: World, baseline: Baseline) -> bool:
        """Return whether a request has failed where none may."""
        rows = world.dns.rows(self.caching, baseline.since.at)
        return self.answered is not None and any(failed for _, row in rows for _, _, failed, _ in row.went)

    def measure(self, world: World, baseline: Baseline) -> Iterable[str]:
        """Return how many requests failed, and when the last one went to the node."""
        rows, node = list(world.dns.rows(self.caching, baseline.since.at)), self.leave or self.fail_at
        acted = next((change for change in new_changes(baseline.since, world) if change.kind == "act"), None)
        if node is None or acted is None:
            return
        sent = sum(sum(counts) for _, row in rows for _, *counts in row.went)
        lost = sum(failed for _, row in rows for _, _, failed, _ in row.went)
        met = [at for at, row in rows if at > acted.at for name, _, *vain in row.went if name == node and any(vain)]
        last = f"; the last one went to {node} about {met[-1] - acted.at:.0f} s after {acted.text}" if met else ""
        end = last if self.leave is not None else "; they still do"
        yield f"Of the {WORDS[self.caching]} {lost} of {count_of(sent, 'request')} failed{end}"


def _at(rows: Iterable[tuple[float, ClientsRow]], node: str) -> Iterator[tuple[str, int, int, int]]:
    """Yield the counts of the requests that went to a node first."""
    return (went for _, row in rows for went in row.went if went[0] == node)
