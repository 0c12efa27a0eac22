"""Resets on real machines by the engines' API: to any place, from any place, whatever was done to the lab's cluster.
By snapshots: `test_snapshots.py`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import psutil
import pytest

from lab.cluster import lab_paths
from lab.cluster.model import Cluster
from lab.cluster.vm import console
from lab.lesson.checkpoint import checkpoint_before
from lab.lesson.course import load_course
from lab.reset.plan import plan
from lab.session.cluster_driver import ClusterDriver
from tests.live.conftest import Say, swarmlab

pytestmark = pytest.mark.timeout(3000)


def test_reset_forwards_and_backwards_and_twice(cluster: Cluster, lab_name: str, say: Say) -> None:
    # Forwards to a drained node and six replicas, and back to an empty swarm.
    for target in ("scaling:return", "reconciliation"):
        first = swarmlab("reset", "--by", "api", "--to", target, "--json", "--name", lab_name)
        assert first.code == 0, first.err
        say(f"reset --to {target}: {first.json['seconds']} s, {first.json['actions']}")
        assert first.json["actions"], "the cluster was not there before"
        second = swarmlab("reset", "--by", "api", "--to", target, "--json", "--name", lab_name)
        assert second.code == 0, second.err
        assert second.json["actions"] == []
        say(f"reset --to {target} again: nothing to do, {second.json['seconds']} s")


def test_a_dry_run_does_nothing(cluster: Cluster, lab_name: str) -> None:
    last = next(lesson for lesson in load_course() if lesson.id == "scaling").steps[-1].id
    dry, again = (
        swarmlab("reset", "--to", f"scaling:{last}", "--dry-run", "--json", "--name", lab_name) for _ in range(2)
    )
    assert dry.json["actions"] == again.json["actions"] != []


def test_a_reset_takes_away_what_somebody_else_left(cluster: Cluster, lab_name: str, driver: ClusterDriver) -> None:
    driver.run("docker service create --detach --no-resolve-image --name stray --replicas 2 nginx:1.26", bound=300)
    driver.run("echo more | docker secret create stray-secret -", bound=300)
    driver.look()
    world = driver.journal.world
    assert world.swarm.service("stray") is not None
    assert "stray-secret" in {thing.name for thing in world.swarm.objects.values()}
    done = swarmlab("reset", "--by", "api", "--to", "reconciliation", "--json", "--name", lab_name)
    assert done.code == 0, done.err
    driver.look()
    world = driver.journal.world
    assert world.swarm.service("stray") is None
    assert "stray-secret" not in {thing.name for thing in world.swarm.objects.values()}


def test_a_reset_brings_back_a_node_that_left_and_founded_a_swarm_of_its_own(
    cluster: Cluster, lab_name: str, driver: ClusterDriver
) -> None:
    driver.run("docker swarm leave && docker swarm init --advertise-addr eth1", node="node4", bound=300)
    done = swarmlab("reset", "--by", "api", "--to", "reconciliation", "--json", "--name", lab_name)
    assert done.code == 0, done.err
    assert "bring node4 back into the swarm" in done.json["actions"]
    driver.look()
    named = [node for node in driver.journal.world.swarm.nodes.values() if node.name == "node4"]
    assert [(node.state, node.role) for node in named] == [("ready", "worker")]
    again = swarmlab("reset", "--to", "reconciliation", "--json", "--name", lab_name)
    assert again.json["actions"] == []


def test_a_reset_puts_a_swarm_back_that_is_locked_and_has_other_tokens_and_another_authority(
    cluster: Cluster, lab_name: str, driver: ClusterDriver
) -> None:
    """In the middle of all that the lessons on membership and keys do: node3's engine has started anew and waits for
    the key, and node4 has left a moment ago, so that the managers may still list it as ready."""
    locked = (
        "docker swarm join-token --rotate --quiet worker >/dev/null && docker swarm ca --rotate --quiet >/dev/null && "
        "docker swarm update --autolock=true >/dev/null && "
        "docker --context node3 run --rm --pid host busybox:1.37 killall dockerd; "
        "until docker --context node3 info --format '{{.Swarm.LocalNodeState}}' | grep locked; do sleep 2; done"
    )
    assert driver.run(locked, bound=300).status == 0
    assert driver.run("docker swarm leave", node="node4", bound=300).status == 0
    done = swarmlab("reset", "--by", "api", "--to", "reconciliation", "--json", "--name", lab_name)
    assert done.code == 0, done.err
    back = {f"bring {node} back into the swarm" for node in ("node3", "node4")}
    assert {"end the lock of the managers", *back} <= {*done.json["actions"]}
    assert cluster.status().whole
    driver.look()
    roles = sorted((node.name, node.role) for node in driver.journal.world.swarm.nodes.values())
    assert roles == [("node1", "manager"), ("node2", "manager"), ("node3", "manager"), ("node4", "worker")]
    again = swarmlab("reset", "--to", "reconciliation", "--json", "--name", lab_name)
    assert again.json["actions"] == []


def test_a_reset_gives_a_stack_the_names_that_were_taken_by_hand(
    cluster: Cluster, lab_name: str, driver: ClusterDriver
) -> None:
    driver.run("echo mine | docker config create settings-1 -", bound=300)
    driver.run("docker network create --driver overlay app_inside", bound=300)
    done = swarmlab("reset", "--by", "api", "--to", "rolling-update", "--json", "--name", lab_name)
    assert done.code == 0, done.err
    again = swarmlab("reset", "--to", "rolling-update", "--json", "--name", lab_name)
    assert again.json["actions"] == []


def test_a_step_run_by_hand_ends_at_the_next_ones_checkpoint(
    cluster: Cluster, lab_name: str, driver: ClusterDriver
) -> None:
    lesson = load_course()[0]
    ran = swarmlab("run", lesson.id, "--until", lesson.steps[0].id, "--json", "--name", lab_name)
    assert ran.code == 0, ran.err
    driver.look()
    found = plan(
        driver.journal.world, checkpoint_before(lesson, lesson.steps[1].id), made_by_lab=True, env=driver.settings()
    )
    assert [action.sentence for action in found.actions] == []


def _damage(disk: Path) -> None:
    """Lose the file system's superblock, as a torn write may: the machine repairs its disk from a copy."""
    done = subprocess.run(
        ["qemu-io", "-c", "write -P 0 1024 1024", str(disk)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "dead",
    [("node4",), ("node1", "node2"), ("node1", "node2", "node3", "node4")],
    ids=["one", "two of the three managers", "all"],
)
def test_a_reset_powers_on_machines_that_were_killed(
    cluster: Cluster, lab_name: str, say: Say, dead: tuple[str, ...]
) -> None:
    for node in dead:
        machine = psutil.Process(int((lab_paths.lab_folder(lab_name) / node / "pid").read_text()))
        machine.kill()
        machine.wait(60)  # Until then its disk is locked.
    if dead == ("node4",):
        _damage(lab_paths.lab_folder(lab_name) / "node4" / "disk.qcow2")
    done = swarmlab("reset", "--by", "api", "--to", "reconciliation", "--json", "--name", lab_name)
    say(f"reset after {', '.join(dead)} died: {done.out}{done.err[-2000:] if done.code else ''}")
    assert done.code == 0, done.err
    assert set(done.json["actions"]) >= {f"power {node} on" for node in dead}
    if dead == ("node4",):
        assert "disk repair" in console.read_stages(lab_paths.lab_folder(lab_name) / "node4")
    status = swarmlab("status", "--json", "--name", lab_name)
    assert status.code == 0, status.out
