"""YAML files to lessons and the syllabus, with file, line and a sentence for everything that is wrong with them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from lab import paths
from lab.course import document, mistakes, words
from lab.course.document import Document, Place
from lab.course.schema import Lesson, Step, Syllabus
from lab.course.value import Value
from lab.errors import InputError

SYLLABUS = "syllabus.yaml"
_YAML = frozenset({".yaml", ".yml"})
V = TypeVar("V", bound=Value)


class Problems(InputError):
    """All that is wrong with one file or several: `problems` has at least one, in the order of their lines."""

    def __init__(self, problems: Sequence[InputError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.reason, path=first.path, line=first.line, remedy=first.remedy)
        if len(self.problems) > 1:
            self.sentence = "\n".join(p.sentence for p in self.problems)


def load_course(folder: Path | None = None) -> tuple[Lesson, ...]:
    """The lessons of a folder (by default those that travel with the program), in the syllabus's order, held against
    it and each other. Raises Problems."""
    folder = folder or paths.lessons()
    problems = list(_check_folder(folder, _Counter()))
    if problems:
        raise Problems(problems)
    return tuple(load_lesson(folder / f"{id}.yaml") for id in load_syllabus(folder / SYLLABUS).lessons)


def load_lesson(path: Path) -> Lesson:
    """One lesson's file. Raises Problems (an InputError) with all that is wrong."""
    return _model(Lesson, path, _lesson_problems)


def load_syllabus(path: Path) -> Syllabus:
    """The syllabus's file. Raises Problems."""
    return _model(Syllabus, path, _syllabus_problems)


def check_paths(
    targets: Iterable[Path], tape: Callable[[Path], object] | None = None
) -> tuple[tuple[InputError, ...], int]:
    """What is wrong with these files and folders, and how many files were looked at.

    YAML is a lesson (or the syllabus). What is not YAML by its name is given to `tape`, which raises InputError when
    it is not a good recording; without `tape` everything is read as a lesson. Raises nothing.
    """
    counter = _Counter()
    problems: list[InputError] = []
    for path in targets:
        try:
            problems += _check_folder(path, counter, tape) if path.is_dir() else _check_file(path, counter, tape)
        except OSError as error:
            problems.append(InputError(f"cannot be read: {error.strerror or error}", path=path))
    return tuple(problems), counter.files


@dataclass
class _Counter:
    files: int = 0


def _check_file(path: Path, counter: _Counter, tape: Callable[[Path], object] | None = None) -> Iterator[InputError]:
    counter.files += 1
    try:
        if path.name == SYLLABUS:
            load_syllabus(path)
        elif tape is None or path.suffix in _YAML or not path.is_file():
            load_lesson(path)
        else:
            tape(path)
    except Problems as problems:
        yield from problems.problems
    except InputError as problem:
        yield problem


def _check_folder(
    folder: Path, counter: _Counter, tape: Callable[[Path], object] | None = None
) -> Iterator[InputError]:
    """Each file, then the syllabus against the lessons beside it."""
    files = sorted(p for p in folder.iterdir() if p.is_file() and p.suffix not in (".json", ".md"))
    lessons = [p for p in files if p.suffix in _YAML]
    well = True
    for path in files if tape is not None else lessons:
        for problem in _check_file(path, counter, tape):
            well = False
            yield problem
    if well and lessons:
        yield from _folder_problems(folder, lessons)


def _folder_problems(folder: Path, files: list[Path]) -> Iterator[InputError]:
    path = folder / SYLLABUS
    if path not in files:
        yield InputError(f"there is no {SYLLABUS} beside the lessons", path=folder)
        return
    plan, where = load_syllabus(path), document.read(path)
    lessons = {p: load_lesson(p) for p in files if p != path}
    ids, topics = {p.stem: each for p, each in lessons.items()}, {t.id for t in plan.topics}
    for index, id in enumerate(plan.lessons):
        if id not in ids:
            yield InputError(f"there is no lesson {id}", path=path, line=where.line(("lessons", index)))
    for index, topic in enumerate(plan.topics):
        for id in topic.lessons:
            if id not in plan.lessons:
                reason = f"topic {topic.id} names the lesson {id}, which is not among the lessons"
                yield InputError(reason, path=path, line=where.line(("topics", index, "lessons")))
    for file, each in lessons.items():
        if each.id not in plan.lessons:
            yield InputError(f"the lesson {each.id} is not in {SYLLABUS}", path=file, line=1)
        for name in each.topics:
            if name not in topics:
                line = document.read(file).line(("topics",))
                yield InputError(
                    f"the topic {name} is not in {SYLLABUS}{mistakes.meant(name, topics)}", path=file, line=line
                )


def _model(model: type[V], path: Path, more: Callable[[V, Document], Iterator[InputError]]) -> V:
    try:
        doc = document.read(path)
        plain = json.dumps(doc.data)
        value = model.model_validate_json(plain, context={"folder": path.parent})
    except ValidationError as error:
        raise Problems(sorted(mistakes.problems(model, error, doc), key=lambda p: p.line)) from None
    except InputError as problem:
        raise Problems([problem]) from None
    problems = sorted(more(value, doc), key=lambda p: p.line)
    if problems:
        raise Problems(problems)
    return value


def _lesson_problems(value: Lesson, doc: Document) -> Iterator[InputError]:
    """What no single part of a lesson can know."""

    def at(wrong: str, *place: str | int) -> InputError:
        return InputError(wrong, path=doc.path, line=doc.line(place))

    if value.id != doc.path.stem:
        yield at(f"the id is {value.id}, the file's name says {doc.path.stem}", "id")
    if value.needs.managers > value.needs.nodes:
        yield at("needs more managers than nodes", "needs")
    seen: dict[str, int] = {}
    known: set[str] = set()
    now = value.start
    for index, step in enumerate(value.steps):
        if step.id in seen:
            line = doc.line(("steps", seen[step.id], "id"))
            yield at(f"the step id {step.id} stands twice; first in line {line}", "steps", index, "id")
        seen.setdefault(step.id, index)
        yield from (at(wrong, "steps", index, *place) for wrong, place in _unknown(step, known))
        known |= step.capture.keys()
        if step.leaves is not None:
            try:
                now = step.leaves.over(now)
            except ValidationError as error:
                first = dict(error.errors(include_url=False)[0])
                inner: Place = error.errors()[0]["loc"]
                wrong = f"the checkpoint after this step makes no sense: {mistakes.reason(first, inner)}"
                yield at(wrong, "steps", index, "leaves", *inner)


def _unknown(step: Step, known: set[str]) -> Iterator[tuple[str, Place]]:
    """Names used before they are captured. A value of the command's output is there only after the command."""
    early = {name for name, capture in step.capture.items() if capture.output is None}
    told: set[str] = set()
    groups: tuple[tuple[Place, Iterable[str], set[str]], ...] = (
        (("text",), (step.title, step.text, step.notes or ""), known | early),
        (("run",), (step.run or "",), known | early),
        (("on",), (step.on,), known | early),
        (("act",), words.strings(step.act.model_dump() if step.act else {}), known | early),
        (("capture",), words.strings({k: c.model_dump() for k, c in step.capture.items()}), known),
        (("then",), words.strings([c.model_dump(exclude_unset=True) for c in step.then]), known | step.capture.keys()),
    )
    for place, texts, there in groups:
        for name in (n for text in texts for n in words.names(text) if n not in there):
            if name not in told:
                told.add(name)
                yield f"{{{{{name}}}}} is used before it is captured{mistakes.meant(name, there)}", place


def _syllabus_problems(value: Syllabus, doc: Document) -> Iterator[InputError]:
    for group, ids in (("lessons", value.lessons), ("topics", tuple(t.id for t in value.topics))):
        for index, id in enumerate(ids):
            if id in ids[:index]:
                yield InputError(f"{id} stands twice", path=doc.path, line=doc.line((group, index)))
