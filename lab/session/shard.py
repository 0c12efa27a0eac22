"""A course in shards of about the same time, by what each lesson took when it was recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lab.errors import InputError, LabError
from lab.lesson.model import Lesson
from lab.session.talk.forecast import UNKNOWN
from lab.session.talk.rehearsals import step_seconds
from lab.tape.find import tapes
from lab.tape.tape import load
from lab.text import count_of


def parse_shard(text: str) -> tuple[int, int]:
    """Return I and N of `I/N`, the I-th of N shards. Raises InputError."""
    number, _, shards = text.partition("/")
    if not (number.isdecimal() and shards.isdecimal() and 1 <= int(number) <= int(shards)):
        raise InputError(f"a shard is I/N, such as 1/3 for the first of three, not {text!r}")
    return int(number), int(shards)


def recorded_times(lessons: Sequence[Lesson]) -> Mapping[str, float]:
    """Return the seconds that the steps of each lesson ran when it was recorded, by lesson. A step without a recording
    counts as one of UNKNOWN seconds."""
    shipped, found = tapes(), dict[str, float]()
    for lesson in lessons:
        try:
            took = step_seconds(load(shipped[lesson.id])) if lesson.id in shipped else {}
        except LabError:
            took = {}  # A damaged recording gives no times; `swarmlab check` says what is wrong with it.
        found[lesson.id] = sum(took.get(step.id, UNKNOWN) for step in lesson.steps)
    return found


def split_lessons(lessons: Sequence[Lesson], shards: int, times: Mapping[str, float]) -> tuple[tuple[Lesson, ...], ...]:
    """Return the lessons in `shards` parts that take about the same time, each in the order given: the longest lesson
    first, always to the part that is the shortest so far. The same lessons and times give the same parts."""
    totals, part_of = [0.0] * shards, dict[str, int]()
    for lesson in sorted(lessons, key=lambda each: (-times[each.id], each.id)):
        part = min(range(shards), key=lambda index: totals[index])
        part_of[lesson.id] = part
        totals[part] += times[lesson.id]
    return tuple(tuple(each for each in lessons if part_of[each.id] == part) for part in range(shards))


def take_shard(lessons: Sequence[Lesson], shard: str) -> tuple[Lesson, ...]:
    """Return the lessons of a shard `I/N`. Raises InputError for one that is none, or would have no lesson."""
    number, shards = parse_shard(shard)
    if shards > len(lessons):
        raise InputError(f"{count_of(len(lessons), 'lesson')} cannot be split into {shards} shards")
    return split_lessons(lessons, shards, recorded_times(lessons))[number - 1]
