"""The lessons on real machines: every check false before its step and true after; reset; the journal; the tape."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lab.cluster.model import Cluster
from lab.course.checkpoint import after, at
from lab.course.load import load_course
from lab.course.plan import plan
from lab.session.hands import LiveHands
from lab.tape.tape import load
from tests.live.conftest import Say, swarmlab

LESSONS = ("first-service", "reconciliation", "scaling")
pytestmark = pytest.mark.timeout(3000)


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_is_proven(cluster: Cluster, lab_name: str, say: Say, lesson: str) -> None:
    ran = swarmlab("run", lesson, "--json", "--name", lab_name)
    say(ran.err[-6000:])
    assert ran.code == 0, f"{ran.err[-6000:]}\n{ran.out}"
    (result,) = ran.json["lessons"]
    checks = [check for step in result["steps"] for check in step["checks"]]
    assert checks
    assert not [c for c in checks if c["before"] or not c["after"]]


def test_what_the_steps_leave_is_what_the_checkpoint_says(cluster: Cluster, hands: LiveHands) -> None:
    """After `scaling` was run to its end by its commands, its last checkpoint finds nothing to do."""
    lesson = next(each for each in load_course() if each.id == LESSONS[-1])
    hands.look()
    found = plan(hands.journal.world, after(lesson), made_by_lab=True, ours=frozenset())
    assert [action.sentence for action in found.actions] == []


def test_reset_forwards_and_backwards_and_twice(cluster: Cluster, lab_name: str, say: Say) -> None:
    # Forwards to a drained node and six replicas, to another lesson's middle, and back to an empty swarm.
    for target in ("scaling:return", "first-service:list", "reconciliation"):
        first = swarmlab("reset", "--to", target, "--json", "--name", lab_name)
        assert first.code == 0, first.err
        say(f"reset --to {target}: {first.json['seconds']} s, {first.json['actions']}")
        assert first.json["actions"], "the cluster was not there before"
        second = swarmlab("reset", "--to", target, "--json", "--name", lab_name)
        assert second.code == 0, second.err
        assert second.json["actions"] == []
        say(f"reset --to {target} again: nothing to do, {second.json['seconds']} s")


def test_a_dry_run_does_nothing(cluster: Cluster, lab_name: str) -> None:
    dry = swarmlab("reset", "--to", f"scaling:{_last('scaling')}", "--dry-run", "--json", "--name", lab_name)
    again = swarmlab("reset", "--to", f"scaling:{_last('scaling')}", "--dry-run", "--json", "--name", lab_name)
    assert dry.json["actions"] == again.json["actions"] != []


def test_a_lesson_is_proven_again_from_a_changed_cluster_and_recorded(
    cluster: Cluster, lab_name: str, hands: LiveHands, tmp_path: Path, say: Say
) -> None:
    """Whatever was done to the lab's own cluster, a lesson starts from its checkpoint; its tape tells the same."""
    hands.run("docker service create --detach --no-resolve-image --name stray --replicas 2 nginx:1.26", bound=300)
    hands.run("echo more | docker secret create stray-secret -", bound=300)
    tape = tmp_path / "again.tape"
    ran = swarmlab("record", "reconciliation", "-o", str(tape), "--json", "--name", lab_name)
    say(ran.err[-3000:])
    assert ran.code == 0, ran.err[-6000:]
    hands.look()
    assert hands.journal.world.service("stray") is None
    recorded = load(tape)
    replayed = swarmlab("replay", str(tape), "--plain", "--speed", "max", env={"DOCKER_HOST": "tcp://127.0.0.1:9"})
    assert replayed.code == 0, replayed.err
    assert "REPLAY" in replayed.out
    assert "failed on" in replayed.out
    text = tape.read_text(encoding="utf-8")
    assert recorded.header.lesson == "reconciliation"
    assert "SWMTKN" not in text
    assert "PRIVATE KEY" not in text
    assert json.loads(text.splitlines()[0])


def test_the_checkpoint_before_a_step_is_reached_by_hand_too(cluster: Cluster, lab_name: str, hands: LiveHands) -> None:
    lesson = next(each for each in load_course() if each.id == "first-service")
    ran = swarmlab("run", "first-service", "--until", lesson.steps[0].id, "--json", "--name", lab_name)
    assert ran.code == 0, ran.err
    hands.look()
    found = plan(hands.journal.world, at(lesson, lesson.steps[1].id), made_by_lab=True, ours=frozenset())
    assert [action.sentence for action in found.actions] == []


def _last(lesson: str) -> str:
    return next(each for each in load_course() if each.id == lesson).steps[-1].id
