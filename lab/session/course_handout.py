"""Several lessons as one handout: a title, the contents, and each lesson with what was recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from lab.lesson.model import Lesson
from lab.lesson.syllabus import CoursePath
from lab.session.handout import Draw, handout
from lab.tape.escape_markdown import one_line, prose
from lab.tape.tape import Tape
from lab.text import count_of


@dataclass(frozen=True)
class Part:
    """A lesson with its recording; `steps` are those that are handed out, None for all of them."""

    lesson: Lesson
    tape: Tape
    steps: frozenset[str] | None = None

    @property
    def minutes(self) -> float:
        """How long it takes; of single steps, their share of the lesson."""
        share = 1.0 if self.steps is None else len(self.steps) / len(self.lesson.steps)
        return self.lesson.minutes * share


def parts_of_path(path: CoursePath, lessons: Mapping[str, Lesson], tapes: Mapping[str, Tape]) -> Iterator[Part]:
    """Yield the parts of a path: steps of one lesson that follow each other are one. Raises KeyError for a lesson
    that is not among those given."""
    for id, stops in groupby(path.stops(), key=lambda stop: stop[0]):
        steps = frozenset(step for _, step in stops)
        yield Part(lessons[id], tapes[id], None if "" in steps else steps)


def course_handout(title: str, parts: Sequence[Part], *, minutes: int = 0, draw: Draw | None = None) -> str:
    """Return the parts as one document in Markdown; `minutes` is how long they take together, if that is known."""
    long = minutes or round(sum(part.minutes for part in parts))
    lines = [f"# {prose(title)}", "", f"{count_of(len(parts), 'lesson')}, about {count_of(long, 'minute')}."]
    lines += ["", "## Contents", ""]
    names = anchors([part.lesson.title for part in parts])
    for number, (part, name) in enumerate(zip(parts, names, strict=True), 1):
        lines.append(f"{number}. [{prose(part.lesson.title)}](#{name})")
    whole = [handout(part.tape, part.lesson, draw=draw, level=2, only=part.steps) for part in parts]
    return "\n".join([*lines, "", *whole])


def anchors(titles: Sequence[str]) -> list[str]:
    """Return a name for each heading, as GitHub makes them: the words in lower case with hyphens, and a number when the
    same comes again."""
    found: dict[str, int] = {}
    names = []
    for title in titles:
        letters = (c for c in one_line(title).lower() if c.isalnum() or c in " -_")
        name = "".join(letters).replace(" ", "-")
        names.append(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names
