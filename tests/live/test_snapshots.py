"""Snapshots on real machines: what they hold, what comes back, and what a kill in the midst of one leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import api, lab_paths
from lab.cluster.model import Cluster
from lab.cluster.vm import state
from lab.engine.client import open_client
from lab.lesson.course import load_course
from lab.session.live import LiveStage
from lab.session.reset_to import reset_to
from lab.session.step_snapshots import name_before
from tests.live.conftest import swarmlab, until

pytestmark = pytest.mark.timeout(3000)

NAME = "live-snapshot"
SERVICE = "live-snapshot-web"
#: Kills of a command at a random moment; more by hand: SWARMLAB_KILLS=30.
KILLS = int(os.environ.get("SWARMLAB_KILLS", "2"))


@pytest.fixture
def saved(cluster: Cluster) -> Iterator[dict[str, str]]:
    """A snapshot with a service in it, whose tasks by slot are returned; everything is removed afterwards."""
    endpoint = cluster.endpoints()[0]
    with open_client(endpoint, 120) as client:
        made: Any = client.services
        with suppress(Exception):
            made.get(SERVICE).remove()
        made.create("busybox:1.37", ["sleep", "1000000"], name=SERVICE, mode={"Replicated": {"Replicas": 3}})
    until(lambda: len(running(cluster)) == 3, "three tasks run")
    done = swarmlab("snapshot", NAME, "--name", cluster.name, "--json")
    assert done.code == 0, done.err
    assert done.json["stood_still"] > 0
    yield running(cluster)
    assert swarmlab("restore", NAME, "--name", cluster.name).code == 0
    with open_client(endpoint, 120) as client:
        services: Any = client.services
        services.get(SERVICE).remove()
    assert swarmlab("snapshot", NAME, "--remove", "--name", cluster.name).code == 0


def running(cluster: Cluster) -> dict[str, str]:
    """The running tasks of the service: their ids by slot. Asked of whichever manager answers."""
    for endpoint in cluster.endpoints():
        with suppress(Exception), open_client(endpoint, 60) as client:
            asked: Any = client.api
            tasks = asked.tasks(filters={"service": SERVICE, "desired-state": "running"})
            return {str(t["Slot"]): t["ID"] for t in tasks if t["Status"]["State"] == "running"}
    return {}


def test_what_runs_comes_back_as_it_was_after_a_node_died_and_a_service_went(
    cluster: Cluster, saved: dict[str, str]
) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        services: Any = client.services
        services.get(SERVICE).remove()
    cluster.stop("node3")
    done = swarmlab("restore", NAME, "--name", cluster.name, "--json")
    assert done.code == 0, done.err
    until(lambda: running(cluster) == saved, "the very same tasks run")
    until(lambda: cluster.status().whole, "the cluster is whole")
    # A task that is replaced would be within two heartbeats and a few seconds.
    watched_until = time.monotonic() + 45
    until(lambda: running(cluster) != saved or time.monotonic() > watched_until, "no task is replaced")
    assert running(cluster) == saved
    host = time.time()
    with open_client(cluster.endpoints()[0], 60) as client:
        told = client.info()["SystemTime"]
    assert abs(_seconds(told) - host) < 60, "the guests' clocks are set"


def test_a_command_that_is_killed_leaves_the_old_world_or_the_new_one(cluster: Cluster, saved: dict[str, str]) -> None:
    seed = int(os.environ.get("SWARMLAB_SEED", random.SystemRandom().randrange(10**6)))
    print(f"SWARMLAB_SEED={seed}")
    chance = random.Random(seed)
    for number in range(KILLS):
        what = ("snapshot", f"{NAME}-killed") if number % 2 == 0 else ("restore", NAME)
        after = chance.uniform(0.5, 9.0)
        print(f"kill {number}: {' '.join(what)} after {after:.1f} s")
        argv = [sys.executable, "-m", "lab.cli", *what, "--name", cluster.name]
        with subprocess.Popen(
            argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as one:
            with suppress(subprocess.TimeoutExpired):
                one.wait(after)
            with suppress(ProcessLookupError):
                os.killpg(one.pid, signal.SIGKILL)
        api.find(cluster.name)
        until(lambda: cluster.status().whole, "the cluster is whole after the next command")
        until(lambda: running(cluster) == saved, "the same tasks run")
        assert not state.is_interrupted(cluster.name)
        half = [path.name for path in (Path(cluster_folder(cluster)) / "snapshots").glob(".new-*")]
        print(f"half made, deleted by the next snapshot: {half}")
        with suppress(AssertionError):
            swarmlab("snapshot", f"{NAME}-killed", "--remove", "--name", cluster.name)


def test_a_step_is_taken_back_and_its_start_is_as_it_was(cluster: Cluster) -> None:
    lesson = next(each for each in load_course() if each.id == "scaling")
    first = lesson.steps[0].id
    assert swarmlab("reset", "--to", lesson.id, "--name", cluster.name).code == 0
    stage = LiveStage(cluster, saves=True, typing=0.0)
    try:
        stage.open(lesson.id)
        until(lambda: is_saved(cluster, name_before(lesson.id, first)), "the cluster is saved before the first step")
        before = {task.id for task in stage.journal.world.swarm.tasks.values() if task.live}
        stage.play(first)
        assert stage.journal.world.lesson.steps[lesson.id, first].state == "passed"
        assert first in stage.undo()
        assert (lesson.id, first) not in stage.journal.world.lesson.steps
        assert reset_to(stage.driver, lesson, dry_run=True).actions == ()
        assert {task.id for task in stage.journal.world.swarm.tasks.values() if task.live} == before
        stage.play(first)
        assert stage.journal.world.lesson.steps[lesson.id, first].state == "passed"
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


def test_a_second_lab_starts_from_the_template_beside_the_first(cluster: Cluster) -> None:
    """In a small one: the machine has no room for eight."""
    name = "live-second"
    try:
        first = swarmlab("up", "--name", name, "--nodes", "1", "--json", bound=900)
        assert first.code == 0, first.err
        assert swarmlab("down", "--name", name).code == 0
        again = swarmlab("up", "--name", name, "--nodes", "1", "--json", bound=900)
        assert again.code == 0, again.err
        assert "starting the machines from the template" in again.err
        assert again.json["whole"]
        assert again.json["seconds"] < first.json["seconds"]
    finally:
        swarmlab("down", "--name", name)


def cluster_folder(cluster: Cluster) -> Path:
    return lab_paths.lab_folder(cluster.name).parent


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp[:19] + "+00:00").timestamp()
