"""A world as a plan leaves it: what the tests of plans share."""

from __future__ import annotations

from dataclasses import replace

from lab import paths
from lab.compose import read
from lab.compose.to_spec import service_specs
from lab.engine.labels import LABEL, NAMESPACE
from lab.reset.actions import (
    Action,
    CreateObject,
    CreateService,
    DeployStack,
    ForgetNode,
    LeaveSwarm,
    RemoveObject,
    RemoveService,
    RemoveVolume,
    SetNode,
    StartNode,
    StopNode,
    UpdateService,
)
from lab.reset.compare import IN_PLACE, changed_fields
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Node, Service, ServiceSpec, SwarmObject, Task
from lab.world.world import World, fold

NODES = ("node1", "node2", "node3", "node4")


def world_of(
    nodes: list[Node], services: list[Service], named: list[SwarmObject], tasks: list[Task] | None = None
) -> World:
    """A world as a first look makes it."""
    fact = SwarmChanged("node1", tuple(nodes), tuple(services), tuple(tasks or ()), tuple(named), first=True)
    return fold(World(), Entry(0.0, fact))


def spread(service: Service, nodes: tuple[str, ...] = NODES) -> list[Task]:
    """Running tasks of a service, over the nodes in turn."""
    return [
        Task(f"{service.id}.{n}", service.id, n, f"id-{nodes[(n - 1) % len(nodes)]}", "running", "running", 1.0, 2.0)
        for n in range(1, service.desired + 1)
    ]


def made(spec: ServiceSpec, id: str, name: str) -> Service:
    return Service(id, name, spec, spec.replicas)


def apply_to(world: World, actions: tuple[Action, ...]) -> World:
    """What a faithful engine makes of the actions; raises when their order does not work."""
    nodes, services, named = dict(world.swarm.nodes), dict(world.swarm.services), dict(world.swarm.objects)
    for number, action in enumerate(actions):
        uses = {("secret", g.source) for s in services.values() for g in s.spec.secrets}
        there = {n.name for n in named.values()}
        match action:
            case StartNode() | StopNode():
                state = "ready" if isinstance(action, StartNode) else "down"
                found = next((n for n in nodes.values() if n.name == action.name), None)
                id = found.id if found else f"new-{action.name}"
                nodes[id] = replace(found, state=state) if found else Node(id, action.name, "worker", state)
            case SetNode():
                labels = dict(action.labels)
                old = next(n for n in nodes.values() if action.id in (n.id, n.name))
                role = action.role or old.role
                nodes[old.id] = replace(old, availability=action.availability, role=role, labels=labels)
            case LeaveSwarm():
                del nodes[action.id]
            case ForgetNode():
                assert nodes.pop(action.id).state != "ready"
            case RemoveService():
                del services[action.id]
            case UpdateService():
                old_service = services[action.id]
                new = replace(old_service, spec=action.spec, desired=action.spec.replicas)
                services[action.id] = new
            case CreateService():
                assert action.name not in {s.name for s in services.values()}
                assert {g.source for g in (*action.spec.secrets, *action.spec.configs)} <= there
                assert set(action.spec.networks) <= there
                id = f"made-{number}"
                services[id] = made(
                    replace(action.spec, labels={**action.spec.labels, LABEL: "service"}), id, action.name
                )
            case RemoveObject():
                assert (action.what, action.name) not in uses
                del named[action.id]
            case RemoveVolume():
                assert not any(action.name in s.spec.volumes for s in services.values())
            case DeployStack():
                deploy(action, services, named)
            case CreateObject():
                id = f"made-{number}"
                what = next(w for w in ("secret", "config", "network") if w == action.what)
                named[id] = SwarmObject(what, id, action.name, {LABEL: action.what})
    ready = tuple(n.name for n in nodes.values() if n.state == "ready")
    tasks = [t for s in services.values() if ready for t in spread(s, tuple(sorted(ready)))]
    return world_of(list(nodes.values()), list(services.values()), list(named.values()), tasks)


def deploy(action: DeployStack, services: dict[str, Service], named: dict[str, SwarmObject]) -> None:
    """What a deploy makes; a service that is there may only differ in what does not replace its tasks."""
    file = read.read_stack(*(paths.stacks() / name for name in action.files))
    expected = service_specs(file, action.name, action.env)
    there = {(n.what, n.name) for n in named.values()}
    assert expected.needs <= there
    for kind, new in sorted(expected.makes - there):
        what = next(w for w in ("secret", "config", "network") if w == kind)
        named[f"{kind}-{new}"] = SwarmObject(what, f"{kind}-{new}", new, {NAMESPACE: action.name})
    for full, spec in expected.services.items():
        old = next((s for s in services.values() if s.name == full), None)
        if old is not None:
            assert set(changed_fields(spec, services.pop(old.id).spec, {})) <= IN_PLACE
        labels = {**spec.labels, NAMESPACE: action.name}
        services[f"s-{full}"] = made(replace(spec, labels=labels), f"s-{full}", full)


def whole(*services: Service, named: tuple[SwarmObject, ...] = (), on: tuple[str, ...] = NODES) -> World:
    nodes = [Node(f"id-{n}", n, "worker" if n == "node4" else "manager", "ready") for n in NODES]
    return world_of(nodes, list(services), list(named), [t for s in services for t in spread(s, on)])
