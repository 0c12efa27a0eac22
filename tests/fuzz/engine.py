"""An engine's answers and events, of any shape: one look, single objects, and the source that must outlive them."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from random import Random
from typing import Any, cast

import docker

from lab.engine import decode
from lab.engine.endpoint import Endpoint
from lab.engine.raw import read_object
from lab.errors import EngineError
from lab.watch.swarm import SwarmSource
from lab.watch.swarm_diff import Versions, poll_swarm
from lab.world.entries import Entry
from lab.world.journal import Journal
from lab.world.world import World
from tests.fuzz.kept import goes_on, keepable
from tests.fuzz.surface import Surface, threads_that_raise
from tests.fuzz.values import mutated_value

_TIME = "2026-01-01T10:00:00.123456789Z"
_TEMPLATE: dict[str, Any] = {
    "ContainerSpec": {
        "Image": "nginx:1.26@sha256:0",
        "Args": ["-x"],
        "Command": ["sh"],
        "Env": ["A=b"],
        "Secrets": [{"SecretName": "s", "SecretID": "s1", "File": {"Name": "t"}}],
        "Configs": [{"ConfigName": "c", "ConfigID": "c1", "File": {"Name": "/t"}}],
        "Mounts": [{"Type": "volume", "Source": "data", "Target": "/data"}],
        "Healthcheck": {"Test": ["CMD", "true"]},
    },
    "Resources": {"Limits": {"MemoryBytes": 67108864}},
    "Placement": {"Constraints": ["node.role == manager"]},
    "Networks": [{"Target": "x1"}],
    "ForceUpdate": 0,
}
ANSWERS: dict[str, Any] = {
    "nodes": [
        {
            "ID": "n1",
            "Version": {"Index": 10},
            "Spec": {"Role": "manager", "Availability": "active", "Labels": {"edge": "true"}},
            "Description": {"Hostname": "node1", "Engine": {"EngineVersion": "26.1.5"}},
            "Status": {"State": "ready", "Addr": "10.77.0.11"},
            "ManagerStatus": {"Leader": True, "Reachability": "reachable"},
        }
    ],
    "services": [
        {
            "ID": "s1",
            "Version": {"Index": 11},
            "Spec": {
                "Name": "web",
                "Labels": {"com.docker.stack.namespace": "app"},
                "Mode": {"Replicated": {"Replicas": 2}},
                "TaskTemplate": _TEMPLATE,
                "UpdateConfig": {"Parallelism": 1, "Delay": 10**9, "Order": "start-first", "MaxFailureRatio": 0.2},
                "EndpointSpec": {
                    "Mode": "vip",
                    "Ports": [{"PublishedPort": 8080, "TargetPort": 80, "Protocol": "tcp"}],
                },
            },
            "ServiceStatus": {"DesiredTasks": 2, "RunningTasks": 2},
            "UpdateStatus": {"State": "updating", "Message": "m", "StartedAt": _TIME, "CompletedAt": _TIME},
        }
    ],
    "tasks": [
        {
            "ID": "t1",
            "Version": {"Index": 12},
            "CreatedAt": _TIME,
            "ServiceID": "s1",
            "Slot": 1,
            "NodeID": "n1",
            "Spec": _TEMPLATE,
            "DesiredState": "shutdown",
            "Status": {
                "Timestamp": _TIME,
                "State": "failed",
                "Message": "started",
                "Err": "non-zero exit (137)",
                "ContainerStatus": {"ContainerID": "ab" * 32, "ExitCode": 137},
            },
        }
    ],
    "secrets": [{"ID": "s9", "Version": {"Index": 13}, "Spec": {"Name": "s", "Labels": {}}}],
    "configs": [{"ID": "c9", "Version": {"Index": 14}, "Spec": {"Name": "c", "Labels": {}}}],
    "networks": [{"Id": "x1", "Name": "app", "Scope": "swarm", "Labels": {}}],
}
EVENT: dict[str, Any] = {
    "Type": "container",
    "Action": "die",
    "Actor": {
        "ID": "ab" * 32,
        "Attributes": {
            "name": "web.1",
            "exitCode": "137",
            "com.docker.swarm.task.id": "t1",
            "com.docker.swarm.task.name": "web.1.t1",
        },
    },
    "time": 1767261600,
    "timeNano": 1767261600123456789,
}


class _Api:
    """docker's low-level client, with these answers."""

    def __init__(self, answers: Any) -> None:
        self.answers = answers

    def nodes(self) -> Any:
        return copy.deepcopy(self.answers["nodes"])

    def services(self, *, status: bool) -> Any:
        return copy.deepcopy(self.answers["services"])

    def tasks(self) -> Any:
        return copy.deepcopy(self.answers["tasks"])

    def secrets(self) -> Any:
        return copy.deepcopy(self.answers["secrets"])

    def configs(self) -> Any:
        return copy.deepcopy(self.answers["configs"])

    def networks(self, *, filters: dict[str, str]) -> Any:
        return copy.deepcopy(self.answers["networks"])


def _odd_answers(rng: Random) -> Any:
    return {**ANSWERS, **_one_odd(rng)}


def _one_odd(rng: Random) -> dict[str, Any]:
    kind = rng.choice(sorted(ANSWERS))
    return {kind: mutated_value(rng, ANSWERS[kind])}


def _look(value: Any) -> None:
    """Two looks, for the second compares with the first."""
    facts, seen = [], Versions()
    for answers in (value, {**ANSWERS, "nodes": value["nodes"]}, value):
        try:
            fact, seen = poll_swarm(_Api(answers), "node1", seen)
        except EngineError:
            continue
        facts += [fact] if fact is not None else []
    keepable(facts)


def _event(value: Any) -> None:
    try:
        fact = read_object("event", lambda raw: decode.event("node1", raw), value)
    except EngineError:
        return
    keepable([fact])


class _Once(dict[str, Any]):
    """Answers of which those in `odd` are given once, and taken out of it."""

    def __init__(self, odd: dict[str, Any]) -> None:
        super().__init__(ANSWERS)
        self._odd = odd

    def __getitem__(self, kind: str) -> Any:
        return self._odd.pop(kind) if kind in self._odd else super().__getitem__(kind)


class _Client:
    """An engine that gives an odd answer of each kind and an odd event, and good ones from then on."""

    def __init__(self, odd: dict[str, Any], events: list[Any], stopped: threading.Event) -> None:
        self.api = _Api(_Once(odd))
        self._events, self._stopped = events, stopped

    def events(self, *, decode: bool, filters: dict[str, Any]) -> Iterator[Any]:
        while self._events:
            yield self._events.pop()
        yield copy.deepcopy(EVENT)
        self._stopped.wait()

    def close(self) -> None:
        """Nothing is open."""


def _source(value: Any) -> None:
    journal, told, stopped = Journal(), list[Entry](), threading.Event()
    journal.read(lambda entry, _: told.append(entry))
    odd, events = dict(value["answers"]), [value["event"]]

    def connect(endpoint: Endpoint, patience: float) -> docker.DockerClient:
        return cast(docker.DockerClient, _Client(odd, events, stopped))

    def whole(world: World) -> bool:
        return (
            world.link.state == "live"
            and "s1" in world.swarm.services
            and any(e.task == "t1" for _, e in world.swarm.events)
        )

    with threads_that_raise() as raised:
        source = SwarmSource(journal, (Endpoint("node1", "manager", "tcp://127.0.0.1:1"),), connect)
        source.start()
        try:
            goes_on(journal, whole, raised, source.wake, "the swarm")
        finally:
            stopped.set()
            source.close()
    if raised:
        raise raised[0]
    keepable(entry.fact for entry in told)


def _odd_source(rng: Random) -> Any:
    return {"answers": _one_odd(rng), "event": mutated_value(rng, EVENT)}


def _with(kind: str, **more: Any) -> Any:
    return {**ANSWERS, kind: [{**ANSWERS[kind][0], **more}]}


_SPEC: dict[str, Any] = ANSWERS["services"][0]["Spec"]

LOOK = Surface(
    "engine-answers",
    _odd_answers,
    _look,
    known=(
        {**ANSWERS, "nodes": None},
        {**ANSWERS, "tasks": ["x"]},
        {**ANSWERS, "networks": ["x"]},
        {**ANSWERS, "networks": [{"Id": "\ud800", "Scope": "swarm"}]},
        _with("services", Spec={**_SPEC, "Mode": {}}),
        _with("services", Spec={**_SPEC, "Mode": {"Replicated": {"Replicas": 1e999}}}),
        _with("services", ServiceStatus={"DesiredTasks": "\ud800"}),
        _with("tasks", Slot=1e999),
        _with("tasks", ID=7, NodeID=["x"]),
        _with("nodes", Description={"Hostname": "\ud800"}),
        _with("nodes", ID=["x"]),
    ),
    share=3,
    fast=400,
)
EVENTS = Surface(
    "engine-events",
    lambda rng: mutated_value(rng, EVENT),
    _event,
    known=(None, {**EVENT, "timeNano": 10**400}, {**EVENT, "Action": 7}, {**EVENT, "Actor": {"ID": "\ud800"}}),
    fast=400,
)
SOURCE = Surface(
    "engine-source",
    _odd_source,
    _source,
    known=(
        {"answers": {"nodes": None}, "event": None},
        {"answers": {"services": [{**ANSWERS["services"][0], "Spec": {**_SPEC, "Mode": {}}}]}, "event": "x"},
    ),
    share=0.2,
    fast=6,
)
