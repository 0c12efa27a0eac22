"""A cluster as a talk sees it: it does what a test says, and notes what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Callable

from lab.lesson.model import Lesson
from lab.world.entries import LessonOpened, ManagerLink, StepMoved
from lab.world.journal import Journal
from tests.course import LESSONS

BOUND = 30.0
"""Seconds that a test waits for anything."""


class Cluster:
    """A source of a talk that does what a test says: `verdict` returns why a step fails, or "" when it passes."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.title = "default · 4 nodes"
        self.did: list[str] = []
        self.told: list[str] = []
        self.verdict: Callable[[str], str] = lambda _: ""
        self.hangs, self.stopped = threading.Event(), threading.Event()
        self._lesson: Lesson | None = None
        self.journal.write(ManagerLink("live", "node1"))

    def open(self, lesson: str) -> Lesson:
        self._lesson = next(each for each in LESSONS if each.id == lesson)
        self.journal.write(LessonOpened(lesson))
        return self._lesson

    def play(self, step: str) -> None:
        assert self._lesson is not None
        self.did.append(f"play {step}")
        self.stopped.clear()
        self.journal.write(StepMoved(self._lesson.id, step, "begun"))
        if self.hangs.is_set():
            assert self.stopped.wait(BOUND)
        why = "stopped" if self.stopped.is_set() else self.verdict(step)
        self.journal.write(StepMoved(self._lesson.id, step, "failed" if why else "passed", why))

    def stop(self) -> None:
        self.stopped.set()

    def reset(self, step: str = "") -> str:
        self.did.append(f"reset {step}")
        return ""

    def keys(self, data: str) -> None:
        self.did.append(f"keys {data}")

    def resize(self, columns: int, rows: int) -> None:
        self.told.append(f"resize {columns}x{rows}")

    def show(self, view: str) -> None:
        self.told.append(f"show {view}")

    def close(self) -> None:
        self.did.append("close")
        self.stop()
