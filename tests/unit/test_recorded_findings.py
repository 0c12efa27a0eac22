"""What the findings and measures of a recording say is what its other entries show: a recording keeps them as words."""

from __future__ import annotations

import re

import pytest

from lab import paths
from lab.checks.task_words import find_entry_time
from lab.tape.tape import Tape, load
from lab.world.entries import Checked, StepMoved
from lab.world.manager_clock import clock_ahead
from lab.world.world import World, fold
from tests.course import LESSONS

every_recording = pytest.mark.parametrize("name", [lesson.id for lesson in LESSONS])


def moments(tape: Tape) -> list[tuple[World, Checked | StepMoved]]:
    world, found = World(), list[tuple[World, Checked | StepMoved]]()
    for entry in tape.entries:
        if isinstance(entry.fact, Checked | StepMoved):
            found.append((world, entry.fact))
        world = fold(world, entry)
    return found


@every_recording
def test_a_task_has_waited_since_it_entered_its_state_and_a_node_was_down_when_the_managers_said_so(name: str) -> None:
    for world, fact in moments(load(paths.recordings() / f"{name}.tape")):
        if isinstance(fact, Checked):
            for wait in fact.waits:
                if task := world.swarm.tasks.get(wait.of):
                    assert wait.since == pytest.approx(find_entry_time(task) - clock_ahead(world), abs=1.0), wait.text
        elif found := re.search(r"(\S+) was down for the managers (\S+) s after (.+)", fact.why):
            node, seconds, act = found.groups()
            acted = [line for line in world.changes if line.text == act][-1]
            down = next(c for c in world.changes if c.at > acted.at and c.text.startswith(f"{node} is down"))
            assert down.at - acted.at == pytest.approx(float(seconds), abs=0.1)
