"""A learner's own way: lessons are taken by other commands than the shown ones, wherever they name one; typed while the
step's page is shown, and never by Enter. How long it takes until a step that is done turns green is measured from the
moment at which a look beside the lab finds that its checks hold.

A part of the lessons (`shard.py`), and one way of each step, others with each commit; all of them by hand:
SWARMLAB_WAYS=all.
"""

from __future__ import annotations

import os
import statistics

import pytest

from lab.cluster.model import Cluster
from lab.lesson.course import load_course
from lab.lesson.model import Lesson, Step
from lab.schema import template
from lab.session.cluster_driver import ClusterDriver
from lab.session.live import LiveStage
from tests.live.conftest import Say, swarmlab
from tests.live.shard import WAYS, choose_part, count_parts, number_of_commit
from tests.live.strict_look import looking, open_strict_look

pytestmark = pytest.mark.timeout(3000)

_EVERY = [lesson for lesson in load_course() if any(step.ways for step in lesson.steps)]
_MOST = {lesson.id: max(len(step.ways) for step in lesson.steps) for lesson in _EVERY}
_ALL = os.environ.get("SWARMLAB_WAYS") == "all"
LESSONS = _EVERY if _ALL else list(choose_part(_EVERY, WAYS))
_ROUND = number_of_commit() // count_parts(_EVERY, WAYS)
#: Each lesson with the number of the way that is taken in each of its steps.
TAKEN = [(each, n) for each in LESSONS for n in (range(_MOST[each.id]) if _ALL else (_ROUND % _MOST[each.id],))]


@pytest.mark.parametrize(("lesson", "number"), TAKEN, ids=[f"{lesson.id}-{number}" for lesson, number in TAKEN])
def test_a_lesson_is_taken_by_other_commands(cluster: Cluster, lesson: Lesson, number: int, say: Say) -> None:
    reset = swarmlab("reset", "--to", lesson.id, "--name", cluster.name)
    assert reset.code == 0, reset.err
    stage = LiveStage(cluster, typing=0.0)
    late: dict[str, float] = {}
    try:
        stage.open(lesson.id)
        with open_strict_look(cluster, lesson) as beside:
            for step in lesson.steps:
                if step.ways:
                    late[step.id] = _take(stage, beside, lesson, step, step.ways[number % len(step.ways)])
                else:
                    stage.play(step.id)
                record = stage.journal.world.lesson.steps[lesson.id, step.id]
                assert record.state == "passed", f"{step.id}: {record.why}"
    finally:
        stage.close()
    say(f"{lesson.id}: {len(late)} steps by another command; from true to green, s: {_spread(late)}")


def _take(stage: LiveStage, beside: ClusterDriver, lesson: Lesson, step: Step, way: str) -> float:
    """Type a way while the step's page is shown; return the seconds from when its checks held until it passed, 0 when
    the look beside the lab was no earlier."""
    journal = stage.journal
    stage.show_step(step.id)

    def opened(world: object) -> bool:
        verdicts = journal.world.lesson.verdicts
        return all((lesson.id, step.id, place) in verdicts for place in range(len(step.then)))

    assert journal.wait(opened, 120), f"{step.id} was not opened"
    values = dict(journal.world.lesson.captured)

    def passed(world: object) -> bool:
        record = journal.world.lesson.steps.get((lesson.id, step.id))
        return record is not None and record.state == "passed"

    with looking(beside, journal, step) as look:
        stage.driver.run(template.fill_command(way, values), node=template.fill(step.on, values), bound=step.bound)
        came = journal.wait(passed, step.bound)
    missing = [v.why for key, v in journal.world.lesson.verdicts.items() if key[1] == step.id and not v.ok]
    assert came, f"{step.id}, by `{way}`: {missing}"
    record = journal.world.lesson.steps[lesson.id, step.id]
    assert record.why.startswith("Done by `")
    return 0.0 if look.found is None or record.ended is None else max(0.0, record.ended - look.found)


def _spread(late: dict[str, float]) -> str:
    if not late:
        return "none"
    worst = max(late, key=lambda step: late[step])
    return f"median {statistics.median(late.values()):.1f}, worst {late[worst]:.1f} ({worst})"
