"""An engine that answers anything: the source goes on, says what it could not read, and shows all the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest

from lab.engine import decode
from lab.engine.endpoint import Endpoint
from lab.engine.raw import read_object
from lab.errors import EngineError
from lab.watch.events import EventStream
from lab.watch.swarm import SwarmSource
from lab.watch.swarm_diff import WHOLE, Versions, poll_swarm
from lab.world.entries import EngineEvent, Entry, SwarmChanged
from lab.world.journal import Journal
from lab.world.world import World, fold
from tests.doubles.engine import FakeEngine, InstantSwarm, Raw, fake_cluster

BOUND = 60.0
HUGE = 10**400


def connect(endpoint: Endpoint, timeout: float) -> docker.DockerClient:
    return docker.DockerClient(base_url=endpoint.url, version="1.44", timeout=int(timeout))


@pytest.fixture
def cluster() -> Iterator[tuple[InstantSwarm, FakeEngine]]:
    with fake_cluster(1) as (swarm, engines):
        swarm.create("web", 2)
        yield swarm, engines[0]


class Api:
    """What docker's low-level client gives, from values."""

    def __init__(self, swarm: InstantSwarm) -> None:
        self.swarm = swarm

    def nodes(self) -> Any:
        return [*self.swarm.nodes.values()]

    def services(self, status: bool) -> Any:
        return [*self.swarm.services.values()]

    def tasks(self) -> Any:
        return [*self.swarm.tasks.values()]

    def secrets(self) -> Any:
        return [*self.swarm.named["secrets"].values()]

    def configs(self) -> Any:
        return None

    def networks(self, filters: object) -> Any:
        return []


def seen_by(swarm: InstantSwarm) -> tuple[World, Versions]:
    fact, seen = poll_swarm(Api(swarm), "node1", Versions())
    assert fact is not None
    return fold(World(), Entry(0.0, fact)), seen


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/nodes", b"null"),
        ("/nodes", b"{}"),
        ("/nodes", b'"text"'),
        ("/nodes", b'[{"ID": "x", "Version": {"Index": 1}}]'),
        ("/nodes", nested(100_000)),
        ("/services", b"7"),
        ("/services", b"not JSON"),
        ("/tasks", b'{"message": "no"}'),
        ("/tasks", b"[" + b"9" * 6000 + b"]"),
    ],
)
def test_an_answer_of_another_shape_makes_the_link_stale_and_then_all_is_well_again(
    cluster: tuple[InstantSwarm, FakeEngine], path: str, body: bytes
) -> None:
    _, engine = cluster
    engine.instead[path] = body
    journal = Journal()
    source = SwarmSource(journal, (engine.endpoint,), connect)
    source.start()
    try:
        assert journal.wait(lambda w: w.link.state == "stale", BOUND), journal.world.link
        assert journal.world.link.why.startswith("node1: ")
        engine.instead.clear()
        assert journal.wait(lambda w: w.link.state == "live" and w.swarm.running.get("svc-web") == 2, BOUND), (
            journal.world
        )
        # What was shown as live is shown as stale once the answers are odd again.
        engine.instead[path] = body
        source.wake(named=True)
        assert journal.wait(lambda w: w.link.state == "stale", BOUND), journal.world.link
    finally:
        source.close()


def _set(*path: str, to: Any) -> Callable[[Raw], None]:
    def change(raw: Raw) -> None:
        for part in path[:-1]:
            raw = raw[part]
        raw[path[-1]] = to

    return change


deep: list[Any] = []
for _ in range(20_000):
    deep = [deep]

ODD = {
    "no mode": _set("Spec", "Mode", to={}),
    "a mode that nobody knows": _set("Spec", "Mode", to={"Sideways": {}}),
    "a mode that is a text": _set("Spec", "Mode", to="Replicated"),
    "endless replicas": _set("Spec", "Mode", "Replicated", "Replicas", to=float("inf")),
    "replicas of 400 digits": _set("Spec", "Mode", "Replicated", "Replicas", to=HUGE),
    "replicas in words": _set("Spec", "Mode", "Replicated", "Replicas", to="two"),
    "a name that is a number": _set("Spec", "Name", to=7),
    "a name that no file can hold": _set("Spec", "Name", to="\ud800"),
    "a label that is a number": _set("Spec", "Labels", to={"a": 1}),
    "a command that is a text": _set("Spec", "TaskTemplate", "ContainerSpec", "Args", to="sleep"),
    "an argument that is a number": _set("Spec", "TaskTemplate", "ContainerSpec", "Args", to=[1]),
    "an image without an end": _set("Spec", "TaskTemplate", "ContainerSpec", "Image", to=deep),
    "a spec without an end": _set("Spec", "TaskTemplate", "ContainerSpec", "Env", to=deep),
    "no version": _set("Version", to=None),
    "no spec": _set("Spec", to=None),
    "a delay of 400 digits": _set("Spec", "UpdateConfig", to={"Delay": HUGE}),
    "a year 99999": _set("UpdateStatus", to={"StartedAt": "99999-01-01T00:00:00Z"}),
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_service_costs_that_service_only(kind: str) -> None:
    swarm = InstantSwarm(2)
    swarm.create("web", 2)
    swarm.create("odd", 1)
    ODD[kind](swarm.services["svc-odd"])
    world, seen = seen_by(swarm)
    assert [s.name for s in world.swarm.services.values()] == ["web"]
    assert len(world.swarm.live_tasks("svc-web")) == 2
    assert not world.swarm.tasks_of("svc-odd"), "its tasks would be those of nobody"
    told = [change.text for change in world.changes]
    assert len(told) == 1
    assert told[0].startswith("service ")
    assert "could not be read: " in told[0]
    assert len(told[0]) < 400
    assert told[0].isprintable()
    assert poll_swarm(Api(swarm), "node1", seen)[0] is None, "it is told once"


def test_a_service_that_becomes_unreadable_is_not_said_to_be_removed_and_comes_back() -> None:
    swarm = InstantSwarm(1)
    swarm.create("web", 1)
    world, seen = seen_by(swarm)
    raw = swarm.services["svc-web"]
    good = json.dumps(raw)
    raw["Spec"]["Mode"], raw["Version"] = {}, {"Index": 900}
    fact, seen = poll_swarm(Api(swarm), "node1", seen)
    assert fact is not None
    world = fold(world, Entry(1.0, fact))
    assert not world.swarm.services
    assert [c.text for c in world.changes] == ["service web could not be read: its Mode is none that is known"]
    swarm.services["svc-web"] = json.loads(good)
    fact, seen = poll_swarm(Api(swarm), "node1", seen)
    assert fact is not None
    world = fold(world, Entry(2.0, fact))
    assert len(world.swarm.live_tasks("svc-web")) == 1
    assert not seen.unread


@pytest.mark.parametrize("odd", ["text", None, 7, [], {}, {"ID": ["x"]}, {"ID": "t", "ServiceID": ["x"]}])
def test_an_odd_object_in_any_list_costs_that_object_only(odd: Any) -> None:
    swarm = InstantSwarm(2)
    swarm.create("web", 2)

    class Odd(Api):
        def nodes(self) -> Any:
            return [odd, *super().nodes()]

        def tasks(self) -> Any:
            return [odd, *super().tasks()]

        def secrets(self) -> Any:
            return [odd]

        def networks(self, filters: object) -> Any:
            return [odd, {"Id": "n", "Name": "front", "Scope": "swarm"}]

    fact, seen = poll_swarm(Odd(swarm), "node1", Versions())
    assert fact is not None
    assert (len(fact.nodes), len(fact.tasks), [n.name for n in fact.named]) == (2, 2, ["front"])
    assert any(one.what == "node" for one in fact.unread)
    assert poll_swarm(Odd(swarm), "node1", seen, named=False)[0] is None
    assert poll_swarm(Odd(swarm), "node1", seen)[0] is None


def test_many_odd_objects_are_not_told_one_by_one() -> None:
    swarm = InstantSwarm(1)
    for number in range(40):
        swarm.create(f"s{number}", 0)
        swarm.services[f"svc-s{number}"]["Spec"]["Mode"] = {}
    world, _ = seen_by(swarm)
    assert len(world.changes) == WHOLE + 1
    assert world.changes[-1].text == "30 more objects could not be read"


@pytest.mark.parametrize("spec", [{"PluginSpec": {"Name": "p", "Remote": "r/p:1"}}, {"NetworkAttachmentSpec": {}}])
def test_a_service_that_runs_no_containers_is_shown_without_an_image(spec: Raw) -> None:
    swarm = InstantSwarm(1)
    swarm.create("plug", 1)
    swarm.services["svc-plug"]["Spec"]["TaskTemplate"] = spec
    for raw in swarm.tasks.values():
        raw["Spec"] = spec
    world, _ = seen_by(swarm)
    assert not world.changes
    assert [(s.name, s.spec.image, s.desired) for s in world.swarm.services.values()] == [("plug", "", 1)]
    assert [task.image for task in world.swarm.live_tasks("svc-plug")] == [""]


def test_null_is_an_empty_list_and_an_absent_part() -> None:
    swarm = InstantSwarm(1)
    swarm.create("web", 1)
    spec = swarm.services["svc-web"]["Spec"]
    spec |= {"Labels": None, "EndpointSpec": None, "UpdateConfig": None}
    spec["TaskTemplate"] |= {"Networks": None, "Placement": {"Constraints": None}, "RestartPolicy": None}
    spec["TaskTemplate"]["ContainerSpec"] |= {"Args": None, "Secrets": None, "Mounts": None, "Healthcheck": None}
    world, _ = seen_by(swarm)
    assert not world.changes
    assert world.swarm.service("web") is not None


@pytest.mark.parametrize(
    "raw",
    [
        {"Type": "container", "Action": "die", "timeNano": HUGE},
        {"Type": "container", "Action": "die", "Actor": "who"},
        {"Type": "container", "Action": 3},
        {"Type": None, "Action": "die"},
        {"Action": "die"},
        {"errorDetail": {"message": "no"}},
        [],
        "text",
        None,
    ],
)
def test_an_odd_event_is_an_error_of_this_room(raw: Any) -> None:
    with pytest.raises(EngineError, match="event"):
        read_object("event", lambda given: decode.event("node1", given), raw)


def test_an_exit_status_that_is_no_number_is_none() -> None:
    for code in ("²", "9" * 5000, "-1", "", None):
        attributes = {"exitCode": code}
        event = decode.event("node1", {"Type": "container", "Action": "die", "Actor": {"Attributes": attributes}})
        assert event.exit is None


def test_an_odd_event_costs_that_event_only(cluster: tuple[InstantSwarm, FakeEngine]) -> None:
    swarm, engine = cluster
    journal = Journal()

    def write(event: EngineEvent) -> None:
        journal.write(event)

    stream = EventStream(engine.endpoint, connect, write)

    stream.start()
    try:
        # The double tells only those who listen already, so that some are told more than once.
        odd: list[Any] = [{"Type": "service", "Action": "create", "timeNano": HUGE}, [], 7, {"Action": ["die"]}]

        def heard(_: World) -> bool:
            return any(event.action == "remove" for _, event in journal.world.swarm.events)

        for _ in range(600):
            for one in odd:
                for listener in tuple(swarm.listeners):
                    listener.put(one)
            swarm.tell("service", "remove", "x", "x")
            if journal.wait(heard, BOUND / 600):
                break
        assert heard(journal.world)
        assert stream.running
        assert all(isinstance(event, EngineEvent) for _, event in journal.world.swarm.events)
    finally:
        stream.close()


def test_a_fact_that_the_journal_refuses_is_not_lost() -> None:
    with fake_cluster(1) as (swarm, engines):
        swarm.create("web", 1)
        journal = Journal()
        refused: list[Entry] = []

        def refuse(entry: Entry, _: World) -> None:
            if isinstance(entry.fact, SwarmChanged) and not refused:
                refused.append(entry)
                raise RuntimeError("no room on the disk")

        journal.read(refuse)
        written: list[Entry] = []
        journal.read(lambda entry, _: written.append(entry))
        source = SwarmSource(journal, (engines[0].endpoint,), connect)
        source.start()
        try:
            assert journal.wait(lambda _: any(isinstance(e.fact, SwarmChanged) for e in written), BOUND)
        finally:
            source.close()
    assert any(isinstance(e.fact, SwarmChanged) and e.fact.services for e in written)
