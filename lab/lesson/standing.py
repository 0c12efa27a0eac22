"""Where one is in a lesson, in values and in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.text import count_of

if TYPE_CHECKING:
    # The app's first paint waits for this module: it must not wait for pydantic.
    from lab.lesson.model import Lesson


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one is in a lesson: the ids of the steps `passed` on the present way through it, and of those ever `done`;
    how many `hints` were taken. `last`: it is the lesson that was opened last. `instant`: a reset to its start takes
    seconds. `lacks` says what the cluster does not have that the lesson needs, "" for nothing."""

    passed: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    hints: int = 0
    last: bool = False
    instant: bool = False
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a challenge stands: `lesson` is it with the values that its learner has or, before it is `begun`, will
    have by this `seed`."""

    challenge: str
    seed: int
    lesson: Lesson
    begun: bool = False
    repaired: bool = False


def is_done(lesson: Lesson, standing: Standing) -> bool:
    """Return whether every step was passed, now or at another time."""
    return all(step.id in standing.done for step in lesson.steps)


def next_step(lesson: Lesson, standing: Standing) -> int | None:
    """Return the place of the step that is next on the present way through a lesson; None at its start and its end."""
    place = next((place for place, step in enumerate(lesson.steps) if step.id not in standing.passed), None)
    return place if standing.passed else None


def describe_needs(lesson: Lesson) -> str:
    """Return what cluster a lesson needs: `4 nodes, 3 managers`; "" when any will do."""
    needs = lesson.needs
    words = [count_of(needs.nodes, "node")] * (needs.nodes > 1) + [count_of(needs.managers, "manager")] * (
        needs.managers > 1
    )
    return ", ".join(words)


def describe_attempt(attempt: Attempt) -> str:
    """Return in a word how a challenge stands, "" before it is begun."""
    return "repaired" if attempt.repaired else "begun" if attempt.begun else ""


def next_attempt(attempts: Sequence[Attempt], here: str) -> Attempt | None:
    """Return the first challenge that is not repaired of those that follow the one that is open, then of those before
    it; None when there is no other. `here` is the id of the open one, with its seed, which may be another attempt's."""
    name = here.rpartition("-")[0]
    place = next((place for place, each in enumerate(attempts) if each.challenge == name), -1)
    around = (*attempts[place + 1 :], *attempts[: max(place, 0)])
    return next((each for each in around if not each.repaired), None)


def describe_standing(lesson: Lesson, standing: Standing) -> Iterator[str]:
    """Yield what is to be said of a lesson besides its title and its length, as parts of a sentence."""
    if is_done(lesson, standing):
        yield "done"
    elif standing.done:
        yield f"{len(standing.done)} of them done"
    if (place := next_step(lesson, standing)) is not None:
        yield f"you are at step {place + 1}"
    if standing.hints:
        yield f"{count_of(standing.hints, 'hint')} taken"
    if standing.lacks:
        yield standing.lacks
    elif needs := describe_needs(lesson):
        yield f"needs {needs}"
    if standing.instant:
        yield "a reset takes seconds"
