"""The services with Traefik labels, beside what Traefik made of them: what it does not know, and known mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.tui.spans import Line, Span, wrap
from lab.world.traefik_labels import Mistake, default_name, find_mistakes, read_enable
from lab.world.traefik_services import labels_of, traefik_services

if TYPE_CHECKING:
    from lab.world.swarm import Service
    from lab.world.world import World


@dataclass(frozen=True)
class Labelled:
    """A service with Traefik labels. `unknown` are the routers it declares that Traefik does not have. `bare`: its
    labels declare no router at all. `why` explains unknown routers when no mistake in a label does."""

    service: Service
    mistakes: tuple[Mistake, ...]
    unknown: tuple[str, ...] = ()
    bare: bool = False
    why: str = ""


def labelled_services(world: World) -> tuple[Labelled, ...]:
    """Return every service with a Traefik label, but without `traefik.enable=false`, by name."""
    found = [
        service
        for service in world.swarm.services.values()
        if any(key.lower().startswith("traefik.") for key in service.spec.labels)
        and read_enable(service.spec.labels) is not False
    ]
    return tuple(_judge_service(world, service) for service in sorted(found, key=lambda s: s.name))


def _judge_service(world: World, service: Service) -> Labelled:
    labels, routes = service.spec.labels, world.edge.routes
    live = routes is not None and routes.state == "live"
    points = frozenset(point.name for point in routes.entrypoints) if routes and live else None
    wrong = find_mistakes(labels, points or None, _middlewares(world))
    asked = {(p, name) for p, kind, name in labels_of(world, service).things if kind == "routers"}
    there = {(r.protocol, r.name) for r in routes.routers} if routes and live else set()
    unknown = sorted(name for protocol, name in asked if live and (protocol, f"{name}@swarm") not in there)
    bare = not asked and bool(read_enable(labels))
    if bare and live and ("http", f"{default_name(service.name)}@swarm") not in there:
        unknown = [default_name(service.name)]
    sure = [mistake for mistake in wrong if not mistake.hint]
    why = _reason(world, service) if unknown and not sure else ""
    return Labelled(service, wrong, tuple(unknown), bare, why)


def _middlewares(world: World) -> frozenset[str]:
    """Return the names of the middlewares that any service's labels define."""
    everything = (labels_of(world, service).things for service in world.swarm.services.values())
    return frozenset(name for things in everything for _, kind, name in things if kind == "middlewares")


def _reason(world: World, service: Service) -> str:
    """Return why Traefik may ignore labels that are right."""
    if read_enable(service.spec.labels) is None:
        return 'where Traefik runs with exposedbydefault=false a service has to say traefik.enable: "true"'
    if not world.swarm.running.get(service.id):
        return "no task of it runs, and Traefik routes to tasks"
    common = {network for one in traefik_services(world) for network in one.spec.networks}
    if common and not common & set(service.spec.networks):
        return "it is on no network that Traefik is on: give it one in the stack file"
    return "Traefik looks every few seconds; if it stays so, its log says why: docker service logs"


def relevant(one: Labelled, label: str) -> tuple[Mistake, ...]:
    """Return the mistakes in the labels of the same router, service or middleware as `label`."""
    start = ".".join(label.split(".")[:4]) + "."
    return tuple(mistake for mistake in one.mistakes if mistake.label.startswith(start))


def advice(mistake: Mistake, room: int, indent: int = 4) -> Iterator[Line]:
    """Yield a mistake: the label, what is wrong, and what to write."""
    glyph: Span = ("? ", "move") if mistake.hint else ("✘ ", "bad")
    lead: Line = ((" " * indent, ""), glyph)
    said: Span = (f": {mistake.wrong}", "" if mistake.hint else "why")
    yield from wrap([(mistake.label, "code"), said], room, lead)
    yield from wrap([("write ", "strong"), (mistake.write, "code")], room, ((" " * indent, ""),))


def section(world: World, room: int, told: frozenset[Mistake] = frozenset()) -> Iterator[Line]:
    """Yield what there is to say of services' labels; nothing when Traefik knows all of them and none has a mistake.

    `told` are mistakes that were reported already.
    """
    live = world.edge.routes is not None and world.edge.routes.state == "live"
    for one in labelled_services(world):
        left = [mistake for mistake in one.mistakes if mistake not in told]
        if not (left or one.unknown or one.bare):
            continue
        sure = any(not mistake.hint for mistake in left)
        mark: Span = ("✘ ", "bad") if sure or one.unknown else ("? ", "move")
        state = ""
        if one.unknown:
            names = ", ".join(one.unknown)
            state = f"  Traefik does not know its router{'s' if len(one.unknown) > 1 else ''} {names}"
        elif live:
            state = "  Traefik has its routers"
        yield from wrap([(one.service.name, "name"), (state, "why" if one.unknown else "quiet")], room, (mark,))
        if one.bare:
            rule = f"Host(`{default_name(one.service.name)}`)"
            text = f"traefik.enable is there and no router: Traefik takes its default rule, {rule}"
            yield from wrap([(text, "")], room, (("    ", ""),))
        for mistake in left:
            yield from advice(mistake, room)
        if one.why:
            yield from wrap([(one.why, "")], room, (("    ", ""),))
