"""What a lesson's run measured under load, step by step, beside the numbers that the learner said. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.schema import template

if TYPE_CHECKING:
    # The app's first paint waits for this module: it must not wait for pydantic.
    from lab.lesson.model import Lesson
    from lab.world.lesson_state import LessonState

NOT_YET = "not measured"


@dataclass(frozen=True, slots=True)
class Measured:
    """A step that asks for a number: its title, the learner's number ("" for none), and how many requests were sent and
    failed, None when that was not measured."""

    title: str
    said: str
    sent: int | None
    failed: int | None

    @property
    def words(self) -> str:
        """The result: `3 of 60 failed`."""
        return NOT_YET if self.sent is None else f"{self.failed} of {self.sent} failed"


def list_measured(lesson: Lesson, state: LessonState) -> tuple[Measured, ...]:
    """Return a row for each step that asks for a number, or nothing when none of them was measured."""
    rows = []
    for step in lesson.steps:
        if step.question is None or step.question.choices:
            continue
        record = state.steps.get((lesson.id, step.id))
        sent, failed = record.requests if record is not None and record.requests is not None else (None, None)
        said = "" if sent is None else state.captured.get(step.question.name, "")
        rows.append(Measured(template.fill(step.title, state.captured), said, sent, failed))
    return tuple(rows) if any(row.sent is not None for row in rows) else ()
