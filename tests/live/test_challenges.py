"""Challenges on the real cluster: each is broken, its symptom seen, and it is repaired: by its solution, and by another
way that is typed while the page is shown. Each cause is one that a seed picks.

One challenge with each commit, with two seeds; all causes of all challenges by hand: SWARMLAB_WAYS=all. The other ways
of a cause are tried with the first of its seeds.
"""

from __future__ import annotations

import itertools
import os

import pytest

from lab.cluster.model import Cluster
from lab.lesson.challenge import STEP, Challenge, as_lesson, pick_values
from lab.lesson.course import load_challenges
from lab.schema import template
from lab.session.live import LiveStage
from tests.live.conftest import Say, swarmlab
from tests.live.shard import number_of_commit

pytestmark = pytest.mark.timeout(3000)

_EVERY = load_challenges()
_ALL = os.environ.get("SWARMLAB_WAYS") == "all"
_FEWEST = 2
CHALLENGES = _EVERY if _ALL else (_EVERY[number_of_commit() % len(_EVERY)],)


def seeds(challenge: Challenge) -> dict[int, bool]:
    """Two seeds of different causes, as far as there are; with all, one for each cause. For each, whether it is the
    first of its cause."""
    found: dict[str, int] = {}
    for seed in itertools.count(0 if _ALL else number_of_commit() % 1000):
        found.setdefault(pick_values(challenge, seed)[1].id, seed)
        if len(found) == len(challenge.variants):
            break
    chosen = dict.fromkeys([*found.values()] if _ALL else [*found.values()][:_FEWEST], True)
    if len(chosen) < _FEWEST:
        first = next(iter(chosen))
        taken = pick_values(challenge, first)
        chosen[next(seed for seed in itertools.count(first + 1) if pick_values(challenge, seed) != taken)] = False
    return chosen


CASES = [(challenge, *each) for challenge in CHALLENGES for each in seeds(challenge).items()]
IDS = [f"{challenge.id}-{seed}" for challenge, seed, _ in CASES]


@pytest.mark.parametrize(("challenge", "seed", "first"), CASES, ids=IDS)
def test_it_is_broken_and_repaired_in_any_way(
    cluster: Cluster, challenge: Challenge, seed: int, first: bool, say: Say
) -> None:
    lesson = as_lesson(challenge, seed)
    ran = swarmlab("run", lesson.id, "--json", "--name", cluster.name)
    assert ran.code == 0, f"{ran.err[-4000:]}\n{ran.out}"
    (step,) = lesson.steps
    ways = step.ways if first else ()
    for way in ways:
        stage = LiveStage(cluster, typing=0.0, lessons=(lesson,))
        try:
            stage.open(lesson.id)
            stage.reset()
            stage.show_step(STEP)

            def opened(_: object, stage: LiveStage = stage) -> bool:
                verdicts = stage.journal.world.lesson.verdicts
                return all((lesson.id, STEP, place) in verdicts for place in range(len(step.then)))

            assert stage.journal.wait(opened, 120)
            wrong = [v for (_, _, place), v in stage.journal.world.lesson.verdicts.items() if place < len(step.then)]
            assert not any(verdict.ok for verdict in wrong)
            assert not [line for line in stage.journal.world.changes if line.kind == "command"], "nothing is given away"
            filled = template.fill_command(way, stage.journal.world.lesson.captured)
            stage.driver.run(filled, node=step.on, bound=step.bound)

            def passed(_: object, stage: LiveStage = stage) -> bool:
                record = stage.journal.world.lesson.steps.get((lesson.id, STEP))
                return record is not None and record.state == "passed"

            missing = [v.why for v in stage.journal.world.lesson.verdicts.values() if not v.ok]
            assert stage.journal.wait(passed, step.bound), f"{lesson.id}, by `{way}`: {missing}"
        finally:
            stage.close()
    seconds = ran.json["lessons"][0]["seconds"]
    say(f"{lesson.id}: repaired by its solution ({seconds} s) and {len(ways)} other ways")
