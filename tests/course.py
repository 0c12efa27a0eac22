"""The course and its recordings, each read once for all tests: lessons and tapes are immutable."""

from __future__ import annotations

from functools import cache

from lab import paths
from lab.lesson.course import load_course
from lab.tape.tape import Tape, load

LESSONS = load_course()


@cache
def recording(lesson: str) -> Tape:
    """The recording of a lesson that travels with the program."""
    return load(paths.recordings() / f"{lesson}.tape")
