"""The lessons of a folder, held against its syllabus, and what is wrong with files of lessons and stacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from lab import paths
from lab.course import document, mistakes, read
from lab.course.document import Document
from lab.course.mistakes import Problems
from lab.course.read import Read
from lab.course.schema import Lesson, Syllabus
from lab.course.stack import check
from lab.errors import InputError

__all__ = ["SYLLABUS", "Problems", "check_paths", "load_course", "load_lesson", "load_syllabus"]

SYLLABUS = "syllabus.yaml"
_YAML = frozenset({".yaml", ".yml"})
_OF_STACKS = frozenset({"version", "networks", "volumes", "secrets", "configs"})
_OF_LESSONS = frozenset({"id", "steps", "topics"})
Tape = Callable[[Path], object]
"""Reads a recording; raises InputError when it is not a good one."""


def load_course(folder: Path | None = None) -> tuple[Lesson, ...]:
    """The lessons of a folder (by default those that travel with the program), in the syllabus's order, held against
    it and each other. Raises Problems."""
    found = _Found()
    _folder(folder or paths.lessons(), found, None)
    if found.problems or found.syllabus is None:
        raise Problems(found.problems or [InputError("there are no lessons", path=folder)])
    lessons = {each.value.id: each.value for each in found.lessons}
    return tuple(lessons[id] for id in found.syllabus.value.lessons)


def load_lesson(path: Path) -> Lesson:
    """One lesson's file. Raises Problems (an InputError) with all that is wrong."""
    return read.lesson(path).value


def load_syllabus(path: Path) -> Syllabus:
    """The syllabus's file. Raises Problems."""
    return read.syllabus(path).value


def check_paths(targets: Iterable[Path], tape: Tape | None = None) -> tuple[tuple[InputError, ...], int]:
    """What is wrong with these files and folders, and how many files were looked at. Raises nothing.

    YAML is a lesson, the syllabus or a stack file. What is not YAML by its name is given to `tape`; without one,
    everything is read as a lesson.
    """
    problems: list[InputError] = []
    looked_at = 0
    for path in targets:
        found = _Found()
        try:
            if path.is_dir():
                _folder(path, found, tape)
            else:
                _file(path, found, tape)
        except OSError as error:
            found.problems.append(InputError(f"cannot be read: {error.strerror or error}", path=path))
        problems += found.problems
        looked_at += found.files
    return tuple(problems), looked_at


@dataclass
class _Found:
    """What reading gave so far."""

    files: int = 0
    lessons: list[Read[Lesson]] = field(default_factory=list)
    syllabus: Read[Syllabus] | None = None
    problems: list[InputError] = field(default_factory=list)


def _file(path: Path, found: _Found, tape: Tape | None) -> None:
    found.files += 1
    try:
        if path.name == SYLLABUS:
            found.syllabus = read.syllabus(path)
        elif path.suffix in _YAML and (doc := _stack(path)) is not None:
            found.problems += check.mistakes(doc)
        elif tape is None or path.suffix in _YAML or not path.is_file():
            found.lessons.append(read.lesson(path))
        else:
            tape(path)
    except Problems as problems:
        found.problems += problems.problems
    except InputError as problem:
        found.problems.append(problem)


def _stack(path: Path) -> Document | None:
    """The file, when it is a stack's: it has services at its top, or something else that no lesson has there."""
    try:
        doc = document.read(path)
    except InputError:
        return None  # What is wrong with it is said where it is read as a lesson.
    keys = doc.data.keys()
    return doc if "services" in keys or (keys & _OF_STACKS and not keys & _OF_LESSONS) else None


def _folder(folder: Path, found: _Found, tape: Tape | None) -> None:
    """Each file, then the lessons against the syllabus beside them."""
    read = (*_YAML, ".tape") if tape is not None else _YAML
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix in read)
    for path in files:
        _file(path, found, tape)
    if not found.problems and found.syllabus is not None:
        found.problems += _against(found.syllabus, found.lessons)
    elif not found.problems and found.lessons:
        found.problems.append(InputError(f"there is no {SYLLABUS} beside the lessons", path=folder))


def _against(plan: Read[Syllabus], lessons: list[Read[Lesson]]) -> Iterator[InputError]:
    ids, topics = {each.value.id for each in lessons}, {topic.id for topic in plan.value.topics}
    for index, id in enumerate(plan.value.lessons):
        if id not in ids:
            yield plan.problem(f"there is no lesson {id}", "lessons", index)
    for index, topic in enumerate(plan.value.topics):
        for id in topic.lessons:
            if id not in plan.value.lessons:
                reason = f"topic {topic.id} names the lesson {id}, which is not among the lessons"
                yield plan.problem(reason, "topics", index, "lessons")
    files: dict[str, Path] = {}
    for each in lessons:
        if (first := files.setdefault(each.value.id, each.document.path)) != each.document.path:
            yield each.problem(f"the id {each.value.id} stands in {first.name} too", "id")
        if each.value.id not in plan.value.lessons:
            yield each.problem(f"the lesson {each.value.id} is not in {SYLLABUS}", "id")
        for name in each.value.topics:
            if name not in topics:
                yield each.problem(f"the topic {name} is not in {SYLLABUS}{mistakes.meant(name, topics)}", "topics")
