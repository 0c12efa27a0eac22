"""What a lesson says around a tape of it: for transcripts, from the lesson as it is now."""

from __future__ import annotations

import functools
import textwrap
from collections.abc import Mapping

from lab.errors import InputError
from lab.lesson.course import load_course
from lab.lesson.find_challenge import find_challenge
from lab.lesson.model import Lesson, Step
from lab.tape.lesson_text import LessonText

#: The longest command that stands on one line of a transcript.
_FITS = 70


def find_lesson(id: str) -> Lesson | None:
    """Return the course's lesson with this id, or the challenge with its seed; None when there is none, or the course
    cannot be read."""
    return _course().get(id) or find_challenge(id)


@functools.cache
def _course() -> Mapping[str, Lesson]:
    try:
        return {lesson.id: lesson for lesson in load_course()}
    except InputError:
        return {}  # Problems with the lessons are reported where they are checked.


def lesson_text(lesson: Lesson | None) -> LessonText:
    """Return what a transcript tells of a lesson; nothing for None."""
    if lesson is None:
        return LessonText()
    afters = {step.id: text for step in lesson.steps if (text := after_text(step))}
    titles = {step.id: step.title for step in lesson.steps}
    return LessonText(titles, afters, lesson.recap, lesson.terms)


def after_text(step: Step) -> str:
    """Return as Markdown what is told once a step has passed; "" for nothing."""
    question, parts = step.question, [step.after]
    if question is not None and question.choices:
        parts += [f"Question: {question.text}", f"Answer: {question.answer}"]
    parts.append(question.because if question is not None else None)
    for way in step.ways:
        # A command that is broken in two can no longer be copied.
        fits = len(way) <= _FITS and "\n" not in way
        parts.append(f"also: {way}" if fits else f"also:\n\n{textwrap.indent(way.strip(), '    ')}")
    return "\n\n".join(part.rstrip() for part in parts if part)
