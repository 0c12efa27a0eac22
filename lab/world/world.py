"""The world: an immutable value, folded from the journal's entries. Panes, checks and plans are functions of it.

`fold` costs what changed, not what exists: maps are persistent (`immutables.Map`), histories are bounded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from immutables import Map, MapMutation

from lab.world import changes as words
from lab.world import jobs, outside
from lab.world.edge import Traffic
from lab.world.entries import (
    AcmeTold,
    Acted,
    Captured,
    CertificateSeen,
    Checked,
    CommandBegan,
    CommandEnded,
    EngineEvent,
    Entry,
    Hit,
    LessonOpened,
    Linked,
    LoadMoved,
    Printed,
    Progressed,
    RoutesSeen,
    StepMoved,
    SwarmChanged,
    TrafficSeen,
)
from lab.world.load import Load
from lab.world.swarm import ENDED, WANTED, Named, Node, Service, Task

#: How much history a world keeps: lines of the timeline, commands, hits, engine events, attempts of one slot.
KEEP_CHANGES, KEEP_COMMANDS, KEEP_HITS, KEEP_EVENTS, KEEP_ATTEMPTS = 400, 50, 2000, 200, 6
KEEP_ACME = 60

Slot = tuple[str, str]
"""A service's id and `Task.key`."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the timeline. `tone`: good | bad | plain | lab (the lab or its user did it)."""

    at: float
    text: str
    tone: Literal["good", "bad", "plain", "lab"] = "plain"
    service: str = ""
    task: str = ""
    node: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """A command from its start: `status` and `seconds` are None while it runs."""

    id: int
    at: float
    node: str
    text: str
    step: str
    status: int | None = None
    seconds: float | None = None
    output: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """Where a step stands: begun | passed | failed, since when it began and when it ended."""

    state: str
    began: float
    ended: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's last evaluation."""

    at: float
    text: str
    ok: bool
    why: str
    phase: str


@dataclass(frozen=True, slots=True)
class World:
    """All that is known at `at` (seconds since the journal began).

    `called` has the name of every service that ever was, by id: its tasks outlive it for some seconds.
    `died` says, per task, when an engine told of its container's death: earlier than the managers' word for it.
    `attempts` holds, per slot, the ids of its tasks, newest first; `running` counts, per service, the tasks that
    run and should; `slots` are, per service, the keys of its slots; `dirty` are the slots, nodes ("node:ID") and
    services ("service:ID") that the last entry touched: what a pane must draw anew.
    `certificates` has the last handshake by host and node, with its time, `issued` when each host was first seen with a
    certificate that somebody issued, and with each that came after it; `traffic` the last counts of each of
    Traefik's services and entry points, with their times, oldest first.
    """

    at: float = 0.0
    count: int = 0
    link: Linked = Linked("none")
    linked_at: float = 0.0
    progress: Progressed | None = None
    nodes: Map[str, Node] = Map()
    services: Map[str, Service] = Map()
    tasks: Map[str, Task] = Map()
    named: Map[str, Named] = Map()
    attempts: Map[Slot, tuple[str, ...]] = Map()
    slots: Map[str, Map[str, None]] = Map()
    running: Map[str, int] = Map()
    changes: tuple[Change, ...] = ()
    events: tuple[tuple[float, EngineEvent], ...] = ()
    commands: tuple[Command, ...] = ()
    hits: tuple[tuple[float, Hit], ...] = ()
    lesson: str = ""
    step: str = ""
    steps: Map[tuple[str, str], Step] = Map()
    verdicts: Map[tuple[str, str, int], Verdict] = Map()
    captured: Map[str, str] = Map()
    died: Map[str, float] = Map()
    called: Map[str, str] = Map()
    load: Load = Load()
    certificates: Map[tuple[str, str], tuple[float, CertificateSeen]] = Map()
    issued: Map[str, tuple[tuple[float, str], ...]] = Map()
    acme: tuple[tuple[float, AcmeTold], ...] = ()
    routes: RoutesSeen | None = None
    routes_at: float = 0.0
    traffic: Map[str, tuple[tuple[float, Traffic], ...]] = Map()
    dirty: frozenset[Slot | str] = frozenset()

    def service(self, name: str) -> Service | None:
        """The service of that name."""
        return next((s for s in self.services.values() if s.name == name), None)

    def node(self, name: str) -> Node | None:
        """The node of that name; where a name stands twice (a node that left and came back), one that is ready."""
        found = [n for n in self.nodes.values() if n.name == name]
        return next((n for n in found if n.state == "ready"), found[0] if found else None)

    def node_name(self, node: str) -> str:
        """A node's name from its id; the id's start when the node is not known."""
        known = self.nodes.get(node)
        return known.name if known else node[:12]

    def tasks_of(self, service: str) -> tuple[Task, ...]:
        """The known tasks of a service (by id), by slot and newest first."""
        keys = sorted(self.slots.get(service, Map()), key=lambda key: (len(key), key))
        return tuple(self.tasks[t] for key in keys for t in self.attempts.get((service, key), ()))

    def live_tasks(self, service: str) -> tuple[Task, ...]:
        """The tasks of a service that run and should."""
        return tuple(t for t in self.tasks_of(service) if t.live)

    def task_name(self, task: Task) -> str:
        """`web.3`, or for a global service `web.node2`: what `docker service ps` calls it, without the id."""
        name = self.called.get(task.service, task.service[:12])
        return f"{name}.{task.slot or self.node_name(task.node) or '?'}"

    @property
    def converged(self) -> bool:
        """Every service has exactly the tasks it should have, and every job is done."""
        return all(jobs.settled(self, s) for s in self.services.values())


def fold(world: World, entry: Entry) -> World:
    """The world after one more entry. Deterministic; does not look at a clock."""
    at, fact = entry.at, entry.fact
    base = replace(world, at=max(at, world.at), count=world.count + 1, dirty=frozenset())
    match fact:
        case SwarmChanged():
            return _swarm(base, fact)
        case Linked():
            return replace(base, link=fact, linked_at=at)
        case EngineEvent():
            return _event(base, at, fact)
        case Progressed():
            return replace(base, progress=fact)
        case LessonOpened():
            return replace(base, lesson=fact.lesson, step="", steps=Map(), verdicts=Map(), captured=Map())
        case StepMoved():
            return _step(base, at, fact)
        case Checked():
            verdict = Verdict(at, fact.text, fact.ok, fact.why, fact.phase)
            return replace(base, verdicts=base.verdicts.set((fact.lesson, fact.step, fact.check), verdict))
        case Captured():
            return replace(base, captured=base.captured.set(fact.name, fact.value))
        case CommandBegan():
            command = Command(fact.id, at, fact.node, fact.text, fact.step)
            line = Change(at, f"$ {fact.text}", "lab", node=fact.node)
            return replace(_tell(base, line), commands=(*base.commands, command)[-KEEP_COMMANDS:])
        case CommandEnded():
            return replace(base, commands=tuple(_end(c, fact) for c in base.commands))
        case Acted():
            return _tell(base, Change(at, fact.action, "lab", node=fact.node))
        case Hit():
            return replace(base, hits=(*base.hits, (at, fact))[-KEEP_HITS:])
        case LoadMoved():
            load, news = outside.loaded(base.load, at, fact)
            return replace(_tell(base, *(Change(at, *line) for line in news)), load=load)
        case CertificateSeen():
            certificates, issued, news = outside.served(base.certificates, base.issued, at, fact)
            base = _tell(base, *(Change(at, *line) for line in news))
            return replace(base, certificates=certificates, issued=issued)
        case AcmeTold():
            lines = tuple(Change(at, *line) for line in words.acme_in_words(base.acme, fact))
            return replace(_tell(base, *lines), acme=(*base.acme, (at, fact))[-KEEP_ACME:])
        case RoutesSeen():
            lines = tuple(Change(at, *line) for line in words.routes_in_words(base.routes, fact))
            return replace(_tell(base, *lines), routes=fact, routes_at=at)
        case TrafficSeen():
            return replace(base, traffic=outside.counted(base.traffic, at, fact))
        case Printed():
            return base


def fold_all(entries: Iterable[Entry], world: World | None = None) -> World:
    """The world after all entries."""
    now = world or World()
    for entry in entries:
        now = fold(now, entry)
    return now


def _tell(world: World, *lines: Change) -> World:
    return replace(world, changes=(*world.changes, *lines)[-KEEP_CHANGES:])


def _end(command: Command, fact: CommandEnded) -> Command:
    if command.id != fact.id:
        return command
    return replace(command, status=fact.status, seconds=fact.seconds, output=fact.output)


def _event(world: World, at: float, fact: EngineEvent) -> World:
    """An engine tells a container's death at once; the managers' own word for the task follows."""
    world = replace(world, events=(*world.events, (at, fact))[-KEEP_EVENTS:])
    task = world.tasks.get(fact.task)
    if fact.action != "die" or task is None or task.desired not in WANTED or task.state in ENDED:
        return world
    if fact.exit == 0 and jobs.may_end(world, task):
        return world
    code = "" if fact.exit is None else f" (exit {fact.exit})"
    text = f"{world.task_name(task)}: its container died on {world.node_name(task.node)}{code}"
    line = Change(at, text, "bad", task.service, task.id, task.node)
    return replace(_tell(world, line), dirty=frozenset({(task.service, task.key)}), died=world.died.set(task.id, at))


def _step(world: World, at: float, fact: StepMoved) -> World:
    key = (fact.lesson, fact.step)
    if fact.state == "begun":
        step = Step("begun", at)
    else:
        step = Step(fact.state, world.steps[key].began if key in world.steps else at, at, fact.why)
    return replace(world, step=fact.step, steps=world.steps.set(key, step))


def _swarm(world: World, fact: SwarmChanged) -> World:
    before = world
    if fact.first:
        world = _forget_absent(world, fact)
    nodes, services, named = world.nodes.mutate(), world.services.mutate(), world.named.mutate()
    dirty: set[Slot | str] = set(world.dirty)
    for node in fact.nodes:
        nodes[node.id] = node
        dirty.add(f"node:{node.id}")
    called = world.called.mutate()
    for service in fact.services:
        services[service.id] = service
        called[service.id] = service.name
        dirty.add(f"service:{service.id}")
    for thing in fact.named:
        named[thing.id] = thing
    for gone in fact.gone:
        for index, word in ((nodes, "node"), (services, "service"), (named, "named")):
            if gone in index:
                del index[gone]
                dirty.add(f"{word}:{gone}")
    world = replace(
        world, nodes=nodes.finish(), services=services.finish(), named=named.finish(), called=called.finish()
    )
    world = _tasks(world, fact.tasks, fact.gone, dirty)
    lines = tuple(Change(world.at, *line) for line in words.in_words(before, world, fact))
    return _tell(replace(world, dirty=frozenset(dirty)), *lines)


def _forget_absent(world: World, fact: SwarmChanged) -> World:
    """A first look names all that exists: what it does not name is gone."""
    here = {thing.id for group in (fact.nodes, fact.services, fact.tasks, fact.named) for thing in group}
    known = (*world.nodes, *world.services, *world.tasks, *world.named)
    absent = tuple(id for id in known if id not in here)
    return _swarm(world, SwarmChanged(by=fact.by, gone=absent)) if absent else world


def _tasks(world: World, changed: tuple[Task, ...], gone: tuple[str, ...], dirty: set[Slot | str]) -> World:
    tasks, attempts = world.tasks.mutate(), world.attempts.mutate()
    slots, running, died = world.slots.mutate(), world.running.mutate(), world.died.mutate()

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
        world,
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
