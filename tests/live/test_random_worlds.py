"""Resets by a snapshot from worlds that somebody may have left behind: each ends in the world of the checkpoint, with
the tasks that were saved, and none of them is replaced.

More by hand: SWARMLAB_RESETS=40, SWARMLAB_WATCH=60 (seconds that each is watched afterwards), SWARMLAB_SEED.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psutil
import pytest

from lab.cluster import lab_paths
from lab.cluster.model import Cluster
from lab.engine.client import open_client
from lab.lesson.course import load_course
from tests.live.conftest import Say, swarmlab, until
from tests.live.objects import describe_objects, find_differences

pytestmark = pytest.mark.timeout(12_000)

RESETS = int(os.environ.get("SWARMLAB_RESETS", "2"))
WATCH = float(os.environ.get("SWARMLAB_WATCH", "5"))
#: Where to: a bare swarm with one service, the whole demo, and whatever the lessons say. Others by hand.
TARGETS = os.environ.get("SWARMLAB_TARGETS", "rolling-update,scaling").split(",")

Damage = Callable[[Cluster, random.Random], None]


def _kill(cluster: Cluster, *nodes: str) -> None:
    for node in nodes:
        machine = psutil.Process(int((lab_paths.lab_folder(cluster.name) / node / "pid").read_text()))
        machine.kill()
        machine.wait(60)


def a_killed_node(cluster: Cluster, chance: random.Random) -> None:
    _kill(cluster, chance.choice(["node1", "node2", "node3", "node4"]))


def a_lost_quorum(cluster: Cluster, chance: random.Random) -> None:
    _kill(cluster, *chance.sample(["node1", "node2", "node3"], 2))


def a_cut_node(cluster: Cluster, chance: random.Random) -> None:
    cluster.cut(chance.choice(["node2", "node3", "node4"]))


def a_drained_node(cluster: Cluster, chance: random.Random) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        engine: Any = client.api
        node = chance.choice(engine.nodes())
        engine.update_node(node["ID"], node["Version"]["Index"], {**node["Spec"], "Availability": "drain"})


def half_an_update(cluster: Cluster, chance: random.Random) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        services: Any = client.services
        found = services.list()
        if not found:
            services.create("busybox:1.37", ["sleep", "1000000"], name="stray")
            return
        chance.choice(found).update(env=["HALF=1"], force_update=True)


def removed_services(cluster: Cluster, chance: random.Random) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        services: Any = client.services
        for service in services.list():
            service.remove()
        services.create("busybox:1.37", ["sleep", "1000000"], name="stray", mode={"Replicated": {"Replicas": 4}})


def a_rotated_authority(cluster: Cluster, chance: random.Random) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        engine: Any = client.api
        swarm = engine.inspect_swarm()
        authority = swarm["Spec"]["CAConfig"]
        changed = {**swarm["Spec"], "CAConfig": {**authority, "ForceRotate": authority.get("ForceRotate", 0) + 1}}
        engine.update_swarm(swarm["Version"]["Index"], swarm_spec=changed)
        removed_services(cluster, chance)


def a_locked_manager(cluster: Cluster, chance: random.Random) -> None:
    with open_client(cluster.endpoints()[0], 120) as client:
        engine: Any = client.api
        swarm = engine.inspect_swarm()
        changed = {**swarm["Spec"], "EncryptionConfig": {"AutoLockManagers": True}}
        engine.update_swarm(swarm["Version"]["Index"], swarm_spec=changed)
    _kill(cluster, chance.choice(["node2", "node3"]))


def a_full_disk(cluster: Cluster, chance: random.Random) -> None:
    endpoint = chance.choice(cluster.endpoints())
    fill = "i=0; while fallocate -l $((64<<20)) /fill.$i 2>/dev/null; do i=$((i+1)); [ $i -lt 400 ] || exit 3; done"
    with open_client(endpoint, 300) as client, suppress(Exception):
        containers: Any = client.containers
        containers.run("busybox:1.37", ["sh", "-c", fill], name="filler")
    with suppress(Exception):
        removed_services(cluster, chance)


DAMAGES: tuple[Damage, ...] = (
    a_killed_node,
    a_lost_quorum,
    a_cut_node,
    a_drained_node,
    half_an_update,
    removed_services,
    a_rotated_authority,
    a_locked_manager,
    a_full_disk,
)


def test_resets_from_random_worlds_end_in_the_checkpoints_world(cluster: Cluster, say: Say) -> None:
    seed = int(os.environ.get("SWARMLAB_SEED", random.SystemRandom().randrange(10**6)))
    say(f"SWARMLAB_SEED={seed}")
    chance = random.Random(seed)
    assert set(TARGETS) <= {lesson.id for lesson in load_course()}
    wanted = {}
    for target in TARGETS:
        assert swarmlab("prepare", target, "--name", cluster.name).code == 0
        removed_services(cluster, chance)  # so that the snapshot is restored, and not only what differs put right
        done = swarmlab("reset", "--to", target, "--by", "snapshot", "--json", "--name", cluster.name)
        assert done.code == 0, done.err
        wanted[target] = (describe_objects(cluster), running(cluster))
    left = list(DAMAGES)
    chance.shuffle(left)
    for number in range(RESETS):
        damage, target = left[number % len(left)], chance.choice(TARGETS)
        damage(cluster, chance)
        done = swarmlab("reset", "--to", target, "--json", "--name", cluster.name)
        assert done.code == 0, done.err
        world, tasks = wanted[target]
        found = done.json
        say(f"{number}: {damage.__name__}, to {target} by {found['by']} in {found['seconds']} s: {found['actions']}")
        assert (found["by"], found["left"]) == ("snapshot", []), found
        assert find_differences(world, describe_objects(cluster)) == []
        _stays(cluster, tasks)
        assert cluster.status().whole


def _stays(cluster: Cluster, tasks: set[str]) -> None:
    watched = time.monotonic() + WATCH
    until(lambda: running(cluster) != tasks or time.monotonic() > watched, "no task is replaced")
    assert running(cluster) == tasks


def running(cluster: Cluster) -> set[str]:
    """Return the ids of all tasks that run and should."""
    with open_client(cluster.endpoints()[0], 120) as client:
        engine: Any = client.api
        tasks = engine.tasks(filters={"desired-state": "running"})
        return {task["ID"] for task in tasks if task["Status"]["State"] == "running"}
