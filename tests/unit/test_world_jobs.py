"""Jobs and one-shots, from the engine's words on: what counts as complete, as running, and as all that was wanted."""

from __future__ import annotations

from typing import Any

import pytest

from lab.engine import decode
from lab.world.entries import EngineEvent, Entry, SwarmChanged
from lab.world.jobs import count_completed, count_owed, count_wanted, is_settled
from lab.world.swarm import Node, Service
from lab.world.world import World, fold

NODES = (Node("n1", "node1", "manager", "ready"), Node("n2", "node2", "worker", "ready"))
REPLICATED = {"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 4}}
Tasks = list[tuple[Any, ...]]


def service(mode: dict[str, Any], restart: str = "any", desired: int = 0, iteration: int = 9) -> Service:
    return decode.service(
        {
            "ID": "s",
            "Version": {"Index": 1},
            "Spec": {
                "Name": "job",
                "Mode": mode,
                "TaskTemplate": {"ContainerSpec": {"Image": "busybox"}, "RestartPolicy": {"Condition": restart}},
            },
            "ServiceStatus": {"DesiredTasks": desired},
            "JobStatus": {"JobIteration": {"Index": iteration}},
        }
    )


def world_of(one: Service, tasks: Tasks) -> World:
    """Tasks are (slot, node, state, desired, iteration), a slot's oldest first."""
    raws = [
        {
            "ID": f"t{place}",
            "ServiceID": "s",
            "Slot": slot,
            "NodeID": node,
            "Spec": {},
            "CreatedAt": f"2026-11-20T10:00:{place:02}Z",
            "Status": {"State": state},
            "DesiredState": desired,
            "JobIteration": {"Index": iteration},
        }
        for place, (slot, node, state, desired, iteration) in enumerate(tasks)
    ]
    fact = SwarmChanged("node1", NODES, (one,), tuple(map(decode.task, raws)), first=True)
    return fold(World(), Entry(0.0, fact))


@pytest.mark.parametrize(
    ("tasks", "running", "done", "still_owed", "at_rest"),
    [
        ([], 0, 0, 2, False),
        ([(1, "n1", "running", "complete", 9), (2, "n2", "complete", "complete", 9)], 1, 1, 2, False),
        # The engine leaves out a slot of 0.
        ([(0, "n1", "complete", "complete", 9), (1, "n2", "complete", "complete", 9)], 0, 2, 2, False),
        ([(slot, "n1", "complete", "complete", 9) for slot in range(3)], 0, 3, 1, False),
        ([(slot, "n1", "complete", "complete", 9) for slot in range(4)], 0, 4, 0, True),
        # What failed and was tried again counts once; what is tried again is not complete yet.
        ([(1, "n1", "failed", "shutdown", 9), (1, "n1", "complete", "complete", 9)], 0, 1, 2, False),
        ([(1, "n1", "failed", "shutdown", 9), (1, "n1", "starting", "complete", 9)], 0, 0, 2, False),
        # Tasks of an earlier execution do not count.
        ([(slot, "n1", "complete", "complete", 8) for slot in range(4)], 0, 0, 2, False),
        ([(1, "n1", "running", "remove", 8)], 0, 0, 2, False),
    ],
)
def test_a_replicated_job(tasks: Tasks, running: int, done: int, still_owed: int, at_rest: bool) -> None:
    job = service(REPLICATED, desired=2)
    world = world_of(job, tasks)
    assert (world.swarm.running.get("s", 0), len(world.swarm.live_tasks("s"))) == (running, running)
    assert (count_completed(world.swarm, job), count_wanted(world.swarm, job)) == (done, 4)
    assert count_owed(world.swarm, job) == still_owed
    assert is_settled(world.swarm, job) is world.swarm.converged is at_rest


@pytest.mark.parametrize(
    ("tasks", "desired", "done", "whole", "at_rest"),
    [
        ([], 0, 0, 0, False),
        ([(0, "n1", "running", "complete", 9), (0, "n2", "complete", "complete", 9)], 1, 1, 2, False),
        ([(0, "n1", "complete", "complete", 9), (0, "n2", "complete", "complete", 9)], 0, 2, 2, True),
        (
            [
                (0, "n1", "failed", "shutdown", 9),
                (0, "n1", "complete", "complete", 9),
                (0, "n2", "complete", "complete", 9),
            ],
            0,
            2,
            2,
            True,
        ),
        ([(0, "n1", "failed", "shutdown", 9), (0, "n2", "complete", "complete", 9)], 0, 1, 1, False),
        ([(0, "n1", "complete", "complete", 8), (0, "n1", "pending", "complete", 9)], 1, 0, 1, False),
    ],
)
def test_a_global_job(tasks: Tasks, desired: int, done: int, whole: int, at_rest: bool) -> None:
    job = service({"GlobalJob": {}}, desired=desired)
    world = world_of(job, tasks)
    assert (count_completed(world.swarm, job), count_wanted(world.swarm, job)) == (done, whole)
    assert world.swarm.converged is at_rest


@pytest.mark.parametrize(
    ("restart", "tasks", "done", "at_rest"),
    [
        ("none", [(1, "n1", "complete", "shutdown", 0), (2, "n2", "complete", "shutdown", 0)], 2, True),
        ("on-failure", [(1, "n1", "complete", "shutdown", 0), (2, "n2", "running", "running", 0)], 1, True),
        ("none", [(1, "n1", "complete", "shutdown", 0), (2, "n2", "failed", "shutdown", 0)], 1, False),
        ("none", [(1, "n1", "complete", "shutdown", 0), (2, "n2", "starting", "running", 0)], 1, False),
        ("any", [(1, "n1", "complete", "shutdown", 0), (2, "n2", "complete", "shutdown", 0)], 0, False),
        ("none", [(1, "n1", "running", "running", 0), (2, "n2", "running", "running", 0)], 0, True),
    ],
)
def test_a_one_shot(restart: str, tasks: Tasks, done: int, at_rest: bool) -> None:
    one = service({"Replicated": {"Replicas": 2}}, restart)
    world = world_of(one, tasks)
    assert (count_completed(world.swarm, one), count_wanted(world.swarm, one)) == (done, 0)
    assert world.swarm.converged is at_rest
    assert count_owed(world.swarm, one) == 2 - done


def test_the_end_of_a_jobs_task_is_no_death() -> None:
    world = world_of(service(REPLICATED, desired=2), [(1, "n1", "running", "complete", 9)])
    for code, many in ((0, 0), (3, 1)):
        event = EngineEvent("node1", "container", "die", "c", task="t0", exit=code)
        assert len(fold(world, Entry(1.0, event)).changes) == many


def test_a_global_jobs_own_count_is_no_news() -> None:
    world = world_of(service({"GlobalJob": {}}, desired=2), [(0, "n1", "running", "complete", 9)])
    fact = SwarmChanged("node1", services=(service({"GlobalJob": {}}, desired=1),))
    assert fold(world, Entry(1.0, fact)).changes == ()


@pytest.mark.parametrize(
    ("state", "desired", "greeted"), [("down", "running", 0), ("ready", "shutdown", 0), ("ready", "running", 1)]
)
def test_a_task_that_is_lost_is_not_greeted_as_running(state: str, desired: str, greeted: int) -> None:
    one = service({"Replicated": {"Replicas": 1}})
    before = fold(World(), Entry(0.0, SwarmChanged("node1", NODES, (one,), first=True)))
    after = world_of(one, [(1, "n2", "running", desired, 0)])
    nodes = (NODES[0], Node("n2", "node2", "worker", state))
    world = fold(
        before, Entry(1.0, SwarmChanged("node1", nodes, (one,), tuple(after.swarm.tasks.values()), first=True))
    )
    assert sum("runs on" in change.text for change in world.changes) == greeted
