"""Traefik's own view: its errors first, then entry points, routers, services with their servers, and middlewares."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.text import count_of
from lab.tui.panes.common import finish, format_duration, heading, pack
from lab.tui.panes.routes.labelled_services import advice, labelled_services, relevant, section
from lab.tui.spans import Line, Span, Tone, fit, width, wrap
from lab.world.traefik_services import owning_service, traefik_services

if TYPE_CHECKING:
    from lab.world.entries import RoutesSeen
    from lab.world.traefik import Balancer, Middleware, Router
    from lab.world.traefik_labels import Mistake
    from lab.world.world import World

HELP = (
    "What Traefik says of itself: where it listens, its routers with their rules, the services they lead to and the "
    "servers behind those, the middlewares on the way. Errors stand first, in Traefik's words, beside the swarm "
    "service whose label made them and what to write instead."
)

_STATUS: dict[str, tuple[str, Tone]] = {"enabled": ("●", "run"), "warning": ("▲", "move"), "disabled": ("✘", "bad")}
_STATES = {
    "none": ("■ no Traefik runs", "It is deployed with stacks/edge.yaml: docker stack deploy --resolve-image never "
             "-c stacks/edge.yaml -c stacks/edge.pebble.yaml edge"),
    "unreachable": ("✘ Traefik's API cannot be reached", "It answers through its own router: look whether its task "
                    "runs, and whether the router of api@internal is right."),
    "refused": ("✘ Traefik's API refuses the password", "The users file is a secret: is it the one that the lab made, "
                "and is it granted to Traefik?"),
    "unreadable": ("✘ Traefik's API answers, but not as it promises", "Something else may stand behind that name; "
                   "these panes read Traefik 3.7."),
}  # fmt: skip


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return the whole view. Where it does not fit in `height` rows, the empty lines between sections are left out."""
    inner = max(room, 30)
    drawn = list(_all(world, inner, now))
    if len(drawn) > height:
        drawn = [line for line in drawn if line]
    return finish(drawn, room)


def _all(world: World, room: int, now: float) -> Iterator[Line]:
    routes = world.edge.routes
    if routes is not None and routes.state == "live":
        yield _head(world, routes, room, now)
        if routes.why:
            yield from wrap([(routes.why, "move")], room, (("  ▲ ", "move"),))
        told: set[Mistake] = set()
        yield from _errors(world, routes, room, told)
        yield from _labels(world, room, frozenset(told))
        yield from _routers(routes, room)
        yield from _balancers(world, routes, room)
        yield from _middlewares(routes, room)
        return
    if routes is None:
        runs = any(world.swarm.running.get(one.id) for one in traefik_services(world))
        yield (("◌ Traefik has not been asked yet", "quiet"),)
        text = "Its answer is waited for." if runs else _STATES["none"][1]
        yield from wrap([(text, "")], room, (("  ", ""),))
    else:
        title, remedy = _STATES[routes.state]
        yield from wrap([(title, "strong" if routes.state == "none" else "bad")], room)
        if routes.why:
            yield from wrap([(routes.why, "why")], room, (("  ", ""),))
        yield from wrap([(remedy, "")], room, (("  ", ""),))
    yield from _labels(world, room)


def _head(world: World, routes: RoutesSeen, room: int, now: float) -> Line:
    routers = [r for r in routes.routers if r.status != "enabled"]
    ill: Span = (
        (f"✘ {count_of(len(routers), 'router')} not enabled", "bad") if routers else ("✔ all routers enabled", "run")
    )
    left: Line = ((f"Traefik {routes.version or '?'}  ", "head"), ill)
    counts = f"{count_of(len(routes.routers), 'router')}, {count_of(len(routes.balancers), 'service')}"
    ago = f"changed {format_duration(max(0.0, now - world.edge.routes_at))} ago"
    right = f"{counts}  {ago}"
    return fit(left, ((right if width(left) + len(right) + 2 <= room else ago, "quiet"),), room)


def _errors(world: World, routes: RoutesSeen, room: int, told: set[Mistake]) -> Iterator[Line]:
    """Yield what has errors, with the service and the label that caused them; add mistakes reported here to `told`."""
    things = (
        *(("router", "routers", r.name, r.protocol, r.errors) for r in routes.routers),
        *(("service", "services", b.name, b.protocol, b.errors) for b in routes.balancers),
        *(("middleware", "middlewares", m.name, m.protocol, m.errors) for m in routes.middlewares),
    )
    wrong = [thing for thing in things if thing[4]]
    if not wrong:
        return
    yield ()
    yield heading("Errors", room, count_of(len(wrong), "thing"))
    about = {one.service.id: one for one in labelled_services(world)}
    for word, kind, name, protocol, errors in wrong:
        yield from wrap([(f"{word} {name}", "bad"), (f"  {protocol}", "quiet")], room, (("✘ ", "bad"),))
        for error in errors:
            yield from wrap([("Traefik: ", "quiet"), (error, "why")], room, (("    ", ""),))
        found = owning_service(world, protocol, kind, name)
        if found is None:
            if name.endswith("@swarm"):
                yield from wrap([("no service in the swarm has a label for it now", "quiet")], room, (("    ", ""),))
            continue
        service, label = found
        yield from wrap([("made by the service ", "quiet"), (service.name, "name")], room, (("    ", ""),))
        if label:
            yield from wrap([(f"{label}: {service.spec.labels.get(label, '')}", "code")], room, (("    ", ""),))
        for mistake in relevant(about[service.id], label) if label and service.id in about else ():
            if mistake not in told:
                yield from advice(mistake, room)
            told.add(mistake)


def _labels(world: World, room: int, told: frozenset[Mistake] = frozenset()) -> Iterator[Line]:
    drawn = list(section(world, room, told))
    if drawn:
        yield ()
        yield heading("Labels", room)
        yield from drawn


def _routers(routes: RoutesSeen, room: int) -> Iterator[Line]:
    points = {point.name: point.address for point in routes.entrypoints}
    points.update(
        {name: "✘ no such entry point" for r in routes.routers for name in r.entrypoints if name not in points}
    )
    for point, address in points.items():
        here = [router for router in routes.routers if point in router.entrypoints]
        yield ()
        yield heading(f"{point} {address}", room, count_of(len(here), "router"))
        if not here:
            yield (("  no router", "quiet"),)
        for router in here:
            yield from _router(router, room)
    everywhere = [router for router in routes.routers if not router.entrypoints]
    if everywhere:
        yield ()
        yield heading("every entry point", room, count_of(len(everywhere), "router"))
        for router in everywhere:
            yield from _router(router, room)


def _router(router: Router, room: int) -> Iterator[Line]:
    glyph, tone = _mark(router.status)
    kind = "" if router.protocol == "http" else f" {router.protocol}"
    state = "" if router.status == "enabled" else f" {router.status}"
    name: Line = ((f"  {glyph} ", tone), (router.name, "name"), (kind, "quiet"), (state, tone))
    rule: Span = (router.rule or "no rule", "code")
    way: list[list[Span]] = [[(f"→ {router.service or '?'}", "strong")]]
    if router.middlewares:
        way.append([("through ", "quiet"), (", ".join(router.middlewares), "")])
    if router.tls:
        way.append(
            [("TLS", "run"), (f" certificate by {router.resolver}" if router.resolver else " no resolver", "quiet")]
        )
    rest = [span for part in way for span in (*part, ("  ", ""))][:-1]
    if width((*name, ("  ", ""), rule, ("  ", ""), *rest)) <= room:
        yield (*name, ("  ", ""), rule, ("  ", ""), *rest)
    elif width((*name, ("  ", ""), rule)) <= room:
        yield (*name, ("  ", ""), rule)
        yield from pack(way, room, (("    ", ""),))
    else:
        yield from wrap(name[1:], room, name[:1])
        yield from wrap([rule], room, (("    ", ""),))
        yield from pack(way, room, (("    ", ""),))


def _mark(status: str) -> tuple[str, Tone]:
    return _STATUS.get(status, ("?", "move"))


def _balancers(world: World, routes: RoutesSeen, room: int) -> Iterator[Line]:
    shown = [one for one in routes.balancers if one.servers or one.status != "enabled" or not _is_internal(one.name)]
    if not shown:
        return
    yield ()
    yield heading("Services", room, "and their servers")
    for one in shown:
        glyph, tone = _mark(one.status)
        kind = "" if one.protocol == "http" else f" {one.protocol}"
        state = "" if one.status == "enabled" else f" {one.status}"
        left: Line = ((f"  {glyph} ", tone), (one.name, "name"), (kind, "quiet"), (state, tone))
        count = _count(world, one)
        if width((*left, ("  ", ""), count)) <= room:
            yield (*left, ("  ", ""), count)
        else:
            yield left
            yield from wrap([count], room, (("    ", ""),))
        yield from pack((_server(url, status) for url, status in one.servers), room, (("    ", ""),))


def _is_internal(name: str) -> bool:
    return name.endswith("@internal")


def _server(url: str, status: str) -> Line:
    up = status.upper() == "UP"
    return ("● " if up else "✘ ", "run" if up else "bad"), (url, ""), (f" {status or '?'}", "quiet" if up else "bad")


def _count(world: World, one: Balancer) -> Span:
    """Return its servers against the running tasks of the swarm's service; of the tasks, only the number is known."""
    servers = len(one.servers)
    found = owning_service(world, one.protocol, "services", one.name)
    if found is None:
        return count_of(servers, "server"), "quiet"
    service = found[0]
    tasks = world.swarm.running.get(service.id, 0)
    if servers == tasks:
        return f"✔ {count_of(servers, 'server')}, and {count_of(tasks, 'task')} of {service.name} run", "run"
    return f"▲ {count_of(servers, 'server')}, but {count_of(tasks, 'task')} of {service.name} run", "move"


def _middlewares(routes: RoutesSeen, room: int) -> Iterator[Line]:
    if not routes.middlewares:
        return
    yield ()
    yield heading("Middlewares", room)
    yield from pack((_middleware(one) for one in routes.middlewares), room, (("  ", ""),), gap=3)


def _middleware(one: Middleware) -> Line:
    glyph, tone = _mark(one.status)
    state = "" if one.status == "enabled" else f" {one.status}"
    return (f"{glyph} ", tone), (one.name, "name"), (f" {one.type or '?'}", "quiet"), (state, tone)
