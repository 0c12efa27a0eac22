"""Which lessons a run of the live tests proves: a fixed core, and a shard of the others, chosen by the commit. A shard
is bounded by the recorded times of its lessons, so a course that grows has more shards, and a run takes no longer.

`make prove` proves them all; SWARMLAB_SHARD=2/4 chooses the second of four shards.
"""

from __future__ import annotations

import math
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from lab.lesson.course import load_course
from lab.lesson.model import Lesson
from lab.session.shard import parse_shard, recorded_times, split_lessons

CORE = frozenset({"first-service", "reconciliation"})
#: Recorded seconds of the lessons that are proven beside the core, and of those that are taken by other commands.
OTHERS, WAYS = 450.0, 350.0


def choose_lessons(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Return the lessons to prove, in their order. Raises InputError for a SWARMLAB_SHARD that is none."""
    given = os.environ.get("SWARMLAB_SHARD", "")
    if given == "all":
        return tuple(lessons)
    others = [lesson for lesson in lessons if lesson.id not in CORE]
    if given:
        number, shards = parse_shard(given)
        part = split_lessons(others, shards, times())[number - 1]
    else:
        part = choose_part(others, OTHERS)
    chosen = {lesson.id for lesson in part}
    return tuple(lesson for lesson in lessons if lesson.id in CORE | chosen)


def choose_part(lessons: Sequence[Lesson], seconds: float) -> tuple[Lesson, ...]:
    """Return the commit's part of the lessons: of as many parts as it takes for each to be about `seconds` long, or as
    long as one lesson that is longer."""
    parts = split_lessons(lessons, count_parts(lessons, seconds), times())
    return parts[number_of_commit() % len(parts)]


def count_parts(lessons: Sequence[Lesson], seconds: float) -> int:
    """Return in how many parts of about `seconds` each lesson has its turn."""
    return max(1, math.ceil(sum(times()[lesson.id] for lesson in lessons) / seconds))


@cache
def times() -> Mapping[str, float]:
    """Return the recorded seconds of each lesson of the course; the recordings are read once."""
    return recorded_times(load_course())


def number_of_commit() -> int:
    """Return a number that differs from commit to commit; 0 where there is no repository."""
    argv = ["git", "rev-parse", "HEAD"]
    folder = Path(__file__).parent
    try:
        said = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return 0
    return int(said[:8], 16) if said else 0
