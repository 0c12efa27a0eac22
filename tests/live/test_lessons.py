"""Lessons on real machines, each from its own checkpoint: every check is false before its step and true after, the end
is what the checkpoints say, and the recording tells it all and keeps the secrets.

A core and a shard of the others (`shard.py`); `make prove` takes them all. The syllabus's order spares the cluster
work: a lesson begins about where the one before it ends.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.cluster import edge_settings
from lab.cluster.model import Cluster
from lab.lesson.checkpoint import checkpoint_after
from lab.lesson.course import load_course
from lab.lesson.model import Lesson
from lab.reset.plan import plan
from lab.session.run import open_driver
from lab.tape.tape import load
from tests.live.conftest import Say, swarmlab
from tests.live.findings import FINDINGS
from tests.live.shard import choose_lessons

LESSONS = choose_lessons(load_course())
pytestmark = pytest.mark.timeout(3000)


@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_a_lesson_is_proven_and_recorded(
    cluster: Cluster, lab_name: str, tmp_path: Path, say: Say, lesson: Lesson
) -> None:
    tape = tmp_path / f"{lesson.id}.tape"
    ran = swarmlab("record", lesson.id, "-o", str(tape), "--json", "--name", lab_name)
    say(ran.err[-8000:])
    assert ran.code == 0, f"{ran.err[-8000:]}\n{ran.out}"
    steps = ran.json["lesson"]["steps"]
    assert [step["step"] for step in steps] == [step.id for step in lesson.steps]
    checks = [check for step in steps for check in step["checks"]]
    assert len(checks) == sum(len(step.checks) for step in lesson.steps) > 0
    assert not [check for check in checks if check["before"] or not check["after"]]

    _ends_at_its_last_checkpoint(lab_name, lesson)
    replayed = _replayed(
        tape, lesson, secrets=("SWMTKN-", "PRIVATE KEY", edge_settings.read_settings(cluster).login[1])
    )
    if finding := FINDINGS.get(lesson.id):
        finding({step["step"]: step for step in steps}, replayed)


def _ends_at_its_last_checkpoint(lab_name: str, lesson: Lesson) -> None:
    """Run to its end by its commands, a lesson leaves nothing for a reset to that place to do."""
    with open_driver(lab_name) as driver:
        driver.look()
        found = plan(driver.journal.world, checkpoint_after(lesson), made_by_lab=True, env=driver.settings())
    assert [action.sentence for action in found.actions] == []


def _replayed(tape: Path, lesson: Lesson, *, secrets: tuple[str, ...]) -> str:
    """What the recording prints where there is no cluster."""
    assert load(tape).header.lesson == lesson.id
    text = tape.read_text(encoding="utf-8")
    assert [number for number, secret in enumerate(secrets) if secret in text] == []
    replayed = swarmlab("replay", str(tape), "--plain", "--speed", "max", env={"DOCKER_HOST": "tcp://127.0.0.1:9"})
    assert replayed.code == 0, replayed.err
    assert "REPLAY" in replayed.out
    return replayed.out
