"""Counts of requests by the node that was asked and the replica that answered, for the mesh view."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab.tui.cluster.grid import natural_key

if TYPE_CHECKING:
    from lab.world.entries import Hit
    from lab.world.swarm import Task
    from lab.world.world import World

#: Seconds that the count looks back.
WINDOW = 60.0
#: Seconds for which a cell counts as just asked.
FRESH = 1.5

Timed = tuple[float, "Hit"]
"""The time when a request ended, and the request."""


@dataclass(frozen=True)
class Replica:
    """A replica that answered: its id in its answers and, where known, its task's name and the node it is on.

    `state`: live | gone (its task has ended) | other (no task of this swarm has that name).
    """

    id: str
    name: str
    node: str = ""
    state: Literal["live", "gone", "other"] = "other"


@dataclass(frozen=True)
class Tally:
    """The requests to one address. `counts` is by node asked and replica's id, `failed` by node, `why` the last failure
    of each node with its time, `fresh` the cells that were just asked, `behind` the replicas that answered in the end
    where the first ones only passed the request on. `median` is in milliseconds."""

    title: str
    nodes: tuple[str, ...]
    replicas: tuple[Replica, ...]
    counts: Mapping[tuple[str, str], int]
    failed: Mapping[str, int]
    why: Mapping[str, tuple[float, str]]
    fresh: frozenset[tuple[str, str]]
    behind: tuple[tuple[Replica, int], ...]
    median: float

    @property
    def answered(self) -> int:
        """The number of requests that were answered."""
        return sum(self.counts.values())

    @property
    def total(self) -> int:
        """The number of requests that were sent and ended."""
        return self.answered + sum(self.failed.values())

    @property
    def even(self) -> float:
        """Each live replica's share, 0 to 1, when all have the same."""
        live = sum(replica.state == "live" for replica in self.replicas)
        return 1 / (live or len(self.replicas) or 1)

    @property
    def services(self) -> tuple[str, ...]:
        """The names of the services whose tasks answered, or could have."""
        return tuple(sorted({r.name.rpartition(".")[0] for r in self.replicas if r.state != "other"}))

    def count(self, replica: Replica) -> int:
        """Return the number of requests that one replica answered."""
        return sum(self.counts.get((node, replica.id), 0) for node in self.nodes)


def recent(world: World, now: float) -> tuple[tuple[Timed, ...], float]:
    """Return the hits of the last minute, and the seconds since the last one. If those are more than a minute, return
    the hits of the minute that ended with the last one."""
    if not world.hits:
        return (), 0.0
    silent = max(0.0, now - world.hits[-1][0])
    end = now if silent <= WINDOW else world.hits[-1][0]
    return tuple((at, hit) for at, hit in world.hits if at > end - WINDOW), silent


def has_failed(hit: Hit) -> bool:
    """Whether a request counts as failed: it got no answer, or a server error."""
    return hit.status == 0 or hit.status >= 500


def tallies(world: World, hits: Iterable[Timed], now: float) -> tuple[tuple[Tally, ...], tuple[Tally, ...]]:
    """Return a tally for each address: those at published ports, and those that went through Traefik."""
    groups: dict[tuple[bool, int, str], list[Timed]] = {}
    for at, hit in hits:
        groups.setdefault((bool(hit.host), hit.port, hit.address), []).append((at, hit))
    made = [(routed, _tally(world, title, group, now)) for (routed, _, title), group in sorted(groups.items())]
    return tuple(t for routed, t in made if not routed), tuple(t for routed, t in made if routed)


def _tally(world: World, title: str, group: list[Timed], now: float) -> Tally:
    counts: Counter[tuple[str, str]] = Counter()
    lost: Counter[str] = Counter()
    behind: Counter[str] = Counter()
    why: dict[str, tuple[float, str]] = {}
    fresh = set()
    for at, hit in group:
        if has_failed(hit):
            lost[hit.node] += 1
            why[hit.node] = at, hit.error or f"status {hit.status}"
            continue
        cell = hit.node, hit.front or hit.replica
        counts[cell] += 1
        if hit.front and hit.replica:
            behind[hit.replica] += 1
        if now - at <= FRESH:
            fresh.add(cell)
    some = group[0][1]
    ids = {id for _, id in counts}
    tasks = {task.container[:12]: task for task in world.swarm.tasks.values() if task.container}
    replicas = [*(_replica(world, tasks, id, bool(some.host)) for id in ids), *_find_idle(world, tasks, ids, some)]
    return Tally(
        title,
        tuple(sorted({hit.node for _, hit in group}, key=natural_key)),
        tuple(sorted(replicas, key=lambda r: (r.state == "other", natural_key(r.name), r.state == "live", r.id))),
        counts,
        lost,
        why,
        frozenset(fresh),
        tuple((_replica(world, tasks, id, False), many) for id, many in sorted(behind.items())),
        statistics.median([hit.ms for _, hit in group if not has_failed(hit)] or [0.0]),
    )


def _replica(world: World, tasks: Mapping[str, Task], id: str, routed: bool) -> Replica:
    task = tasks.get(id[:12])
    if task is None:
        clean = "".join(c if c.isprintable() else " " for c in id).strip()
        return Replica(id, clean or ("Traefik itself" if routed else "no name told"))
    return Replica(id, world.swarm.task_name(task), world.swarm.node_name(task.node), "live" if task.live else "gone")


def _find_idle(world: World, tasks: Mapping[str, Task], ids: set[str], hit: Hit) -> Iterable[Replica]:
    """Yield the replicas that could have answered but did not: the other tasks of the services that did."""
    services = {tasks[id[:12]].service for id in ids if id[:12] in tasks}
    if not services and not hit.host:
        services = {s.id for s in world.swarm.services.values() if any(p.published == hit.port for p in s.spec.ports)}
    seen = {id[:12] for id in ids}
    for service in services:
        for task in world.swarm.live_tasks(service):
            if task.container and task.container[:12] not in seen:
                yield _replica(world, tasks, task.container[:12], False)
