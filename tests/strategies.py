"""Hypothesis strategies for facts and entries."""

from __future__ import annotations

from hypothesis import strategies as st

from lab.world.dns import CACHINGS, AddressRecord, ClientsRow, ClientsSeen, EndpointChecked, ZoneServed
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
from lab.world.swarm import STATES, Node, Service, ServiceSpec, SwarmObject, Task, UpdateStatus
from lab.world.waiting import Waiting

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
        ZoneServed,
        state=st.sampled_from(["live", "taken", "off"]),
        names=st.lists(names, max_size=3).map(tuple),
        records=st.lists(st.builds(AddressRecord, names, texts), max_size=3).map(tuple),
        ttl=numbers,
        why=texts,
    )
    | st.builds(EndpointChecked, node=names, passed=st.booleans(), status=st.integers(0, 599), ms=numbers, why=texts)
    | st.builds(
        ClientsSeen,
        seconds=numbers,
        rows=st.lists(
            st.builds(
                ClientsRow,
                caching=st.sampled_from(CACHINGS),
                went=st.lists(st.tuples(names, *[st.integers(0, 9)] * 3), max_size=3).map(tuple),
                believe=st.lists(st.tuples(names, st.integers(0, 9)), max_size=3).map(tuple),
                age=numbers,
            ),
            max_size=3,
        ).map(tuple),
    )
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
