"""The swarm as known: an immutable value, folded from polls of it and from the engines' events.

The cost of a fold depends on what changed, not on what exists: maps are persistent (`immutables.Map`), histories are
bounded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from immutables import Map, MapMutation

from lab.world import jobs
from lab.world.entries import EngineEvent, SwarmChanged
from lab.world.swarm import ENDED, WANTED, Node, Service, SwarmObject, Task
from lab.world.traefik_labels import Declared, parse_labels

KEEP_EVENTS = 200
"""Engine events."""

KEEP_ATTEMPTS = 6
"""Tasks of one slot, the newest first."""

Slot = tuple[str, str]
"""A service's id and `Task.key`."""


@dataclass(frozen=True, slots=True)
class Swarm:
    """Everything known about the swarm's objects, by id.

    `declared` is what each service's labels declare for Traefik. `called` has the name of every service that ever
    existed: its tasks outlive it for some seconds. `died` has, per task, when an engine reported its container's death,
    which is earlier than the managers report it. `attempts` has, per slot, the ids of its tasks, newest first;
    `running` counts, per service, the tasks that run and should; `slots` has, per service, the keys of its slots.
    """

    nodes: Map[str, Node] = Map()
    services: Map[str, Service] = Map()
    declared: Map[str, Declared] = Map()
    tasks: Map[str, Task] = Map()
    objects: Map[str, SwarmObject] = Map()
    attempts: Map[Slot, tuple[str, ...]] = Map()
    slots: Map[str, Map[str, None]] = Map()
    running: Map[str, int] = Map()
    called: Map[str, str] = Map()
    died: Map[str, float] = Map()
    events: tuple[tuple[float, EngineEvent], ...] = ()

    def service(self, name: str) -> Service | None:
        """Return the service of that name."""
        return next((s for s in self.services.values() if s.name == name), None)

    def node(self, name: str) -> Node | None:
        """Return the node of that name; if several have it (a node that left and came back), one that is ready."""
        found = [n for n in self.nodes.values() if n.name == name]
        return next((n for n in found if n.state == "ready"), found[0] if found else None)

    def node_name(self, node: str) -> str:
        """Return a node's name from its id, or the start of the id if the node is not known."""
        known = self.nodes.get(node)
        return known.name if known else node[:12]

    def tasks_of(self, service: str) -> tuple[Task, ...]:
        """Return the known tasks of a service (by id), by slot and newest first."""
        keys = sorted(self.slots.get(service, Map()), key=lambda key: (len(key), key))
        return tuple(self.tasks[t] for key in keys for t in self.attempts.get((service, key), ()))

    def live_tasks(self, service: str) -> tuple[Task, ...]:
        """Return the tasks of a service that run and should."""
        return tuple(t for t in self.tasks_of(service) if t.live)

    def task_name(self, task: Task) -> str:
        """Return a task's name as `docker service ps` shows it, without the id: `web.3`, or `web.node2` for a global
        service."""
        name = self.called.get(task.service, task.service[:12])
        return f"{name}.{task.slot or self.node_name(task.node) or '?'}"

    @property
    def converged(self) -> bool:
        """Whether every service has exactly the tasks it should have, and every job is done."""
        return all(jobs.is_settled(self, s) for s in self.services.values())


Dirty = set[Slot | str]
"""The slots, nodes ("node:ID") and services ("service:ID") that an entry touched: what a pane must redraw."""


def absent_ids(swarm: Swarm, fact: SwarmChanged) -> tuple[str, ...]:
    """Return the ids that are known but gone: a first poll names everything that exists."""
    if not fact.first:
        return ()
    here = {thing.id for group in (fact.nodes, fact.services, fact.tasks, fact.named) for thing in group}
    known = (*swarm.nodes, *swarm.services, *swarm.tasks, *swarm.objects)
    return tuple(id for id in known if id not in here)


def fold_look(swarm: Swarm, fact: SwarmChanged) -> tuple[Swarm, Dirty]:
    """Return the swarm after one poll of it, and what that touched. What a first poll does not name is not removed
    here: see `absent_ids`."""
    dirty: Dirty = set()
    nodes, services, named = swarm.nodes.mutate(), swarm.services.mutate(), swarm.objects.mutate()
    called, declared = swarm.called.mutate(), swarm.declared.mutate()
    for node in fact.nodes:
        nodes[node.id] = node
        dirty.add(f"node:{node.id}")
    for service in fact.services:
        services[service.id] = service
        declared[service.id] = parse_labels(service.spec.labels)
        called[service.id] = service.name
        dirty.add(f"service:{service.id}")
    for thing in fact.named:
        named[thing.id] = thing
    for gone in fact.gone:
        for index, word in ((nodes, "node"), (services, "service"), (named, "named")):
            if gone in index:
                del index[gone]
                dirty.add(f"{word}:{gone}")
        declared.pop(gone, None)
    swarm = replace(
        swarm,
        nodes=nodes.finish(),
        services=services.finish(),
        declared=declared.finish(),
        objects=named.finish(),
        called=called.finish(),
    )
    return _fold_tasks(swarm, fact.tasks, fact.gone, dirty), dirty


def fold_event(swarm: Swarm, at: float, fact: EngineEvent) -> tuple[Swarm, Task | None]:
    """Return the swarm after an engine's event, and the task whose container died, if that is news: an engine reports a
    death at once, and the managers report the task later."""
    swarm = replace(swarm, events=(*swarm.events, (at, fact))[-KEEP_EVENTS:])
    task = swarm.tasks.get(fact.task)
    if fact.action != "die" or task is None or task.desired not in WANTED or task.state in ENDED:
        return swarm, None
    if fact.exit == 0 and jobs.may_end(swarm, task):
        return swarm, None
    return replace(swarm, died=swarm.died.set(task.id, at)), task


def _fold_tasks(swarm: Swarm, changed: tuple[Task, ...], gone: tuple[str, ...], dirty: Dirty) -> Swarm:
    tasks, attempts = swarm.tasks.mutate(), swarm.attempts.mutate()
    slots, running, died = swarm.slots.mutate(), swarm.running.mutate(), swarm.died.mutate()

    def drop(task: Task) -> None:
        slot = (task.service, task.key)
        rest = tuple(t for t in attempts.get(slot, ()) if t != task.id)
        dirty.update((slot, f"service:{task.service}"))
        _count(running, task, -1)
        if rest:
            attempts[slot] = rest
        elif slot in attempts:
            del attempts[slot]
            left = slots[task.service].delete(task.key)
            if left:
                slots[task.service] = left
            else:
                del slots[task.service]

    for id in gone:
        if id in tasks:
            drop(tasks.pop(id))
            died.pop(id, None)
    for task in changed:
        known = tasks.get(task.id)
        if known is not None and (known.service, known.key) != (task.service, task.key):
            drop(known)
        elif known is not None:
            _count(running, known, -1)
        slot = (task.service, task.key)
        tasks[task.id] = task
        _count(running, task, +1)
        others = {*attempts.get(slot, ()), task.id}
        order = sorted(others, key=lambda t: (tasks[t].created, t), reverse=True)
        for old in order[KEEP_ATTEMPTS:]:
            _count(running, tasks.pop(old), -1)
            died.pop(old, None)
        attempts[slot] = tuple(order[:KEEP_ATTEMPTS])
        slots[task.service] = slots.get(task.service, Map()).set(task.key, None)
        dirty.add(slot)
        dirty.add(f"service:{task.service}")
    return replace(
        swarm,
        tasks=tasks.finish(),
        attempts=attempts.finish(),
        slots=slots.finish(),
        running=running.finish(),
        died=died.finish(),
    )


def _count(running: MapMutation[str, int], task: Task, by: int) -> None:
    if task.live:
        now = running.get(task.service, 0) + by
        if now:
            running[task.service] = now
        else:
            running.pop(task.service, None)
