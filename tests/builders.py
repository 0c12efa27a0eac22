"""Values that many tests build: nodes, services, tasks, a first look at a swarm, worlds, lessons, and a known tale."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lab.lesson.model import Lesson
from lab.world.entries import (
    ActDone,
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    EngineEvent,
    Entry,
    Fact,
    Hit,
    LessonOpened,
    ManagerLink,
    Printed,
    StepMoved,
    SwarmChanged,
)
from lab.world.swarm import STATES, Node, Port, Service, ServiceSpec, Task
from lab.world.world import World, fold

NODES = tuple(
    Node(
        f"n{i}",
        f"node{i}",
        "manager" if i < 4 else "worker",
        "ready",
        leader=i == 1,
        reachability="reachable" * (i < 4),
    )
    for i in range(1, 5)
)


def service(name: str = "web", desired: int = 3, **spec: object) -> Service:
    """A replicated service called `name`, with id `s-NAME`."""
    made = ServiceSpec("nginx:1.26", replicas=desired, ports=(Port(8080, 80),), **spec)  # type: ignore[arg-type]
    return Service(f"s-{name}", name, made, desired)


def task(
    slot: int, attempt: int = 1, *, on: str = "", state: str = "running", name: str = "web", **more: object
) -> Task:
    """An attempt at a slot; it was made `attempt * 100` seconds into the manager's time, and changed a second later."""
    desired = "running" if state in STATES[: STATES.index("complete")] else "shutdown"
    made = Task(
        f"t-{name}.{slot}.{attempt}",
        f"s-{name}",
        slot,
        on or f"n{slot}",
        state,
        desired,
        attempt * 100.0,
        attempt * 100 + 1,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def first_look(*services: Service, tasks: Sequence[Task] = ()) -> SwarmChanged:
    """All four nodes and these."""
    return SwarmChanged("node1", NODES, services, tuple(tasks), first=True)


def saw(world: World, *facts: Fact) -> World:
    """The world after these facts, a second apart."""
    for fact in facts:
        world = fold(world, Entry(world.at + 1, fact))
    return world


def lesson_of(*steps: dict[str, Any], **more: Any) -> Lesson:
    """A lesson `one` of these steps, as in its file."""
    data = {"id": "one", "title": "One", "topics": ["t"], "minutes": 1, "about": "It.", "steps": list(steps), **more}
    return Lesson.model_validate_json(json.dumps(data))


def crash() -> tuple[Entry, ...]:
    """A lesson of one step: `web` runs three replicas, one is killed, the manager replaces it on another node."""
    dead = task(3, state="failed", desired="shutdown", exit=137, error="task: non-zero exit (137)", changed=131.0)
    heir = task(3, 2, on="n4", state="assigned", created=131.2, changed=131.2)
    web = service()
    facts: tuple[tuple[float, Fact], ...] = (
        (0.0, LessonOpened("reconciliation")),
        (0.1, ManagerLink("live", "node1")),
        (0.2, first_look(web, tasks=[task(1), task(2), task(3)])),
        (1.0, StepMoved("reconciliation", "crash", "begun")),
        (1.1, Checked("reconciliation", "crash", 0, "a task of web failed", False, "none failed", "before")),
        (1.2, Captured("container", "c0ffee")),
        (1.3, Printed("node3", "\x1b[1;36mnode3\x1b[0m $ docker kill c0ffee\r\n")),
        (1.4, CommandBegan(1, "node3", "docker kill c0ffee", "crash")),
        (1.8, Printed("node3", "c0ffee\r\n")),
        (1.8, CommandEnded(1, 0, 0.41, "c0ffee")),
        (1.9, EngineEvent("node3", "container", "die", "c0ffee", "web.3", 130.9, "t-web.3.1", 137)),
        (2.0, SwarmChanged("node1", tasks=(dead, heir))),
        (2.1, Hit("node1", 8080, "/", 200, "web.1", 12.5)),
        (2.2, Hit("node4", 8080, "/", 0, "", 5000.0, error="timed out")),
        (3.5, SwarmChanged("node1", tasks=(replace(heir, state="running", changed=133.0),))),
        (3.6, Checked("reconciliation", "crash", 0, "a task of web failed", True, "web.3 with exit 137")),
        (3.7, StepMoved("reconciliation", "crash", "passed")),
        (3.8, ActDone("the lab powered node4 off", "node4")),
    )
    return tuple(Entry(at, fact) for at, fact in facts)
