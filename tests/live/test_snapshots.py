"""Snapshots on real machines: what they hold, and what comes back. Kills in the midst of one: `test_kills.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest

from lab.cluster.model import Cluster
from lab.engine.client import open_client
from lab.lesson.course import load_course
from lab.session.live import LiveStage
from lab.session.reset_to import reset_to
from lab.session.step_snapshots import name_before
from tests.live.conftest import swarmlab, until
from tests.live.saved_service import NAME, SERVICE, Tasks, running, saved_service

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def saved(cluster: Cluster) -> Iterator[Tasks]:
    """A snapshot with a service in it, by its tasks."""
    with saved_service(cluster) as tasks:
        yield tasks


def test_what_runs_comes_back_as_it_was_after_a_node_died_and_a_service_went(cluster: Cluster, saved: Tasks) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        services: Any = client.services
        services.get(SERVICE).remove()
    cluster.stop("node3")
    done = swarmlab("restore", NAME, "--name", cluster.name, "--json")
    assert done.code == 0, done.err
    until(lambda: running(cluster) == saved, "the very same tasks run")
    until(lambda: cluster.status().whole, "the cluster is whole")
    _stays(cluster, saved)
    host = time.time()
    with open_client(cluster.endpoints()[0], 60) as client:
        told = client.info()["SystemTime"]
    assert abs(_seconds(told) - host) < 60, "the guests' clocks are set"


def test_a_day_later_it_is_a_working_swarm(cluster: Cluster, saved: Tasks, monkeypatch: pytest.MonkeyPatch) -> None:
    day = 86_400
    monkeypatch.setattr("lab.cluster.vm.snapshot.restore.time", SimpleNamespace(time=lambda: time.time() + day))
    assert cluster.snapshots is not None
    cluster.snapshots.restore(NAME)
    until(lambda: cluster.status().whole, "the cluster is whole, a day later")
    with open_client(cluster.endpoints()[0], 120) as client:
        assert abs(_seconds(client.info()["SystemTime"]) - time.time() - day) < 600
        services: Any = client.services
        services.create("busybox:1.37", ["sleep", "1000000"], name="later", mode={"Replicated": {"Replicas": 4}})
    until(lambda: len(running(cluster, "later")) == 4, "new tasks run: the nodes trust each other still")
    _stays(cluster, saved)


def test_a_step_is_taken_back_and_its_start_is_as_it_was(cluster: Cluster) -> None:
    lesson = next(each for each in load_course() if each.id == "first-service")
    step = lesson.steps[0].id
    assert swarmlab("reset", "--to", lesson.id, "--name", cluster.name).code == 0
    stage = LiveStage(cluster, saves=True, typing=0.0)
    try:
        stage.open(lesson.id)
        stage.show_step(step)
        until(lambda: is_saved(cluster, name_before(lesson.id, step)), "the cluster is saved before the step")
        before = {task.id for task in stage.journal.world.swarm.tasks.values() if task.live}
        stage.play(step)
        assert stage.journal.world.lesson.steps[lesson.id, step].state == "passed"
        assert step in stage.undo()
        assert (lesson.id, step) not in stage.journal.world.lesson.steps
        assert reset_to(stage.driver, lesson, dry_run=True).actions == ()
        assert {task.id for task in stage.journal.world.swarm.tasks.values() if task.live} == before
        stage.play(step)
        assert stage.journal.world.lesson.steps[lesson.id, step].state == "passed"
    finally:
        stage.close()


def is_saved(cluster: Cluster, name: str) -> bool:
    assert cluster.snapshots is not None
    return any(each.name == name for each in cluster.snapshots.all())


def test_a_reset_by_a_snapshot_comes_back_from_a_lost_quorum(cluster: Cluster) -> None:
    assert swarmlab("prepare", "scaling", "--name", cluster.name).code == 0
    for node in ("node1", "node2"):
        cluster.stop(node)
    done = swarmlab("reset", "--to", "scaling", "--name", cluster.name, "--json")
    assert done.code == 0, done.err
    assert (done.json["by"], done.json["left"]) == ("snapshot", [])
    again = swarmlab("reset", "--to", "scaling", "--name", cluster.name, "--json")
    assert (again.json["by"], again.json["actions"]) == ("api", []), "it is there already"
    assert cluster.status().whole


def _stays(cluster: Cluster, saved: Tasks) -> None:
    """No task is replaced, for longer than a node may be silent: that would be within three heartbeats."""
    watched_until = time.monotonic() + 45
    until(lambda: running(cluster) != saved or time.monotonic() > watched_until, "no task is replaced")
    assert running(cluster) == saved


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp[:19] + "+00:00").timestamp()
