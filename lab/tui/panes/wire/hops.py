"""The way of one request between the nodes: the answer that the lab got, and the connections opened meanwhile.

A request from here enters a node outside of the nodes' own network. What follows on it is known: a connection from the
node that was asked, then one from each node that was reached so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.entries import Hit
    from lab.world.wire import Opening
    from lab.world.world import World

#: Seconds by which the two clocks' reports may differ.
SLACK = 0.15
#: Seconds for which a request is of interest.
RECENT = 120.0
_MOST = 6


@dataclass(frozen=True)
class Hop:
    """A connection on the way of a request, and the task that it led to, "" for one that is not known. `others` is how
    many more were opened from the same node at that time, any of which may have been the request's."""

    opening: Opening
    task: str
    others: int


@dataclass(frozen=True)
class Path:
    """A request and its hops. `local`: the replica that answered runs on the node that was asked."""

    hit: Hit
    ago: float
    hops: tuple[Hop, ...]
    local: bool


def find_path(world: World, now: float) -> Path | None:
    """Return the way of the newest request that was answered while the wire was read and whose way can be told."""
    since = min((at - report.seconds for at, report in world.wire.reports), default=now)
    until = max((at for at, _ in world.wire.reports), default=0.0)
    for at, hit in reversed(world.hits):
        if now - at > RECENT or at - hit.ms / 1000 < since:
            return None
        if not hit.status or at > until:
            continue
        hops = _hops(world, at, hit)
        local = not hops and _node_of(world, hit) == hit.node
        if hops or local:
            return Path(hit, now - at, hops, local)
    return None


def _hops(world: World, at: float, hit: Hit) -> tuple[Hop, ...]:
    began = at - hit.ms / 1000 - SLACK
    opened = [one for when, one in world.wire.openings if began <= when <= at + SLACK]
    found: list[Hop] = []
    node, ports = hit.node, _ports(world, hit.port)
    while len(found) < _MOST:
        # The mesh opens the first connection, for the published port; what is opened later has ports of its own.
        mine = [o for o in opened if o.source == node and o.target not in ("", node) and (found or o.port in ports)]
        if not mine:
            break
        one = mine[0]
        found.append(Hop(one, find_task(world, one.address), len(mine) - 1))
        opened.remove(one)
        node = one.target
    return tuple(found)


def _ports(world: World, published: int) -> frozenset[int]:
    """Return the ports that a request to a published port may have between the nodes: that one, and its target."""
    services = world.swarm.services.values()
    targets = (port.target for service in services for port in service.spec.ports if port.published == published)
    return frozenset((published, *targets))


def find_task(world: World, address: str) -> str:
    """Return the name of the task that has an address on an overlay network; "" when none of those that run has."""
    swarm = world.swarm
    return next((swarm.task_name(t) for t in swarm.tasks.values() if address in t.addresses and t.live), "")


def _node_of(world: World, hit: Hit) -> str:
    """Return the node of the replica that answered, known by the beginning of its container's id."""
    tasks = (t for t in world.swarm.tasks.values() if hit.replica and t.container.startswith(hit.replica))
    return next((world.swarm.node_name(task.node) for task in tasks), "")
