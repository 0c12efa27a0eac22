"""The events: what is done to the cluster, and when it is over."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.errors import InputError
from lab.world.swarm import ENDED, Service, Task
from lab.world.world import World

SERVICE = "app_backend"


@dataclass(frozen=True)
class Start:
    """The service as an event finds it: the ids of its live tasks, and the node whose replica is lost. `loses` is that
    replica's task."""

    live: frozenset[str]
    node: str
    loses: str


@dataclass(frozen=True)
class Event:
    """Something that happens: `run` is the command, with `{node}` for the node that is hit, or `act` the verb of a
    fault of its machine. `lacks` says what the world lacks until it is over, "" for nothing."""

    title: str
    lacks: Callable[[World, Start], str]
    run: str = ""
    act: str = ""


def see_start(world: World, replica: str) -> Start:
    """Return the service as it is now, where `replica` (a container's id, or the beginning of it) is the one to lose.
    Raises InputError when no live task has that container."""
    live = _live(world)
    hit = next((task for task in live if replica and task.container.startswith(replica)), None)
    if hit is None:
        raise InputError(f"no task of {SERVICE} is known by the container {replica or 'without a name'}")
    return Start(frozenset(task.id for task in live), world.swarm.node_name(hit.node), hit.id)


def _service(world: World) -> Service | None:
    return world.swarm.service(SERVICE)


def _live(world: World) -> tuple[Task, ...]:
    service = _service(world)
    return () if service is None else world.swarm.live_tasks(service.id)


def _updated(world: World, start: Start) -> str:
    service = _service(world)
    if service is None or service.status.state != "completed":
        return f"the update is {service.status.state.replace('_', ' ') or 'not begun' if service else 'of no service'}"
    if old := sum(task.id in start.live for task in _live(world)):
        return f"{old} of the old tasks still run"
    return _whole(world)


def _replaced(world: World, start: Start) -> str:
    if any(task.id == start.loses for task in _live(world)):
        return f"the task on {start.node} is still taken to run"
    return _whole(world)


def _drained(world: World, start: Start) -> str:
    node = world.swarm.node(start.node)
    if node is None or node.availability != "drain":
        return f"{start.node} is not drained"
    return _replaced(world, start)


def _down(world: World, start: Start) -> str:
    node = world.swarm.node(start.node)
    if node is None or node.state != "down":
        return f"{start.node} is still taken to be {node.state if node else 'there'}"
    return _replaced(world, start)


def _whole(world: World) -> str:
    """Return what the service lacks to be whole and at rest."""
    service, live = _service(world), _live(world)
    if service is None or len(live) != service.desired:
        return f"{len(live)} of {service.desired if service else 0} tasks run"
    for task in world.swarm.tasks_of(service.id):
        node = world.swarm.nodes.get(task.node)
        if task.state not in ENDED and not task.live and node is not None and node.state == "ready":
            return f"{world.swarm.task_name(task)} is {task.state} on {node.name}"
    return ""


_IN_IT = f"docker --context {{node}} ps -q --filter label=com.docker.swarm.service.name={SERVICE}"

EVENTS: Mapping[str, Event] = {
    "update": Event(
        "update",
        _updated,
        run=f"docker service update --detach --no-resolve-image --image backend:2 {SERVICE}",
    ),
    "crash": Event("crash", _replaced, run=f"docker --context {{node}} kill $({_IN_IT})"),
    "drain": Event("drain", _drained, run="docker node update --availability drain {node}"),
    "off": Event("node off", _down, act="stop"),
}


def read_event(text: str) -> str:
    """Return an event's name. Raises InputError."""
    if text not in EVENTS:
        raise InputError(f"there is no event {text!r}", remedy=f"there are {', '.join(EVENTS)}")
    return text
