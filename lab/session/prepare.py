"""The evening before: snapshots of lessons' starts, made ahead, so that each reset takes seconds."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from lab.cluster import api
from lab.cluster.model import Progress, Report, silent
from lab.lesson.checkpoint import checkpoint_before
from lab.lesson.model import Lesson
from lab.lesson.talk import Talk
from lab.session.checkpoint_snapshots import find_snapshot, name_of
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import keep_checkpoint, reset_to
from lab.session.run import open_driver
from lab.session.save_snapshot import snapshots_of
from lab.text import count_of, format_size

#: What a snapshot takes as long as there is none to measure, in bytes.
_USUAL = 600_000_000

Start = tuple[str, str | None]
"""A lesson's id, and the id of a step of it or None."""


@dataclass(frozen=True)
class Prepared:
    """A start that is prepared: `seconds` is what that took, 0 if a snapshot of it was there already."""

    to: str
    seconds: float


def starts_of(lessons: Iterable[Lesson], *, steps: bool) -> Iterator[tuple[Lesson, str | None]]:
    """Yield the starts of lessons, and with `steps` those of all their steps but the first, which is the lesson's."""
    for lesson in lessons:
        yield lesson, None
        yield from ((lesson, step.id) for step in lesson.steps[1:] if steps)


def starts_of_talk(talk: Talk, *, steps: bool) -> Iterator[tuple[Lesson, str | None]]:
    """Yield the starts that a talk needs: where it goes from one lesson to another or leaves out steps; with `steps`
    those of all its slides, for the way back and for what follows a recording."""
    for place, slide in enumerate(talk.slides):
        if steps or not talk.follows(place):
            first = slide.lesson.steps[0].id == slide.step.id
            yield slide.lesson, None if first else slide.step.id


def prepare(name: str, starts: Iterable[tuple[Lesson, str | None]], *, report: Report = silent) -> list[Prepared]:
    """Make a snapshot of every start on the cluster `name` that has none yet. Interrupted, it goes on where it was.

    Raises InputError for a cluster without snapshots, LabError when they would need more room than is allowed, and what
    a reset does.
    """
    with api.at_work(name, "preparing lessons"), open_driver(name, look=False, events=False) as driver:
        snapshots = snapshots_of(driver.cluster)
        every = list(starts)
        todo = [start for start in every if not is_prepared(driver, *start)]
        size = max((each.size for each in snapshots.all()), default=_USUAL)
        snapshots.expect_room(len(todo) * size)
        room = format_size(len(todo) * size)
        report(Progress("prepare", f"{count_of(len(todo), 'start')} to save, about {room}", 0.0))
        taken: dict[Start, float] = {}
        for number, (lesson, step) in enumerate(todo):
            began = time.monotonic()
            left = f", about {_minutes(taken.values(), len(todo) - number)} min left" if taken else ""
            text = f"{_name_start(lesson, step)} ({number + 1} of {len(todo)}){left}"
            report(Progress("prepare", text, number / len(todo)))
            done = reset_to(driver, lesson, step)
            keep_checkpoint(driver, lesson, step, done, report, at_least=0.0)
            taken[lesson.id, step] = time.monotonic() - began
        return [
            Prepared(_name_start(lesson, step), round(taken.get((lesson.id, step), 0.0), 1)) for lesson, step in every
        ]


def is_prepared(driver: ClusterDriver, lesson: Lesson, step: str | None) -> bool:
    """Return whether there is a snapshot of a start that can be restored."""
    return find_snapshot(driver, checkpoint_before(lesson, step), name_of(lesson.id, step))[0] is not None


def _minutes(taken: Collection[float], left: int) -> int:
    """Return how many minutes as many more may take."""
    return max(1, round(sum(taken) / len(taken) * left / 60))


def _name_start(lesson: Lesson, step: str | None) -> str:
    return f"{lesson.id}:{step}" if step else lesson.id
