"""The path of a request through the deployed services: the place, health and traffic of each service on it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from lab.tui.cluster.grid import natural_key
from lab.tui.spans import Line, Tone
from lab.world.jobs import count_owed
from lab.world.traefik_labels import default_name, read_enable
from lab.world.traefik_services import labels_of, owning_service, traefik_services

if TYPE_CHECKING:
    from lab.world.swarm import Node, Service
    from lab.world.traefik import Traffic
    from lab.world.world import World

SPAN = 10.0
"""Seconds over which requests are counted."""


@dataclass(frozen=True)
class Rate:
    """Requests a second, and how many failed in the last SPAN seconds. `known` is False where nothing counts them."""

    rate: float = 0.0
    bad: int = 0
    known: bool = True

    def __add__(self, other: Rate) -> Rate:
        return Rate(self.rate + other.rate, self.bad + other.bad, self.known or other.known)

    @property
    def spans(self) -> tuple[Line, Line]:
        """The requests and the failures, in a few cells each; empty where there is nothing to show."""
        if not self.known:
            return (), ()
        tone: Tone = "strong" if self.rate else "quiet"
        digits = f"{self.rate:.0f}" if self.rate >= 10 or not self.rate else f"{self.rate:.1f}"
        return ((f"{digits}/s", tone),), ((f"✘ {self.bad}", "bad"),) if self.bad else ()


UNKNOWN = Rate(known=False)


@dataclass(frozen=True)
class Health:
    """A service's health: its running tasks (those on a node that is down do not count), and where they are."""

    running: int
    desired: int
    nodes: tuple[str, ...]

    @property
    def mark(self) -> tuple[str, Tone]:
        """The mark and its tone: ● whole, ◑ in part, ✘ down, ◦ none wanted."""
        if not self.desired and not self.running:
            return "◦", "quiet"
        if not self.running:
            return "✘", "bad"
        return ("●", "run") if self.running >= self.desired else ("◑", "move")

    @property
    def down(self) -> bool:
        """Whether none of it runs, although some should."""
        return self.mark[0] == "✘"


@dataclass(frozen=True)
class Way:
    """The services by their place on the path: at the edge, routed to, behind those, and beside the path. `behind` has,
    for each of its services, those in front of it and the names of the networks that they share."""

    edge: tuple[Service, ...]
    acme: tuple[Service, ...]
    routed: tuple[Service, ...]
    behind: tuple[tuple[Service, tuple[str, ...], tuple[str, ...]], ...]
    beside: tuple[Service, ...]


def find_way(world: World) -> Way:
    """Return the path through what is deployed now."""
    services = sorted(world.swarm.services.values(), key=lambda s: (natural_key(s.name), s.id))
    edge = traefik_services(world)
    taken = {service.id for service in edge}
    acme = tuple(s for s in services if "pebble" in s.spec.image.lower() and s.id not in taken)
    taken |= {service.id for service in acme}
    by_default = _routed_by_default(world)
    routed = (
        tuple(s for s in services if s.id not in taken and (asks_traefik(world, s) or s.id in by_default))
        if edge
        else ()
    )
    taken |= {service.id for service in routed}
    outer = {network for service in (*edge, *acme) for network in service.spec.networks}
    behind = _behind(world, routed, [s for s in services if s.id not in taken], outer)
    taken |= {service.id for service, _, _ in behind}
    return Way(edge, acme, routed, behind, tuple(s for s in services if s.id not in taken))


def asks_traefik(world: World, service: Service) -> bool:
    """Whether a service's labels declare a router."""
    labels = service.spec.labels
    return read_enable(labels) is not False and any(
        kind == "routers" for _, kind, _ in labels_of(world, service).things
    )


def _routed_by_default(world: World) -> set[str]:
    routers = world.edge.routes.routers if world.edge.routes else ()
    found = (owning_service(world, router.protocol, "routers", router.name) for router in routers)
    return {pair[0].id for pair in found if pair}


def _behind(
    world: World, routed: tuple[Service, ...], others: list[Service], outer: set[str]
) -> tuple[tuple[Service, tuple[str, ...], tuple[str, ...]], ...]:
    """Return the services that share an inner network with a routed service, those that share one with them, etc."""
    found: list[tuple[Service, tuple[str, ...], tuple[str, ...]]] = []
    front, left = list(routed), others
    while front:
        step = []
        for service in left:
            before = [(f, set(f.spec.networks) & set(service.spec.networks) - outer) for f in front]
            before = [(f, shared) for f, shared in before if shared]
            if before:
                networks = sorted({_network(world, network) for _, shared in before for network in shared})
                found.append((service, tuple(f.id for f, _ in before), tuple(networks)))
                step.append(service)
        left = [service for service in left if service not in step]
        front = step
    return tuple(found)


def _network(world: World, network: str) -> str:
    return world.swarm.objects[network].name if network in world.swarm.objects else network[:12]


def health(world: World, service: Service) -> Health:
    """Return a service's current health."""
    alive = [task for task in world.swarm.live_tasks(service.id) if not _is_lost(world, task.node)]
    names = sorted({world.swarm.node_name(task.node) for task in alive if task.node}, key=natural_key)
    return Health(len(alive), count_owed(world.swarm, service), tuple(names))


def _is_lost(world: World, node: str) -> bool:
    return node in world.swarm.nodes and world.swarm.nodes[node].state == "down"


def nodes(world: World) -> tuple[Node, ...]:
    """Return all nodes, by name."""
    return tuple(sorted(world.swarm.nodes.values(), key=lambda n: (natural_key(n.name), n.id)))


def published_ports(services: Iterable[Service]) -> tuple[int, ...]:
    """Return the ports on which every node answers for these services."""
    return tuple(sorted({p.published for s in services for p in s.spec.ports if p.mode == "ingress" and p.published}))


def rate_of_counts(rows: tuple[tuple[float, Traffic], ...], now: float) -> Rate:
    """Return requests a second from a counter's last rows. A counter that falls was reset: Traefik was restarted."""
    rows = tuple((at, row) for at, row in rows if at <= now)
    before = [at for at, _ in rows if at <= now - SPAN]
    start = before[-1] if before else rows[0][0] if rows else now
    within = [(at, row) for at, row in rows if at >= start]
    total = bad = 0
    for (_, old), (_, new) in pairwise(within):
        total += _count_grown(old.good + old.bad, new.good + new.bad)
        bad += _count_grown(old.bad, new.bad)
    # A counter is recorded when it changes: after its last row before the span, it stood still.
    seconds = SPAN if before else now - start
    return Rate(total / seconds if seconds >= 1 else 0.0, bad) if rows else UNKNOWN


def _count_grown(old: int, new: int) -> int:
    return new - old if new >= old else new


def to_service(world: World, service: Service, now: float) -> Rate:
    """Return what Traefik counted for a service, under all of its names there together."""
    names = {name for (_, kind, name) in labels_of(world, service).things if kind == "services"}
    found = UNKNOWN
    for name in names or {default_name(service.name)}:
        for key in (f"service:{name}@swarm", f"service:{name}"):
            found += rate_of_counts(world.edge.traffic.get(key, ()), now)
    return found


def to_edge(world: World, now: float) -> Rate:
    """Return all that Traefik counted for services."""
    found = UNKNOWN
    for key, rows in world.edge.traffic.items():
        if key.startswith("service:"):
            found += rate_of_counts(rows, now)
    return found


def from_load(world: World, now: float) -> Rate:
    """Return what the load sent, by its own reports."""
    ticks = [tick for at, tick in world.load.ticks if now - SPAN < at <= now]
    seconds = sum(tick.seconds for tick in ticks)
    if not ticks or seconds <= 0:
        return UNKNOWN
    return Rate(sum(tick.sent for tick in ticks) / seconds, sum(tick.bad for tick in ticks))


def from_hits(world: World, now: float, node: str = "") -> Rate:
    """Return the single requests that the lab sent, to all nodes or to one. No answer, and 5xx, count as failed."""
    hits = [hit for at, hit in world.hits if now - SPAN < at <= now and node in ("", hit.node)]
    bad = sum(not hit.status or hit.status >= 500 for hit in hits)
    return Rate(len(hits) / SPAN, bad) if hits else UNKNOWN


def to_node(world: World, node: Node, now: float) -> Rate:
    """Return what reached one node: its even share of the load, the single requests, and its reported failures."""
    load, many = from_load(world, now), max(1, len(world.swarm.nodes))
    bad = sum(now - SPAN < at <= now and failure.node == node.name for at, failure in world.load.failures)
    return Rate(load.rate / many, bad, load.known) + from_hits(world, now, node.name)
