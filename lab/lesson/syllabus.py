"""The syllabus: the talk's topics, the order of the lessons, and paths through them for an hour or a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.lesson.model import Title
from lab.lesson.sign import Sign
from lab.schema.value import Id, Value

Stop = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*(:[a-z0-9][a-z0-9-]*)?$", max_length=121)]
"""`lesson` or `lesson:step`."""


class Topic(Value):
    """A topic of the talk: its slides, and the lessons that teach it (empty if there are none yet)."""

    id: Id
    title: Title
    slides: Annotated[tuple[Title, ...], Field(min_length=1)]
    lessons: tuple[Id, ...] = ()


class Point(Value):
    """One point of the talk, and the sign by which a step that covers it is known: `by hand` the learner types its
    command, `seen` it is in a pane or a block of a stack file, `measured` a check asks for it."""

    id: Id
    title: Title
    topic: Id
    how: Literal["by hand", "seen", "measured"]
    sign: Sign

    @model_validator(mode="after")
    def _sane(self) -> Point:
        wanted = {"by hand": ("command",), "seen": ("pane", "reads"), "measured": ("check",)}[self.how]
        if not any(getattr(self.sign, key) for key in wanted):
            raise ValueError(f"what is {self.how} needs {' or '.join(wanted)} in its sign")
        return self


class CoursePath(Value):
    """A way through the lessons: whole lessons, and single steps of others."""

    title: Title
    minutes: Annotated[int, Field(ge=1, le=10_000)]
    steps: Annotated[tuple[Stop, ...], Field(min_length=1)]

    def stops(self) -> Iterator[tuple[str, str]]:
        """Yield each lesson with the step, "" for all of it."""
        for stop in self.steps:
            lesson, _, step = stop.partition(":")
            yield lesson, step


class Syllabus(Value):
    """The topics in the order of the talk, the order in which the lessons are offered, paths through them,
    the points of the talk, and those of them that no lesson covers yet."""

    title: Title
    lessons: tuple[Id, ...]
    topics: Annotated[tuple[Topic, ...], Field(min_length=1)]
    paths: Mapping[Id, CoursePath] = {}
    points: tuple[Point, ...] = ()
    not_covered: tuple[Id, ...] = ()
