"""What the texts of a lesson promise, held against a recording of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.checks.base import Baseline
from lab.lesson.model import Lesson, Step
from lab.run.promises import Broken, broken_promises
from lab.tape.tape import Tape
from lab.world.entries import Checked, CommandBegan, StepMoved
from lab.world.world import World, fold


def recorded_promises(tape: Tape, lesson: Lesson) -> Iterator[tuple[Step, int, Broken]]:
    """Yield what the lesson promises and the recording shows otherwise, with the step and the index of the entry with
    which that began. A step is judged by the world as the next one begins; one that failed is not."""
    promising = {step.id: step for step in lesson.steps if step.promises}
    world, baseline, step, at, opening = World(), Baseline(), None, 0, False
    for index, entry in enumerate(tape.entries if promising else ()):
        match entry.fact:
            case StepMoved(lesson=lesson.id, state="begun") as moved:
                yield from _judge(step, at, world, baseline)
                step, at, opening = promising.get(moved.step), index, True
                baseline = Baseline(since=world)
            case Checked(phase="before") if opening:  # The runner looks at the swarm, and begins to count here.
                baseline, opening = Baseline(since=world), False
            case CommandBegan() as began if step is not None and began.step == step.id:
                baseline = replace(baseline, command=began.id)
            case StepMoved(state="failed") as moved if step is not None and moved.step == step.id:
                step = None
        world = fold(world, entry)
    yield from _judge(step, at, world, baseline)


def _judge(step: Step | None, at: int, world: World, baseline: Baseline) -> Iterator[tuple[Step, int, Broken]]:
    if step is not None and world.swarm.nodes:  # A tape that saw no node proves nothing about them.
        for broken in broken_promises(step, world, baseline, world.lesson.captured):
            yield step, at, broken
