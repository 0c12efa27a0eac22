"""A stage without a cluster or a recording: a lesson that can only be read."""

from __future__ import annotations

from collections.abc import Mapping

from lab.errors import InputError
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt, Standing
from lab.session import UndoOffer
from lab.world.entries import Captured, HintTaken, LessonOpened, StepMoved
from lab.world.journal import Journal


class ReadingStage:
    """`lab.session.Stage` where nothing runs: a step that is played is shown as it is once it has passed."""

    live = False

    def __init__(self, source: str, lessons: tuple[Lesson, ...] = ()) -> None:
        self.journal = Journal(clock=lambda: 0.0)
        self.title = f"{source} · no cluster"
        self._lessons = lessons
        self._lesson: Lesson | None = None

    def lessons(self) -> tuple[Lesson, ...]:
        """See `Stage.lessons`."""
        return self._lessons

    def open(self, lesson: str) -> Lesson:
        """See `Stage.open`."""
        found = next((each for each in self._lessons if each.id == lesson), None)
        if found is None:
            raise InputError(f"there is no lesson {lesson}")
        self._lesson = found
        self.journal.write(LessonOpened(found.id))
        return found

    def revise(self, lesson: Lesson) -> bool:
        """See `DraftStage.revise`."""
        self._lessons = (lesson,)
        if self._lesson is not None and self._lesson.id == lesson.id:
            self._lesson = lesson
        return True

    def standings(self) -> Mapping[str, Standing]:
        """Return nothing: what is only read is not kept."""
        return {}

    def challenges(self) -> tuple[Attempt, ...]:
        """Return none: nothing can be broken here."""
        return ()

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:  # noqa: ARG002
        """Raise InputError."""
        raise InputError(f"the challenge {challenge} needs a cluster", remedy=f"swarmlab challenge {challenge}")

    def find_drift(self) -> str:
        """Return nothing: there is no cluster."""
        return ""

    def take_hint(self, step: str, hint: str) -> None:
        """See `Stage.take_hint`."""
        self.journal.write(HintTaken(self._need_lesson().id, step, hint))

    def play(self, step: str) -> None:
        """See `Stage.play`: the step passes, and nothing is done or checked."""
        lesson = self._need_lesson()
        self.journal.write(StepMoved(lesson.id, step, "begun"))
        self.journal.write(StepMoved(lesson.id, step, "passed", "Nothing ran: this is what is shown afterwards."))

    def reset(self, step: str = "") -> str:
        """See `Stage.reset`: the steps from there on are shown as they are before they have passed."""
        lesson = self._need_lesson()
        ids = [each.id for each in lesson.steps]
        kept = [id for id in ids[: ids.index(step) if step in ids else 0] if self._has_passed(id)]
        self.journal.write(LessonOpened(lesson.id))
        for id in kept:
            self.play(id)
        return "The steps are shown as they are before they have passed."

    def answer(self, name: str, value: str) -> None:
        """See `Stage.answer`."""
        self.journal.write(Captured(name, value))

    def offer_undo(self) -> UndoOffer:
        """Raise InputError: nothing is done here that could be taken back."""
        raise InputError("nothing ran here: there is nothing to take back")

    def undo(self) -> str:
        """See `offer_undo`."""
        raise InputError("nothing ran here: there is nothing to take back")

    def show_step(self, step: str) -> None:
        """Do nothing: no check can come true here."""

    def stop(self) -> None:
        """Do nothing: no step takes any time."""

    def keys(self, data: str) -> None:
        """Do nothing: there is no shell."""

    def type_command(self, text: str) -> None:  # noqa: ARG002
        """See `Stage.type_command`."""
        raise InputError("there is no shell here: the lesson is only read", remedy="swarmlab up makes a cluster")

    def load(self, rate: float | None) -> None:
        """Do nothing: there is nothing to send requests to."""

    def show(self, view: str) -> None:
        """Do nothing: there is nothing to watch."""

    def resize(self, columns: int, rows: int) -> None:
        """Do nothing: there is no shell."""

    def close(self) -> None:
        """Do nothing: there is nothing to end."""

    def _has_passed(self, step: str) -> bool:
        return self._lesson is not None and (self._lesson.id, step) in self.journal.world.lesson.steps

    def _need_lesson(self) -> Lesson:
        if self._lesson is None:
            raise InputError("no lesson is open")
        return self._lesson
