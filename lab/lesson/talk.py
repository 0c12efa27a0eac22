"""A talk: the steps that a speaker goes through in front of a room, from a path or from lessons. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.errors import InputError
from lab.lesson.model import Lesson, Step
from lab.lesson.notes import Notes, notes_markdown
from lab.lesson.syllabus import CoursePath

WORDS_PER_SECOND = 2.2
"""A calm speaker: 130 words a minute."""
SHORTEST_WORDS = 8.0
"""Seconds that any step is spoken about."""


@dataclass(frozen=True)
class Slide:
    """One step of a talk."""

    lesson: Lesson
    step: Step

    @property
    def id(self) -> str:
        """`lesson:step`, as the command line names it."""
        return f"{self.lesson.id}:{self.step.id}"

    @property
    def bound(self) -> float:
        """Seconds after which the step is given up, whatever was forecast."""
        return self.step.bound

    @property
    def words(self) -> float:
        """Seconds that the speaker's own words take, estimated from the notes, or from the text where there are none.
        What is said while the command runs takes no time of its own."""
        notes = self.step.notes
        if isinstance(notes, Notes):
            said = " ".join(part for part in (notes.say, notes.point_at, notes.ask) if part)
        else:
            said = notes_markdown(notes) or self.step.text
        return max(SHORTEST_WORDS, len(said.split()) / WORDS_PER_SECOND)


@dataclass(frozen=True)
class Talk:
    """The slides in order. `id` names the talk where its rehearsals are kept; `minutes` is the slot it is given in."""

    id: str
    title: str
    minutes: float
    slides: tuple[Slide, ...]

    def place_of(self, id: str) -> int | None:
        """Return the place of the slide `lesson:step`, None when the talk has none."""
        return next((place for place, slide in enumerate(self.slides) if slide.id == id), None)

    def follows(self, place: int) -> bool:
        """Return whether a slide begins where the one before it ends: it is the next step of the same lesson."""
        if place <= 0:
            return False
        before, here = self.slides[place - 1], self.slides[place]
        steps = [step.id for step in here.lesson.steps]
        return before.lesson.id == here.lesson.id and steps.index(here.step.id) == steps.index(before.step.id) + 1


def find_talk(names: Sequence[str], course: Sequence[Lesson], paths: Mapping[str, CoursePath]) -> Talk:
    """Return the talk that `names` mean: one path of the syllabus, or lessons and single steps (`LESSON:STEP`).

    Raises InputError for a name that is neither, with the names that there are.
    """
    path = paths.get(names[0]) if len(names) == 1 else None
    stops = tuple(path.stops()) if path is not None else tuple(_stop(name) for name in names)
    slides = tuple(slide for lesson, step in stops for slide in _slides(lesson, step, course, paths))
    if path is not None:
        return Talk(names[0], path.title, path.minutes, slides)
    minutes = max(1.0, sum(slide.lesson.minutes / len(slide.lesson.steps) for slide in slides))
    title = slides[0].lesson.title if len({slide.lesson.id for slide in slides}) == 1 else ", ".join(names)
    return Talk("+".join(name.replace(":", ".") for name in names)[:120], title, minutes, slides)


def _stop(name: str) -> tuple[str, str]:
    lesson, _, step = name.partition(":")
    return lesson, step


def _slides(id: str, step: str, course: Sequence[Lesson], paths: Mapping[str, CoursePath]) -> tuple[Slide, ...]:
    lesson = next((each for each in course if each.id == id), None)
    if lesson is None:
        known = f"paths: {', '.join(paths)}; lessons: {', '.join(each.id for each in course)}"
        raise InputError(f"there is no path and no lesson {id}", remedy=known)
    if not step:
        return tuple(Slide(lesson, each) for each in lesson.steps)
    found = lesson.step(step)
    if found is None:
        raise InputError(
            f"lesson {id} has no step {step}", remedy=f"its steps are: {', '.join(each.id for each in lesson.steps)}"
        )
    return (Slide(lesson, found),)
