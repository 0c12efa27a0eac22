"""Whether the course covers the talk: each point by a step of a lesson, each topic that a lesson claims by one of its
steps. Pure, but for `find_uncovered`, which reads a syllabus."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lab.errors import InputError
from lab.lesson import read
from lab.lesson.model import Lesson
from lab.lesson.read import ParsedFile
from lab.lesson.sign import find_step
from lab.lesson.syllabus import Syllabus
from lab.schema import diagnostics

WORDS = {"by hand": "types", "seen": "shows", "measured": "measures"}
"""What a step does with a point, by how the syllabus wants it covered."""


def find_gaps(plan: ParsedFile[Syllabus], lessons: Sequence[ParsedFile[Lesson]]) -> Iterator[InputError]:
    """Yield the points that no step has and `not_covered` does not name, the ids there that a step has after all, and
    the claims of lessons none of whose steps touches the topic. A syllabus without points claims nothing."""
    value = plan.value
    if not value.points:
        return
    topics, points = {topic.id for topic in value.topics}, {point.id for point in value.points}
    covered: dict[str, str] = {}
    touched = set[tuple[str, str]]()
    for index, point in enumerate(value.points):
        place = ("points", index)
        if point.topic not in topics:
            near = diagnostics.did_you_mean(point.topic, topics)
            yield plan.problem(f"the point {point.id} names the topic {point.topic}, which is not here{near}", *place)
        for each in lessons:
            if (step := find_step(point.sign, each.value)) is not None:
                covered.setdefault(point.id, f"{each.value.id}:{step.id}")
                touched.add((each.value.id, point.topic))
        if point.id not in covered and point.id not in value.not_covered:
            yield plan.problem(f"no lesson {WORDS[point.how]} the point {point.id} ({point.title})", *place)
    for index, id in enumerate(value.not_covered):
        if id not in points:
            near = diagnostics.did_you_mean(id, points)
            yield plan.problem(f"not_covered names {id}, which is no point{near}", "not_covered", index)
        elif id in covered:
            yield plan.problem(f"not_covered names {id}, but {covered[id]} covers it", "not_covered", index)
    for index, topic in enumerate(value.topics):
        if all(point.topic != topic.id for point in value.points):
            yield plan.problem(f"the topic {topic.id} has no points", "topics", index)
        known = {each.value.id for each in lessons}
        for n, id in enumerate(topic.lessons):
            if id in known and (id, topic.id) not in touched:
                reason = f"the topic {topic.id} names the lesson {id}, none of whose steps touches a point of it"
                yield plan.problem(reason, "topics", index, "lessons", n)
    yield from _find_empty_claims(lessons, topics, touched)


def _find_empty_claims(
    lessons: Iterable[ParsedFile[Lesson]], topics: set[str], touched: set[tuple[str, str]]
) -> Iterator[InputError]:
    for each in lessons:
        for index, topic in enumerate(each.value.topics):
            if topic in topics and (each.value.id, topic) not in touched:
                reason = f"the lesson claims the topic {topic}, but none of its steps touches a point of it"
                yield each.problem(reason, "topics", index)


def find_uncovered(syllabus: Path) -> Iterator[InputError]:
    """Yield a note on each point that a syllabus says is not covered, with its line. Raises Problems."""
    plan = read.read_syllabus(syllabus)
    titles = {point.id: point.title for point in plan.value.points}
    for index, id in enumerate(plan.value.not_covered):
        if id in titles:
            yield plan.problem(f"not covered by a lesson yet: {id} ({titles[id]})", "not_covered", index)
