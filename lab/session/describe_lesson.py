"""What a lesson says around a tape of it: for transcripts, from the lesson as it is now."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Mapping

from lab import paths
from lab.errors import InputError
from lab.lesson.course import load_course, load_lesson
from lab.lesson.find_challenge import find_challenge
from lab.lesson.model import Lesson, Step
from lab.schema import template
from lab.tape.lesson_text import LessonText
from lab.text import count_of

#: The longest command that stands on one line of a transcript.
_FITS = 70
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")


def find_lesson(id: str) -> Lesson | None:
    """Return the course's lesson with this id, or the challenge with its seed; None when there is none, or the course
    cannot be read."""
    return _of_its_file(id) or _course().get(id) or find_challenge(id)


@functools.cache
def _of_its_file(id: str) -> Lesson | None:
    """Return the lesson from the file that is named by its id, which spares reading all others."""
    try:
        lesson = load_lesson(paths.lessons() / f"{id}.yaml") if _ID.fullmatch(id) else None
    except InputError:
        return None
    return lesson if lesson is not None and lesson.id == id else None


@functools.cache
def _course() -> Mapping[str, Lesson]:
    try:
        return {lesson.id: lesson for lesson in load_course()}
    except InputError:
        return {}  # Problems with the lessons are reported where they are checked.


def lesson_text(lesson: Lesson | None, *, whole: bool = False) -> LessonText:
    """Return what a transcript tells of a lesson; nothing for None. `whole`: also what is read before the lesson and
    before each step, for a reader who has nothing else."""
    if lesson is None:
        return LessonText()
    afters = {step.id: text for step in lesson.steps if (text := after_text(step, asked=whole))}
    titles = {step.id: step.title for step in lesson.steps}
    texts = (about_text(lesson), *lesson.recap, *(text for step in lesson.steps for text in step.strings()))
    uses = frozenset(name for text in texts for name in template.placeholders(text))
    if not whole:
        return LessonText(titles=titles, afters=afters, recap=lesson.recap, terms=lesson.terms, uses=uses)
    befores = {step.id: before_text(step) for step in lesson.steps}
    return LessonText(about_text(lesson), titles, befores, afters, lesson.recap, lesson.terms, uses)


def about_text(lesson: Lesson) -> str:
    """Return as Markdown what is told before a lesson's first step."""
    length = f"{count_of(lesson.minutes, 'minute')}, {count_of(len(lesson.steps), 'step')}"
    kubernetes = f"In Kubernetes: {lesson.kubernetes}" if lesson.kubernetes else ""
    return "\n\n".join(part.rstrip() for part in (f"{lesson.title}: {length}", lesson.about, kubernetes) if part)


def before_text(step: Step) -> str:
    """Return as Markdown what is told before a step: its text, and its question with what there is to choose from."""
    question, parts = step.question, [step.text]
    if question is not None:
        parts += [f"Question: {question.text}", "\n".join(f"- {choice}" for choice in question.choices)]
    return "\n\n".join(part.rstrip() for part in parts if part)


def after_text(step: Step, *, asked: bool = False) -> str:
    """Return as Markdown what is told once a step has passed; "" for nothing. `asked`: its question was told before."""
    question, parts = step.question, [step.after]
    if question is not None and question.choices:
        parts += [*([] if asked else [f"Question: {question.text}"]), f"Answer: {question.answer}"]
    parts.append(question.because if question is not None else None)
    for way in step.ways:
        # A command that is broken in two can no longer be copied.
        fits = len(way) <= _FITS and "\n" not in way
        parts.append(f"also: {way}" if fits else f"also:\n\n{textwrap.indent(way.strip(), '    ')}")
    return "\n\n".join(part.rstrip() for part in parts if part)
