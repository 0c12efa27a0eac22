"""Worlds for tests: a swarm whose tale is known, and hypothesis strategies for facts and entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import strategies as st

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
    Progressed,
    Restored,
    StepMoved,
    SwarmChanged,
)
from lab.world.swarm import STATES, Node, Port, Service, ServiceSpec, SwarmObject, Task, UpdateStatus
from lab.world.waiting import Waiting

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


texts = st.text(st.characters(codec="utf-8"), max_size=12)
names = st.sampled_from(["web", "db", "node1", "node2", "a", "b"])
maps = st.dictionaries(names, texts, max_size=2)
numbers = st.floats(0, 1e6, allow_nan=False).map(lambda x: round(x, 3))
ids = st.sampled_from([f"id{i}" for i in range(8)])

nodes = st.builds(
    Node,
    id=ids,
    name=names,
    role=st.sampled_from(["manager", "worker"]),
    state=st.sampled_from(["ready", "down"]),
    availability=st.sampled_from(["active", "drain"]),
    leader=st.booleans(),
    reachability=st.sampled_from(["", "reachable", "unreachable"]),
    labels=maps,
)
services = st.builds(
    Service,
    id=ids.map("s{}".format),
    name=names,
    spec=st.builds(ServiceSpec, image=names, replicas=st.integers(0, 5), labels=maps),
    desired=st.integers(0, 5),
    status=st.builds(UpdateStatus, state=st.sampled_from(["", "updating", "rollback_paused"])),
)
tasks = st.builds(
    Task,
    id=ids.map("t{}".format),
    service=ids.map("s{}".format),
    slot=st.integers(0, 4),
    node=st.sampled_from(["", "id1", "id2"]),
    state=st.sampled_from(STATES),
    desired=st.sampled_from(["running", "shutdown", "remove"]),
    created=numbers,
    changed=numbers,
    error=texts,
    exit=st.none() | st.integers(0, 255),
)
named = st.builds(
    SwarmObject, what=st.sampled_from(["secret", "config", "network"]), id=ids.map("x{}".format), name=names
)


def _some(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.lists(strategy, max_size=3, unique_by=lambda thing: getattr(thing, "id", thing)).map(tuple)


gone_ids = ids | ids.map("t{}".format) | ids.map("s{}".format) | ids.map("x{}".format)
swarm_changes = st.builds(
    SwarmChanged,
    by=names,
    nodes=_some(nodes),
    services=_some(services),
    tasks=_some(tasks),
    named=_some(named),
    gone=_some(gone_ids),
    first=st.booleans(),
)
steps = st.builds(StepMoved, lesson=names, step=names, state=st.sampled_from(["begun", "passed", "failed"]), why=texts)
facts: st.SearchStrategy[Fact] = (
    swarm_changes
    | steps
    | st.builds(
        EngineEvent, node=names, type=texts, action=texts, id=ids, at=numbers, exit=st.none() | st.integers(0, 255)
    )
    | st.builds(ManagerLink, state=st.sampled_from(["live", "stale", "none"]), node=names, why=texts)
    | st.builds(Progressed, stage=texts, text=texts, done=st.none() | st.floats(0, 1))
    | st.builds(LessonOpened, lesson=names)
    | st.builds(
        Checked,
        lesson=names,
        step=names,
        check=st.integers(0, 3),
        text=texts,
        ok=st.booleans(),
        why=texts,
        waits=st.lists(st.builds(Waiting, texts, st.floats(-1e6, 1e6), ids), max_size=2).map(tuple),
    )
    | st.builds(Captured, name=names, value=texts)
    | st.builds(CommandBegan, id=st.integers(1, 5), node=names, text=texts, step=names)
    | st.builds(Printed, node=names, text=texts)
    | st.builds(CommandEnded, id=st.integers(1, 5), status=st.integers(0, 255), seconds=numbers, output=texts)
    | st.builds(ActDone, action=texts, node=names)
    | st.builds(Restored, snapshot=names)
    | st.builds(
        Hit,
        node=names,
        port=st.integers(1, 65535),
        path=st.just("/"),
        status=st.sampled_from([0, 200, 502]),
        replica=names,
        ms=numbers,
        error=texts,
    )
)


def in_time(drawn: list[tuple[float, Fact]]) -> tuple[Entry, ...]:
    """Entries in order, their times as a tape keeps them."""
    at, made = 0.0, []
    for gap, fact in drawn:
        at = round(at + gap, 3)
        made.append(Entry(at, fact))
    return tuple(made)


entries = st.lists(st.tuples(st.floats(0, 60), facts), max_size=12).map(in_time)
