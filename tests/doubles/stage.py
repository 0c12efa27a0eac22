"""A live stage on a model of a swarm: steps are run, and the step whose page is shown is watched, as on a cluster."""

from __future__ import annotations

import threading

from lab.errors import InputError, LabError
from lab.lesson.checkpoint import checkpoint_before
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt, Standing
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.run.open_step import OpenStep, open_step
from lab.run.runner import open_lesson, run_step
from lab.session import UndoOffer
from lab.world.entries import Captured, HintTaken, ManagerLink, StepMoved
from tests.course import LESSONS
from tests.doubles.driver import ModelDriver

#: What the lab's stacks need to be told.
ENV = {"ACME_DIR": "/nowhere"}
#: Looks at the open step after a command, each a second of the model's time.
LOOKS = 60


class ModelStage:
    """`lab.session.Stage` on a model. A lesson begins at its checkpoint. The model's time goes on only while something
    is awaited: the open step is looked at after each command, until it is done or nothing more happens."""

    live = True

    def __init__(self) -> None:
        self.driver = ModelDriver()
        self.journal = self.driver.journal
        self.title = "model · 4 nodes · none"
        self._turn = threading.Lock()
        self._lesson: Lesson | None = None
        self._open: OpenStep | None = None
        self._shown = ""
        self.journal.write(ManagerLink("live", "node1"))

    def lessons(self) -> tuple[Lesson, ...]:
        return LESSONS

    def open(self, lesson: str) -> Lesson:
        found = next((each for each in self.lessons() if each.id == lesson), None)
        if found is None:
            raise InputError(f"there is no lesson {lesson}")
        self._lesson = found
        self._put_back("")
        return found

    def standings(self) -> dict[str, Standing]:
        return {}

    def challenges(self) -> tuple[Attempt, ...]:
        return ()

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:
        raise InputError(f"there is no challenge {challenge}")

    def find_drift(self) -> str:
        return ""

    def take_hint(self, step: str, hint: str) -> None:
        self.journal.write(HintTaken(self._need_lesson().id, step, hint))

    def _need_lesson(self) -> Lesson:
        assert self._lesson is not None
        return self._lesson

    def _put_back(self, step: str) -> None:
        lesson = self._need_lesson()
        self.driver.look()
        checkpoint = checkpoint_before(lesson, step or None)
        todo = plan(self.journal.world, checkpoint, made_by_lab=True, env=ENV)
        apply(todo.actions, checkpoint, self.driver, clock=self.driver.time)
        open_lesson(lesson, self.driver)
        for each in lesson.steps if step else ():
            if each.id == step:
                break
            self.journal.write(StepMoved(lesson.id, each.id, "passed"))

    def play(self, step: str) -> None:
        lesson = self._need_lesson()
        found = lesson.step(step)
        assert found is not None
        with self._turn:
            self._open = None
            try:
                run_step(lesson, found, self.driver, strict=False)
            except LabError as error:
                self.journal.write(StepMoved(lesson.id, step, "failed", str(error)))

    def show_step(self, step: str) -> None:
        lesson, self._open = self._need_lesson(), None
        record = self.journal.world.lesson.steps.get((lesson.id, step))
        found = lesson.step(step)
        if found is None or (record is not None and record.state == "passed"):
            return
        with self._turn:
            try:
                self._open = open_step(lesson, found, self.driver)
            except LabError:
                self._open = None  # A value of an earlier step is missing.

    def type_command(self, text: str) -> None:
        with self._turn:
            self.driver.run(text)
            for _ in range(LOOKS if self._open is not None else 0):
                if self._open is not None and self._open.look(0.0):
                    self._open.finish()
                    self._open = None
                    return
                self.journal.wait(lambda _: False, 1.0)

    def stop(self) -> None:
        """Do nothing: a model's step takes no time."""

    def reset(self, step: str = "") -> str:
        with self._turn:
            self._put_back(step)
        return "The cluster is put back."

    def offer_undo(self) -> UndoOffer:
        raise InputError("a model has no snapshots")

    def undo(self) -> str:
        raise InputError("a model has no snapshots")

    def keys(self, data: str) -> None:
        raise AssertionError("nothing is typed into a terminal here")

    def answer(self, name: str, value: str) -> None:
        self.journal.write(Captured(name, value))

    def load(self, rate: float | None) -> None:
        raise AssertionError("a model has no load")

    def show(self, view: str) -> None:
        raise AssertionError("nothing is shown here")

    def resize(self, columns: int, rows: int) -> None:
        raise AssertionError("there is no terminal here")

    def close(self) -> None:
        pass
