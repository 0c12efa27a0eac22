"""Tasks in sentences, for the outcomes of checks: `web.3 failed on node2 (exit 137)`."""

from __future__ import annotations

from collections.abc import Iterator

from lab.world.manager_clock import clock_ahead
from lab.world.swarm import BROKEN, ENDED, Service, Task
from lab.world.waiting import Waiting
from lab.world.world import World


def count_tasks(world: World, service: Service, live: int, wanted: int) -> str:
    """Return a sentence such as `2 of 3 tasks of web run; web.3 is preparing on node2`."""
    text = f"{live} of {wanted} tasks of {service.name} run"
    broken = [describe_end(world, t) for t in _newest(world, service) if t.state in BROKEN]
    return "; ".join([text, *describe_coming(world, service), *broken[:3]])


def describe_coming(world: World, service: Service) -> tuple[str, ...]:
    """Describe the first three tasks of a service that are on their way to running."""
    newest = _newest(world, service)
    return tuple(describe_task(world, t) for t in newest if t.state not in ENDED | {"running"})[:3]


def find_waits(world: World, service: Service, why: str) -> tuple[Waiting, ...]:
    """Return the tasks of a service that are on their way and named in a finding, each with the time since which it is
    in its state."""
    coming = [t for t in _newest(world, service) if t.state not in ENDED | {"running"} and _head(world, t) in why]
    ahead = clock_ahead(world) if coming else 0.0
    return tuple(Waiting(_head(world, t), find_entry_time(t) - ahead, t.id) for t in coming)


def find_update(world: World, service: Service, text: str) -> tuple[Waiting, ...]:
    """Return an update that is under way, as `text` says it, with the time since which it is; else nothing."""
    status = service.status
    if status.state not in ("updating", "rollback_started") or not status.started:
        return ()
    return (Waiting(text, status.started - clock_ahead(world), service.id),)


def describe_stopping(world: World, service: Service) -> Iterator[str]:
    """Describe the tasks that still run and should not, on nodes that would report it."""
    for task in world.swarm.tasks_of(service.id):
        node = world.swarm.nodes.get(task.node)
        if task.state == "running" and not task.live and node is not None and node.state == "ready":
            yield f"{world.swarm.task_name(task)} is still stopping on {node.name}"


def describe_replacement(world: World, old: Task, new: Task | None) -> str:
    """Describe a task that has ended or is to end, and the new task in its slot."""
    return f"{describe_end(world, old)}; " + (
        describe_task(world, new) if new else "no new task was made for its slot yet"
    )


def describe_task(world: World, task: Task) -> str:
    """Return a sentence such as `web.3 is preparing on node2`."""
    return _head(world, task) + (f" ({task.error})" if task.error else "")


def describe_end(world: World, task: Task) -> str:
    """Return a sentence such as `web.3 failed on node2 (exit 137)`; for a task not yet ended, that it is to stop."""
    where = f" on {world.swarm.node_name(task.node)}" if task.node else ""
    if task.state not in ENDED:
        return f"{world.swarm.task_name(task)}{where} is to stop"
    verb = {"shutdown": "was shut down", "complete": "is complete", "failed": "failed"}.get(
        task.state, f"was {task.state}"
    )
    code = f" (exit {task.exit})" if task.exit else f" ({task.error})" if task.error else ""
    return f"{world.swarm.task_name(task)} {verb}{where}{code}"


def has_moved(task: Task, since: World) -> bool:
    """Return whether the task entered its state after `since`."""
    old = since.swarm.tasks.get(task.id)
    return old is None or old.state != task.state


def _newest(world: World, service: Service) -> list[Task]:
    """Return the newest task of each slot."""
    tasks = world.swarm.tasks_of(service.id)
    return [t for i, t in enumerate(tasks) if i == 0 or tasks[i - 1].key != t.key]


def _head(world: World, task: Task) -> str:
    at = "to" if task.state == "assigned" else "on"
    where = f" {at} {world.swarm.node_name(task.node)}" if task.node else ""
    return f"{world.swarm.task_name(task)} is {task.state}{where}"


def find_entry_time(task: Task) -> float:
    """Return when a task entered its state, by the managers' clock. The scheduler stamps a task that fits no node anew
    whenever it tries again (SwarmKit, `manager/scheduler/scheduler.go`): until then it has waited since it was made."""
    return task.created if task.state in ("new", "allocated", "pending") else task.changed
