"""Which lessons a run of the live tests proves: a fixed core, and a quarter of the others, chosen by the commit.

`make prove` proves them all; SWARMLAB_SHARD=2/4 chooses the second quarter.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from lab.lesson.model import Lesson

CORE = frozenset({"first-service", "reconciliation"})
SHARDS = 4


def choose_lessons(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """Return the lessons to prove, in their order. Raises ValueError for a SWARMLAB_SHARD that is none."""
    given = os.environ.get("SWARMLAB_SHARD", "")
    if given == "all":
        return tuple(lessons)
    number, shards = _parse(given) if given else (number_of_commit() % SHARDS + 1, SHARDS)
    others = [lesson.id for lesson in lessons if lesson.id not in CORE]
    chosen = CORE.union(others[number - 1 :: shards])
    return tuple(lesson for lesson in lessons if lesson.id in chosen)


def _parse(text: str) -> tuple[int, int]:
    number, _, shards = text.partition("/")
    if not (number.isdecimal() and shards.isdecimal() and 1 <= int(number) <= int(shards)):
        raise ValueError(f"SWARMLAB_SHARD is I/N, such as 1/3, or all, not {text!r}")
    return int(number), int(shards)


def number_of_commit() -> int:
    """Return a number that differs from commit to commit; 0 where there is no repository."""
    argv = ["git", "rev-parse", "HEAD"]
    folder = Path(__file__).parent
    try:
        said = subprocess.run(argv, cwd=folder, capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return 0
    return int(said[:8], 16) if said else 0
