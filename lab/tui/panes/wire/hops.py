"""The way of one request between the nodes: the connections over which it was asked and answered, hop by hop.

The newest request that a machine made to a published port of another is preferred: its whole way is on the nodes' own
network. A request from the lab enters a node from outside of that network; its way from there on is known. Without
either, it is one that a container made. What happens inside a node is not on its network: two hops belong together when
they are the same connection, by its first sequence number, or else by who asks, on which node, and when.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.tui.panes.wire.next_hop import find_next, is_same, join_turns
from lab.tui.panes.wire.tasks import find_answering, publishing, tasks_at
from lab.world.wire import Exchange

if TYPE_CHECKING:
    from lab.world.entries import Hit
    from lab.world.swarm import Task
    from lab.world.world import World

    Timed = tuple[float, Exchange]

#: Seconds by which the times of the lab and of the switch may differ.
SLACK = 0.15
#: Seconds for which a request is of interest: one from the lab or a container, and one between the nodes.
RECENT, RECENT_BETWEEN = 120.0, 30.0
_MOST = 6


@dataclass(frozen=True)
class Hop:
    """An exchange on the way of a request, `since` the first frame of all, and the name of the task that it led to, ""
    if that is not known. `same`: it is the connection of the hop before, with other addresses. `others` is how many
    more there were from the same node at that time, any of which may have been the request's."""

    since: float
    exchange: Exchange
    task: str = ""
    same: bool = False
    others: int = 0


@dataclass(frozen=True)
class Way:
    """A request, so long `ago`, and its hops; `hit` if the lab made it. `local`: the task that answered runs on the
    node that was asked. `unseen`: the task that answered and its node, where the hops do not lead there."""

    ago: float
    hops: tuple[Hop, ...]
    hit: Hit | None = None
    local: bool = False
    unseen: tuple[str, str] = ("", "")


def find_way(world: World, now: float) -> Way | None:
    """Return the way of the newest request whose way can be told."""
    known = tuple(each for each in world.wire.exchanges if each[1].target not in ("", each[1].source))
    for began, one in reversed(known):
        if not one.network and not one.turn and now - began <= RECENT_BETWEEN and publishing(world, one.port):
            return Way(now - began, _follow(world, known, (began, one)))
    if way := _from_lab(world, known, now):
        return way
    for began, one in reversed(known):
        if one.network and not one.turn and now - began <= RECENT:
            return Way(now - began, _follow(world, known, (began, one), alone=False))
    return None


def _from_lab(world: World, known: Sequence[Timed], now: float) -> Way | None:
    """Return the way of the lab's newest request that was answered while the wire was read."""
    since = min((at - report.seconds for at, report in world.wire.reports), default=now)
    until = max((at for at, _ in world.wire.reports), default=0.0)
    for at, hit in reversed(world.hits):
        if now - at > RECENT or at - hit.ms / 1000 < since:
            return None
        if not hit.status or at > until:
            continue
        by = find_answering(world, hit.replica)
        answered = tuple(task for task in (by, find_answering(world, hit.front)) if task)
        node = world.swarm.node_name(by.node) if by else ""
        ways = [
            _follow(world, known, *first, answered, alone=alone)
            for first, alone in (
                (_first(world, known, at, hit), True),
                (_first_inside(world, known, at, hit, answered), False),
            )
            if first is not None
        ]
        # Where there are two, one leads on over the mesh, the other from a task on the node that was asked.
        hops = min(ways, key=lambda way: way[-1].exchange.target != node, default=())
        if not hops and node == hit.node:
            return Way(now - at, (), hit, local=True)
        if hops:
            missing = by is not None and node != hops[-1].exchange.target
            return Way(now - at, hops, hit, unseen=(world.swarm.task_name(by), node) if by and missing else ("", ""))
    return None


def _first(world: World, known: Sequence[Timed], at: float, hit: Hit) -> tuple[Timed, int] | None:
    """Return the connection over which the mesh sent a request of the lab from the node that was asked to another, and
    how many others there are that may be it."""
    began = at - hit.ms / 1000
    ports = {hit.port, *(port.target for service in publishing(world, hit.port) for port in service.spec.ports)}
    # Who answers first is known unless the request goes through Traefik.
    by = None if hit.host else find_answering(world, hit.front or hit.replica)
    between_nodes = {one.sequence for _, one in known if not one.network}
    found = [
        (when, one)
        for when, one in known
        if one.source == hit.node and one.network and not one.turn and began - SLACK <= when <= at + SLACK
        if one.port in ports and one.sequence not in between_nodes
        if by is None or not by.addresses or one.address in by.addresses
    ]
    return (min(found, key=lambda each: abs(each[0] - began)), len(found) - 1) if found else None


def _first_inside(
    world: World, known: Sequence[Timed], at: float, hit: Hit, by: tuple[Task, ...]
) -> tuple[Timed, int] | None:
    """Return what a task on the node that was asked itself asked the tasks that answered, and how many others may be
    it: the mesh led to that task inside the node."""
    began = at - hit.ms / 1000 - SLACK
    entry = Exchange(0.0, "", hit.node, 0, "", 0, "", hit.port, answered=at + SLACK - began)
    answering = {address for task in by for address in task.addresses}
    inside = tasks_at(world, entry)
    if not inside or any(task.service == inside[0].service for task in by[:1]):
        return None
    nexts = find_next(world, known, (began, entry), inside, by)
    found = [each for each in nexts if each[1].address in answering]
    return (found[0], len(found) - 1) if found else None


def _follow(
    world: World,
    known: Sequence[Timed],
    first: Timed,
    others: int = 0,
    by: tuple[Task, ...] = (),
    *,
    alone: bool = True,
) -> tuple[Hop, ...]:
    """Return the hops from this one on. `by` are the tasks that answered, the last of the way first; `alone`: nothing
    else is asked over the first connection."""
    hops: list[Hop] = []
    left, found, same = list(known), first, False
    while True:
        began, one = found
        left = [each for each in left if each[1].connection != one.connection]
        one = join_turns(known, found) if same or (alone and not hops) else one
        tasks = tasks_at(world, one)
        name = world.swarm.task_name(tasks[0]) if tasks and one.network else ""
        hops.append(Hop(max(0.0, began - first[0]), one, name, same, others))
        nexts = [each for each in left if is_same(each, began, one)]
        same = bool(nexts)
        if not same and not (by and by[0] in tasks):
            nexts = find_next(world, left, (began, one), tasks, by)
        if not nexts or len(hops) == _MOST:
            return tuple(hops)
        found, others = nexts[0], 0 if same else len(nexts) - 1
