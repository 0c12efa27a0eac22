"""A lesson's file while it is being written: read again whenever it is saved, and given to the stage that shows it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Protocol

from lab.errors import InputError
from lab.lesson.course import load_lesson
from lab.lesson.model import Lesson, Step
from lab.session import Stage

_DOES = {"id", "run", "on", "act", "solution", "capture", "then", "leaves"}
"""The keys of a step that say what it does and what must then be true; the others are texts."""

_Stamp = tuple[int, int] | None
"""A file's time of change in nanoseconds and its size in bytes; None for no file."""


class DraftStage(Stage, Protocol):
    """A stage whose lesson may change while it is shown."""

    def revise(self, lesson: Lesson) -> bool:
        """Take another version of the lesson in place of the one before, which stays open if the id is the same.
        Returns False, and does nothing, while a step runs. Raises LabError when the progress cannot be saved."""


@dataclass(frozen=True)
class Saved:
    """A version of the lesson that was saved. `waits`: the stage has it once what it does has ended."""

    lesson: Lesson
    waits: bool = False


class Draft:
    """A lesson's file on a stage that `make` makes of the lessons that can be read: one, or none yet."""

    def __init__(self, path: Path, make: Callable[[tuple[Lesson, ...]], DraftStage]) -> None:
        self.path = path
        self._make = make
        self._stage: DraftStage | None = None
        self._seen: _Stamp = None
        self._read: _Stamp = None
        self._waiting: Lesson | None = None

    def stage(self) -> Stage:
        """Read the file and make its stage. A file that cannot be read is no error here: `reload` says why."""
        stamp, lessons = self._look(), list[Lesson]()
        with suppress(InputError):
            lessons.append(load_lesson(self.path))
            self._seen = self._read = stamp
        self._stage = self._make(tuple(lessons))
        return self._stage

    def reload(self) -> Saved | None:
        """Return the lesson if its file was saved since it was last read: at once if it has to wait, and when the stage
        has it; else None. Never waits.

        To be called every few tenths of a second: many editors write a file in several steps, so it is read when two
        looks in a row found the same. Raises Problems with everything that is wrong with it, once for each save.
        """
        stamp, before = self._look(), self._seen
        self._seen = stamp
        if self._stage is None:
            return None
        lesson, self._waiting = self._waiting, None
        told = lesson is not None
        if stamp == before and stamp != self._read:
            self._read, told = stamp, False
            lesson = load_lesson(self.path)
        if lesson is None:
            return None
        if self._stage.revise(lesson):
            return Saved(lesson)
        self._waiting = lesson
        return None if told else Saved(lesson, waits=True)

    def _look(self) -> _Stamp:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size


def first_changed(before: Lesson, after: Lesson) -> str | None:
    """Return the first step that does or asks for something else than before, or starts from something else; None when
    only texts differ. Steps from there on are to be passed again."""
    if before.start != after.start:
        return after.steps[0].id
    for old, new in zip_longest(before.steps, after.steps):
        if new is None:
            return None
        if old is None or _does(old) != _does(new):
            return str(new.id)
    return None


def _does(step: Step) -> object:
    return step.model_dump(include=_DOES)
