"""Describes what a block of a stack file has become in the cluster. Pure, and without pydantic, since the app's first
paint must not wait for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab.schema.template import fill
from lab.text import count_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.lesson.model import Became
    from lab.world.swarm import Service
    from lab.world.world import World


def describe_applied(asked: Became, world: World, values: Mapping[str, str]) -> tuple[str, bool]:
    """Return a sentence on the result, and whether it exists at all."""

    def name(text: str | None) -> str:
        return fill(text or "", values)

    if asked.service is not None:
        return _service(name(asked.service), world)
    if asked.router is not None:
        return _router(name(asked.router), world)
    if asked.node_label is not None:
        key, _, value = name(asked.node_label).partition("=")
        nodes = [n.name for n in world.swarm.nodes.values() if n.labels.get(key) == value]
        text = f"label {key}={value} is on {', '.join(sorted(nodes)) or 'no node'}"
        return text, bool(nodes)
    if asked.label is not None:
        return _label(name(asked.label), world.swarm.service(name(asked.of)), name(asked.of))
    if asked.port is not None:
        return _port(asked.port, world.swarm.service(name(asked.of)) if asked.of else None, world)
    for what in ("network", "secret", "config"):
        wanted = getattr(asked, what)
        if wanted is not None:
            return _describe_object(what, name(wanted), world)
    return "", False


def _service(name: str, world: World) -> tuple[str, bool]:
    service = world.swarm.service(name)
    if service is None:
        return f"no service {name} yet", False
    running = world.swarm.running.get(service.id, 0)
    nodes = sorted({world.swarm.node_name(t.node) for t in world.swarm.live_tasks(service.id)})
    where = f" on {', '.join(nodes)}" if nodes else ""
    return f"service {name}: {running} of {count_of(service.desired, 'task')} running{where}", True


def _router(name: str, world: World) -> tuple[str, bool]:
    routers = world.edge.routes.routers if world.edge.routes is not None else ()
    router = next((r for r in routers if r.name.partition("@")[0] == name), None)
    if router is None:
        return f"no router {name} in Traefik yet", False
    where = f" at {', '.join(router.entrypoints)}" if router.entrypoints else ""
    return f"router {router.name}{where}: {router.rule} to {router.service}, {router.status}", True


def _label(label: str, service: Service | None, of: str) -> tuple[str, bool]:
    value = service.spec.labels.get(label) if service is not None else None
    if value is None:
        return f"no label {label} on {of} yet", False
    return f"label of {of}: {label}={value}", True


def _port(port: int, service: Service | None, world: World) -> tuple[str, bool]:
    services = [service] if service is not None else list(world.swarm.services.values())
    for each in services:
        for one in each.spec.ports:
            if one.published == port:
                how = "every node, through the mesh" if one.mode == "ingress" else "the task's own node"
                return f"port {port} of {each.name}: open on {how}, to {one.target} in the container", True
    return f"port {port} is not published yet", False


def _describe_object(what: str, name: str, world: World) -> tuple[str, bool]:
    if not any(n.what == what and n.name == name for n in world.swarm.objects.values()):
        return f"no {what} {name} yet", False
    users = sorted(s.name for s in world.swarm.services.values() if _uses(what, name, s, world))
    return f"{what} {name}: used by {', '.join(users)}" if users else f"{what} {name}: used by nobody", True


def _uses(what: str, name: str, service: Service, world: World) -> bool:
    if what == "network":
        ids = {n.id for n in world.swarm.objects.values() if n.what == "network" and n.name == name}
        return any(network in ids or network == name for network in service.spec.networks)
    return any(g.source == name for g in (service.spec.secrets if what == "secret" else service.spec.configs))
