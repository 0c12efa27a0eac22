"""The state of the lesson: its steps, the verdicts of their checks, the values that they captured."""

from __future__ import annotations

from dataclasses import dataclass, replace

from immutables import Map

from lab.world.entries import Captured, Checked, HintTaken, LessonOpened, StepMoved
from lab.world.waiting import Waiting, say_how_long


@dataclass(frozen=True, slots=True)
class Step:
    """The state of a step: begun | passed | failed, when it began and ended, and how many requests were sent and failed
    if it asks for that."""

    state: str
    began: float
    ended: float | None = None
    why: str = ""
    requests: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A check's last evaluation."""

    at: float
    text: str
    ok: bool
    why: str
    phase: str
    waits: tuple[Waiting, ...] = ()

    def why_at(self, now: float) -> str:
        """Return what was found, and for how long it has been so at `now`, the journal's time in seconds."""
        return say_how_long(self.why, self.waits, now)


@dataclass(frozen=True, slots=True)
class LessonState:
    """The state of the lesson `id`. `step` is the last step that changed; `steps` is keyed by lesson and step,
    `verdicts` by lesson, step and the check's index; `hints` are the ids of the hints that were taken, by lesson and
    step."""

    id: str = ""
    step: str = ""
    steps: Map[tuple[str, str], Step] = Map()
    verdicts: Map[tuple[str, str, int], Verdict] = Map()
    captured: Map[str, str] = Map()
    hints: Map[tuple[str, str], frozenset[str]] = Map()


OfLesson = LessonOpened | StepMoved | Checked | Captured | HintTaken


def fold_lesson(lesson: LessonState, at: float, fact: OfLesson) -> LessonState:
    """Return the lesson after one more fact about it."""
    match fact:
        case LessonOpened():
            return LessonState(id=fact.lesson)
        case StepMoved():
            return _fold_step(lesson, at, fact)
        case Checked():
            verdict = Verdict(at, fact.text, fact.ok, fact.why, fact.phase, fact.waits)
            return replace(lesson, verdicts=lesson.verdicts.set((fact.lesson, fact.step, fact.check), verdict))
        case Captured():
            return replace(lesson, captured=lesson.captured.set(fact.name, fact.value))
        case HintTaken():
            key = fact.lesson, fact.step
            return replace(lesson, hints=lesson.hints.set(key, lesson.hints.get(key, frozenset()) | {fact.hint}))


def _fold_step(lesson: LessonState, at: float, fact: StepMoved) -> LessonState:
    key = (fact.lesson, fact.step)
    if fact.state == "begun":
        step = Step("begun", at)
    else:
        before = lesson.steps.get(key)
        # One that was not begun since has no duration: it passed by itself, or in an earlier run.
        began = before.began if before is not None and before.state == "begun" else at
        step = Step(fact.state, began, at, fact.why, fact.requests)
    return replace(lesson, step=fact.step, steps=lesson.steps.set(key, step))
