"""Finds words in all lessons: in their titles and their steps', in terms and in commands; and challenges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    # The app waits for this module when the board opens: it must not wait for pydantic.
    from lab.lesson.model import Lesson

Kind = Literal["Lessons", "Steps", "Terms", "Commands", "Challenges"]
KINDS: tuple[Kind, ...] = ("Lessons", "Steps", "Terms", "Commands", "Challenges")


@dataclass(frozen=True, slots=True)
class Found:
    """A place in the lessons: `page` is that of the step, None where the lesson goes on. `text` is what was found
    there, and `meaning` what a term means."""

    kind: Kind
    lesson: Lesson
    page: int | None
    text: str
    meaning: str = ""


def search_lessons(lessons: Iterable[Lesson], query: str, challenges: Iterable[Lesson] = ()) -> list[Found]:
    """Return the places that have every word of `query`, whatever their capitals: by kind, and by lesson within it. Of
    a challenge only the title and the symptom are looked at; the rest would give it away."""
    words = query.casefold().split()
    if not words:
        return []
    known = [place for lesson in lessons for place in _places(lesson)]
    known += [Found("Challenges", each, None, each.title, each.steps[0].text) for each in challenges]
    found = [place for place in known if _has(f"{place.text} {place.meaning}", words)]
    return sorted(found, key=lambda place: KINDS.index(place.kind))


def _places(lesson: Lesson) -> Iterator[Found]:
    yield Found("Lessons", lesson, None, lesson.title)
    for page, step in enumerate(lesson.steps):
        yield Found("Steps", lesson, page, step.title)
        for line in (step.run or "").splitlines():
            yield Found("Commands", lesson, page, line.strip().removesuffix("\\").rstrip())
    for word, meaning in lesson.terms.items():
        yield Found("Terms", lesson, _page_of(lesson, word), word, meaning)


def _page_of(lesson: Lesson, word: str) -> int:
    """Return the page of the first step whose text has the word; the last page, which explains it, for none."""
    pages = (page for page, step in enumerate(lesson.steps) if _has(step.text, [word.casefold()]))
    return next(pages, len(lesson.steps))


def _has(text: str, words: Iterable[str]) -> bool:
    known = text.casefold()
    return all(word in known for word in words)
