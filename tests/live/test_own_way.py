"""A learner's own way: lessons are taken by other commands than the shown ones, wherever they name one; typed while the
step's page is shown, and never by Enter.

A quarter of the lessons, and one way of each step, others with each commit; all of them by hand: SWARMLAB_WAYS=all.
"""

from __future__ import annotations

import os
import statistics

import pytest

from lab.cluster.model import Cluster
from lab.lesson.course import load_course
from lab.lesson.model import Lesson, Step
from lab.schema import template
from lab.session.live import LiveStage
from tests.live.conftest import Say, swarmlab
from tests.live.shard import number_of_commit

pytestmark = pytest.mark.timeout(3000)

_EVERY = [lesson for lesson in load_course() if any(step.ways for step in lesson.steps)]
_MOST = max(len(step.ways) for lesson in _EVERY for step in lesson.steps)
_ALL = os.environ.get("SWARMLAB_WAYS") == "all"
#: How many commits it takes until each lesson had its turn.
_PARTS = 4
LESSONS = _EVERY if _ALL else _EVERY[number_of_commit() % _PARTS :: _PARTS]
ROUNDS = range(_MOST) if _ALL else (number_of_commit() // _PARTS % _MOST,)


@pytest.mark.parametrize("number", ROUNDS)
@pytest.mark.parametrize("lesson", LESSONS, ids=[lesson.id for lesson in LESSONS])
def test_a_lesson_is_taken_by_other_commands(cluster: Cluster, lesson: Lesson, number: int, say: Say) -> None:
    reset = swarmlab("reset", "--to", lesson.id, "--name", cluster.name)
    assert reset.code == 0, reset.err
    stage = LiveStage(cluster, typing=0.0)
    noticed: list[float] = []
    try:
        stage.open(lesson.id)
        for step in lesson.steps:
            if step.ways:
                noticed.append(_take(stage, lesson, step, step.ways[number % len(step.ways)]))
            else:
                stage.play(step.id)
            record = stage.journal.world.lesson.steps[lesson.id, step.id]
            assert record.state == "passed", f"{step.id}: {record.why}"
    finally:
        stage.close()
    say(f"{lesson.id}: {len(noticed)} steps by another command; from its end to the step's, s: {_spread(noticed)}")


def _take(stage: LiveStage, lesson: Lesson, step: Step, way: str) -> float:
    """Type a way while the step's page is shown; return the seconds from the command's end until the step passed."""
    journal = stage.journal
    stage.show_step(step.id)

    def opened(world: object) -> bool:
        verdicts = journal.world.lesson.verdicts
        return all((lesson.id, step.id, place) in verdicts for place in range(len(step.then)))

    assert journal.wait(opened, 120), f"{step.id} was not opened"
    values = dict(journal.world.lesson.captured)
    stage.driver.run(template.fill_command(way, values), node=template.fill(step.on, values), bound=step.bound)
    ended = journal.now()

    def passed(world: object) -> bool:
        record = journal.world.lesson.steps.get((lesson.id, step.id))
        return record is not None and record.state == "passed"

    missing = [v.why for key, v in journal.world.lesson.verdicts.items() if key[1] == step.id and not v.ok]
    assert journal.wait(passed, step.bound), f"{step.id}, by `{way}`: {missing}"
    record = journal.world.lesson.steps[lesson.id, step.id]
    assert record.why.startswith("Done by `")
    return max(0.0, (record.ended or 0.0) - ended)


def _spread(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.1f}, worst {max(seconds):.1f}" if seconds else "none"
