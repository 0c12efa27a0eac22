"""The path of a request through the deployed services: clients, names, nodes, Traefik, services, those behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.tui.panes.common import WIDE, finish, pack
from lab.tui.panes.map import topology
from lab.tui.panes.map.canvas import Box
from lab.tui.panes.map.layout import Edge, Layer, Place, lay_across, lay_down
from lab.tui.panes.map.topology import Rate, Way
from lab.tui.spans import Line, Span, Tone, wrap
from lab.world.traefik_services import routed_hosts

if TYPE_CHECKING:
    from lab.world.swarm import Node, Service
    from lab.world.world import World

HELP = (
    "The way of a request through what is really deployed: from the clients by a name to any node, from there to "
    "Traefik, to the services that it routes to, and to those behind them on an inner network, with their secrets and "
    "configs. Along the way stand requests a second and, marked ✘, how many failed in the last ten seconds."
)
EMPTY = "The map begins with a Traefik. Deploy one, then something that it routes to:"
COMMANDS = (
    "docker stack deploy --resolve-image never -c stacks/edge.yaml -c stacks/edge.pebble.yaml edge",
    "docker stack deploy --resolve-image never -c stacks/app.yaml app",
)
_LEGEND: tuple[Line, ...] = (
    (("● whole", "run"),),
    (("◑ in part", "move"),),
    (("✘ down", "bad"),),
    (("◦ none wanted", "quiet"),),
    (("n/s", "strong"), (" requests a second", "quiet")),
    (("✘ n", "bad"), (" failed in the last 10 s", "quiet")),
)
_GRANTED: tuple[Line, ...] = ((("◆ secret", "lab"),), (("◇ config", "code"),))
_GRANTS = 5


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return the map, from left to right where it fits, else downwards; below it are the services beside the path."""
    return finish(_all(world, max(room, 30), height, now), room)


def _all(world: World, room: int, height: int, now: float) -> Iterator[Line]:
    way = topology.find_way(world)
    if not way.edge:
        yield from wrap([(EMPTY if world.swarm.nodes else "Nothing has been seen of a cluster yet.", "")], room)
        for command in COMMANDS if world.swarm.nodes else ():
            yield from wrap([(command, "code")], room, (("  ", ""),))
        if world.swarm.nodes:
            yield ()
            yield from lay_down([_nodes(world, way)], [], room)
            yield from _foot(world, way, room)
        return
    foot = list(_foot(world, way, room))
    if room >= WIDE and world.swarm.nodes:
        yield from lay_across(_columns(world, way, now), _edges(world, way, now), room, height - len(foot))
    else:
        edges = _edges(world, way, now)
        drawn = lay_down(_rows(world, way, now, room), edges, room)
        if len(drawn) + len(foot) > height:
            drawn = lay_down(_rows(world, way, now, room, terse=True), edges, room)
        yield from drawn
    yield from foot


def _foot(world: World, way: Way, room: int) -> Iterator[Line]:
    yield ()
    if way.edge and not way.routed:
        own = any(topology.asks_traefik(world, one) for one in way.edge)
        text = "Only Traefik's own dashboard is routed yet" if own else "Nothing is routed yet"
        yield from wrap([(f"{text}: give a service labels for Traefik.", "quiet")], room)
    if way.beside:
        yield from pack((_beside(world, one) for one in way.beside), room, (("beside it  ", "quiet"),))
    yield from pack((*_LEGEND, *(_GRANTED if room < WIDE else ())), room)


def _beside(world: World, service: Service) -> Line:
    found = topology.health(world, service)
    glyph, tone = found.mark
    ports = "".join(f" :{port}" for port in topology.published_ports([service]))
    return (f"{glyph} {service.name} {found.running}/{found.desired}", tone), (ports, "quiet")


def _columns(world: World, way: Way, now: float) -> list[Layer]:
    load = topology.from_load(world, now) + topology.from_hits(world, now)
    passes, fails = load.spans
    link: Line = (("▼ ", _tone(load, False)), *passes, (" ", ""), *fails)
    none: Line = (("no names yet", "quiet"),)
    names: tuple[Line, ...] = tuple(((name, "code"),) for name in routed_hosts(world)) or (none,)
    first = Layer(
        "CLIENTS",
        "",
        (
            Place("clients", Box((("clients", "head"),), _clients(world, load))),
            Place("names", Box((("DNS names", "head"),), names), link=link),
        ),
        least=20,
    )
    return [first, *_inner(world, way)]


def _rows(world: World, way: Way, now: float, room: int, terse: bool = False) -> list[Layer]:
    """Return the layers from the top; if `terse`, in as few rows as possible."""
    load = topology.from_load(world, now) + topology.from_hits(world, now)
    passes, fails = load.spans
    gap: Line = (("  ", ""),) if fails else ()
    total: tuple[Line, ...] = ((*passes, (" sent", "quiet"), *gap, *fails),) if passes else ()
    told: tuple[Line, ...] = (*_clients(world, load), *total)
    if terse:
        told = tuple(pack(told, room - 8))
    names = pack(([(name, "code")] for name in routed_hosts(world)), room - 8, (("ask for ", "quiet"),))
    box = Box((("clients → DNS names", "head"),), (*told, *names))
    return [Layer("CLIENTS", "", (Place("names", box),)), *_inner(world, way, terse)]


def _inner(world: World, way: Way, terse: bool = False) -> Iterator[Layer]:
    if world.swarm.nodes:
        yield _nodes(world, way)

    def place(one: Service, more: tuple[Line, ...] = (), link: Line | None = None) -> Place:
        if terse:
            return Place(one.id, _box(world, one, terse=True), _grants_in_a_row(one), link)
        return Place(one.id, _box(world, one, more), _grants(one), link)

    server: tuple[Line, ...] = ((("ACME server", "quiet"),),)
    acme = [place(one, server, (("│ orders", "quiet"),)) for one in way.acme]
    yield Layer("EDGE", "Traefik", (*map(place, way.edge), *acme), 15)
    if way.routed:
        # Those with something behind them come last: where rows wrap, the last row is joined to the next layer.
        fronts = {front for _, before, _ in way.behind for front in before}
        order = sorted(way.routed, key=lambda one: one.id in fronts)
        yield Layer("ROUTED", "by labels", tuple(map(place, order)), 15)
    if way.behind:
        yield Layer("BEHIND", "inner networks", tuple(_behind(world, way, terse)), 15)


def _behind(world: World, way: Way, terse: bool) -> Iterator[Place]:
    routed = {one.id for one in way.routed}
    plain = len({before for _, before, _ in way.behind}) == 1
    for service, before, networks in way.behind:
        more: list[Line] = [((f"via {', '.join(networks)}", "quiet"),)]
        if not plain or not routed & set(before):
            more.append(((f"← {', '.join(_short_name(world.swarm.called.get(one, one)) for one in before)}", ""),))
        grants = _grants_in_a_row(service) if terse else _grants(service)
        yield Place(service.id, _box(world, service, tuple(more), terse), grants)


def _clients(world: World, load: Rate) -> tuple[Line, ...]:
    if not world.load.running:
        idle: Line = (("requests by hand" if load.known else "no requests now", "quiet"),)
        return (idle,)
    asked: Line = ((f"load: {world.load.rate:g}/s asked", ""),)
    named = any(name in world.load.target for name in routed_hosts(world))
    return (asked,) if named else (asked, ((world.load.target, "quiet"),))


def _nodes(world: World, way: Way) -> Layer:
    ports = " ".join(f":{port}" for port in topology.published_ports(way.edge))
    places = tuple(Place(f"node:{node.id}", _node(node)) for node in topology.nodes(world))
    return Layer("NODES", ports, places)


def _node(node: Node) -> Box:
    title: Line = ((f"{node.name}", "head"), (" ★" if node.leader else "", "lab"))
    if node.state != "ready":
        return Box(title, (((f"✘ {node.state}", "bad"),),), "bad", down=True)
    if node.availability != "active":
        return Box(title, (((f"■ {node.availability}", "move"),),), "move")
    if node.reachability == "unreachable":
        return Box(title, ((("✘ unreachable", "bad"),),), "bad")
    return Box(title, ((("● ready", "run"),),))


def _box(world: World, service: Service, more: tuple[Line, ...] = (), terse: bool = False) -> Box:
    found = topology.health(world, service)
    glyph, tone = found.mark
    title: Line = ((f"{glyph} ", tone), (service.name, "name"))
    short: Line = ((f"{glyph} ", tone), (_short_name(service.name), "name"))
    word = " running" if not found.down else " down"
    where: Line = ((f"on {_places(found.nodes)}", "quiet"),) if found.nodes else ()
    body: list[Line] = [((f"{found.running}/{found.desired}{word}", tone),), *([where] if where else [])]
    if terse and where:
        body = [((f"{found.running}/{found.desired} ", tone), *where)]
    state = service.status.state.replace("_", " ")
    if state and state != "completed":
        body.append(((state, "bad" if "paused" in state or "rollback" in state else "move"),))
    return Box(title, (*body, *more), "bad" if found.down else "move" if glyph == "◑" else "", found.down, short)


def _short_name(name: str) -> str:
    """Return a service's name without that of its stack."""
    return name.partition("_")[2] or name


def _places(names: tuple[str, ...]) -> str:
    """Return the names of nodes, with their common beginning only once: `node1, 3, 4`."""
    start = names[0].rstrip("0123456789")
    if start and all(name.startswith(start) and name[len(start) :].isdigit() for name in names):
        return ", ".join((names[0], *(name[len(start) :] for name in names[1:])))
    return ", ".join(names)


def _grants(service: Service) -> tuple[Line, ...]:
    """Return the secrets and configs that a service is granted."""
    given = [("secret", one.source) for one in service.spec.secrets]
    given += [("config", one.source) for one in service.spec.configs]
    shown = given if len(given) <= _GRANTS else given[: _GRANTS - 1]
    found: list[Line] = []
    for number, (what, name) in enumerate(shown):
        joint = "└" if number == len(given) - 1 else "├"
        found.append(((f"{joint} {what} ", "quiet"), (name, "lab" if what == "secret" else "code")))
    if len(shown) < len(given):
        found.append(((f"└ {len(given) - len(shown)} more", "quiet"),))
    return tuple(found)


def _grants_in_a_row(service: Service) -> tuple[Line, ...]:
    """Return the same in one row."""
    given: list[Span] = [(f"◆{one.source}", "lab") for one in service.spec.secrets]
    given += [(f"◇{one.source}", "code") for one in service.spec.configs]
    line = [part for span in given for part in (span, (" ", ""))][:-1]
    return (tuple(line),) if line else ()


def _tone(rate: Rate, broken: bool) -> Tone:
    return "bad" if broken or rate.bad else "run" if rate.rate else "quiet"


def _edges(world: World, way: Way, now: float) -> list[Edge]:
    found: list[Edge] = []
    for node in topology.nodes(world):
        rate, away = topology.to_node(world, node, now), node.state != "ready"
        found.append(Edge("names", f"node:{node.id}", *rate.spans, _tone(rate, away), broken=away))
    total = topology.to_edge(world, now)
    for edge in way.edge:
        away = topology.health(world, edge).down
        sides = total.spans if edge is way.edge[0] else ((), ())
        for node in topology.nodes(world):
            if node.state == "ready":
                found.append(Edge(f"node:{node.id}", edge.id, *sides, _tone(total, away), broken=away))
    for service in way.routed:
        rate, away = topology.to_service(world, service, now), topology.health(world, service).down
        for edge in way.edge:
            found.append(Edge(edge.id, service.id, *rate.spans, _tone(rate, away), broken=away))
    groups: dict[tuple[str, ...], int] = {}
    routed = {one.id for one in way.routed}
    for service, before, _ in way.behind:
        group = groups.setdefault(before, len(groups))
        away = topology.health(world, service).down
        tone: Tone = "bad" if away else "quiet"
        fronts = (front for front in before if front in routed)
        found += [Edge(front, service.id, tone=tone, group=group, broken=away) for front in fronts]
    return found
