"""The lessons of a folder, checked against its syllabus, and the problems of lesson and stack files."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lab import paths
from lab.errors import InputError
from lab.file_tree import walk_folders
from lab.lesson import read
from lab.lesson.challenge import Challenge
from lab.lesson.coverage import find_gaps
from lab.lesson.model import Lesson
from lab.lesson.read import ParsedFile
from lab.lesson.syllabus import Syllabus
from lab.schema import diagnostics, document
from lab.schema.diagnostics import Problems
from lab.schema.document import Document

__all__ = ["SYLLABUS", "Problems", "check_paths", "load_challenges", "load_course", "load_lesson", "load_syllabus"]

SYLLABUS = "syllabus.yaml"
#: The first line of a file that is wrong on purpose: a check of its folder leaves it out.
_ONLY_NAMED = "# swarmlab check: only when named"
_YAML = frozenset({".yaml", ".yml"})
_OF_STACKS = frozenset({"version", "networks", "volumes", "secrets", "configs"})
_OF_LESSONS = frozenset({"id", "steps", "topics"})
#: The top-level keys that every lesson has.
_LESSON = frozenset({"id", "steps"})
#: The top-level keys that every challenge has.
_CHALLENGE = frozenset({"id", "symptom"})
_KEY = re.compile(r"^([a-z]{1,20}):", re.MULTILINE)
_Versions = tuple[tuple[Path, int, int], ...]
Tape = Callable[[Path], object]
"""Reads a recording; raises InputError when it is not valid."""


def load_course(folder: Path | None = None) -> tuple[Lesson, ...]:
    """Return the lessons of a folder (by default those shipped with the program) in the syllabus's order, checked
    against the syllabus and each other. Raises Problems."""
    folder = folder or paths.lessons()
    return _course(folder, _versions(folder, paths.stacks()))


@lru_cache(maxsize=2)
def _course(folder: Path, _versions: _Versions) -> tuple[Lesson, ...]:
    """Cached, because whatever opens, lists or resets lessons asks for all of them; read again when a file changes."""
    found = _Found()
    _folder(folder, found, None)
    if found.problems or found.syllabus is None:
        raise Problems(found.problems or [InputError("there are no lessons", path=folder)])
    lessons = {each.value.id: each.value for each in found.lessons}
    return tuple(lessons[id] for id in found.syllabus.value.lessons)


def load_lesson(path: Path) -> Lesson:
    """Load one lesson file. Raises Problems (an InputError) with everything that is wrong."""
    return read.read_lesson(path).value


def load_challenges(folder: Path | None = None) -> tuple[Challenge, ...]:
    """Return the challenges of a folder, by default those shipped with the program, in the order of their names. Raises
    Problems."""
    folder = folder or paths.challenges()
    return _challenges(folder, _versions(folder, paths.stacks()))


@lru_cache(maxsize=2)
def _challenges(folder: Path, _versions: _Versions) -> tuple[Challenge, ...]:
    """Cached, as the course is."""
    found = _Found()
    for path in sorted(folder.glob("*.yaml")):
        _file(path, found, None)
    if found.problems:
        raise Problems(found.problems)
    return tuple(each.value for each in found.challenges)


def _versions(*folders: Path) -> _Versions:
    """Return every file in these folders and below them, with what changes when it does."""
    found: list[tuple[Path, int, int]] = []
    for folder in folders:
        for path, _, names in os.walk(folder):
            for file in (Path(path, name) for name in names):
                with suppress(OSError):
                    stat = file.stat()
                    found.append((file, stat.st_mtime_ns, stat.st_size))
    return tuple(found)


def load_syllabus(path: Path) -> Syllabus:
    """Load the syllabus file. Raises Problems."""
    return read.read_syllabus(path).value


def check_paths(
    targets: Iterable[Path], tape: Tape | None = None, *, stack: Sequence[Path] = ()
) -> tuple[tuple[InputError, ...], int]:
    """Return the problems of these files and folders, and how many files were checked. Raises nothing.

    YAML is a lesson, the syllabus or a stack file; so is `-`, standard input. JSON is a stack file. A file whose name
    says neither is passed to `tape`; without `tape`, it is read as a lesson. Folders are searched recursively. The
    files of `stack` are checked as the one stack that docker merges them into, and so is `app.prod.yaml` with the
    `app.yaml` beside it.
    """
    problems: list[InputError] = []
    looked_at = 0
    for path in targets:
        found = _Found()
        try:
            if path.is_dir():
                _tree(path, found, tape)
            else:
                _file(path, found, tape)
        except OSError as error:
            found.problems.append(InputError(f"cannot be read: {error.strerror or error}", path=path))
        problems += found.problems
        looked_at += found.files
    if stack:
        problems += _list_problems(stack[0], lambda: _of_one_stack(stack))
        looked_at += len(stack)
    return tuple(diagnostics.format_problem(problem) for problem in problems), looked_at


@dataclass
class _Found:
    """The results so far."""

    files: int = 0
    lessons: list[ParsedFile[Lesson]] = field(default_factory=list)
    challenges: list[ParsedFile[Challenge]] = field(default_factory=list)
    syllabus: ParsedFile[Syllabus] | None = None
    problems: list[InputError] = field(default_factory=list)


def _file(path: Path, found: _Found, tape: Tape | None) -> None:
    found.files += 1
    found.problems += _list_problems(path, lambda: _check_file(path, found, tape))


def _list_problems(path: Path, look: Callable[[], Iterable[InputError]]) -> list[InputError]:
    """Return the problems found in a file, or the error that ended the check: one bad file does not keep the others
    from being checked."""
    try:
        return diagnostics.limit_problems(look(), path)
    except Problems as problems:
        return list(problems.problems)
    except InputError as problem:
        return [problem]
    except Exception as error:  # noqa: BLE001  the boundary of one file: the others are checked regardless
        reason = f"checking this file failed: {type(error).__name__}: {error}"
        return [InputError(reason, path=path, remedy="please report it, with the file")]


def _check_file(path: Path, found: _Found, tape: Tape | None) -> Iterable[InputError]:
    if path.name == SYLLABUS:
        found.syllabus = read.read_syllabus(path)
    elif path.suffix in _YAML or path == document.STDIN:
        text = document.read_text(path)
        keys = _keys(text)
        own = keys >= _LESSON or keys >= _CHALLENGE
        if not own or "services" in keys:
            try:
                doc = document.read_stack(path, text)
            except InputError:
                if not own:
                    raise
            else:
                if _is_stack(doc):
                    return _of_file(doc)
        if keys >= _CHALLENGE:
            found.challenges.append(read.read_challenge(path, text))
            return ()
        found.lessons.append(read.read_lesson(path, text))
    elif path.suffix == ".json" and path.is_file():
        return _of_file(document.read_stack(path))
    elif tape is None or not path.is_file():
        found.lessons.append(read.read_lesson(path))
    else:
        tape(path)
    return ()


def _of_file(doc: Document) -> Iterable[InputError]:
    from lab.lesson.check_stack import check_file  # slow to load, and the course has no stack files

    return check_file(doc)


def _is_stack(doc: Document) -> bool:
    """Return whether it has `services` at the top level, or another key there that no lesson has."""
    keys = doc.data.keys()
    return "services" in keys or bool(keys & _OF_STACKS and not keys & _OF_LESSONS)


def _of_one_stack(files: Sequence[Path]) -> Iterable[InputError]:
    from lab.lesson.check_stack import check_stack  # slow to load, and the course has no stack files

    return check_stack(files)


def _tree(top: Path, found: _Found, tape: Tape | None) -> None:
    """Check a folder and everything below it."""
    folders, whole = walk_folders(top)
    for folder in folders:
        here = _Found()
        _folder(folder, here, tape, within=top)
        if here.syllabus is not None and not here.problems:
            here.problems += find_gaps(here.syllabus, here.lessons)  # A course with gaps can be taken all the same.
        found.files += here.files
        found.problems += here.problems
    if not whole:
        reason = f"too many folders, or too deep: {len(folders):,} were looked through, and not all"
        found.problems.append(InputError(reason, path=top, remedy="name the folders that matter one by one"))
    elif not found.files:
        what = "lesson or stack file" if tape is None else "lesson, stack file or recording"
        found.problems.append(InputError(f"there is no {what} in this folder or below it", path=top))


def _folder(folder: Path, found: _Found, tape: Tape | None, *, within: Path | None = None) -> None:
    """Check each file, then the lessons against the syllabus beside them. A tree may also hold unrelated YAML: in a
    folder without a syllabus, files whose keys are neither a lesson's nor a stack file's are skipped, and those that
    are wrong on purpose (`_ONLY_NAMED`)."""
    read = (*_YAML, ".tape") if tape is not None else _YAML
    files = sorted(p for p in folder.iterdir() if p.suffix in read and p.is_file())
    if within is not None:
        files = [p for p in files if not p.name.startswith(".") and p.resolve().is_relative_to(within.resolve())]
        if not any(p.name == SYLLABUS for p in files):
            files = [p for p in files if p.suffix not in _YAML or _is_ours(p)]
    for path in files:
        _file(path, found, tape)
    if not found.problems and found.syllabus is not None:
        found.problems += _check_syllabus(found.syllabus, found.lessons)
    elif not found.problems and found.lessons:
        found.problems.append(InputError(f"there is no {SYLLABUS} beside the lessons", path=folder))


def _is_ours(path: Path) -> bool:
    """Return whether a file is a lesson or a stack file by its top-level keys, even if it is not valid YAML, and is
    not one that is wrong on purpose."""
    try:
        text = document.read_text(path)
    except InputError:
        return True
    if text.startswith(_ONLY_NAMED):
        return False
    try:
        keys = {*document.read_stack(path, text).data}
    except InputError:
        keys = _keys(text)
    return "services" in keys or keys >= _LESSON or keys >= _CHALLENGE


def _keys(text: str) -> set[str]:
    """Return the top-level keys of a text that need not be valid YAML."""
    return {found[1] for found in _KEY.finditer(text)}


def _check_syllabus(plan: ParsedFile[Syllabus], lessons: list[ParsedFile[Lesson]]) -> Iterator[InputError]:
    ids, topics = {each.value.id for each in lessons}, {topic.id for topic in plan.value.topics}
    for index, id in enumerate(plan.value.lessons):
        if id not in ids:
            yield plan.problem(f"there is no lesson {id}", "lessons", index)
    for index, topic in enumerate(plan.value.topics):
        for id in topic.lessons:
            if id not in plan.value.lessons:
                reason = f"topic {topic.id} names the lesson {id}, which is not among the lessons"
                yield plan.problem(reason, "topics", index, "lessons")
    yield from _find_lost_stops(plan, {each.value.id: each.value for each in lessons})
    files: dict[str, Path] = {}
    for each in lessons:
        if (first := files.setdefault(each.value.id, each.document.path)) != each.document.path:
            yield each.problem(f"the id {each.value.id} stands in {first.name} too", "id")
        if each.value.id not in plan.value.lessons:
            yield each.problem(f"the lesson {each.value.id} is not in {SYLLABUS}", "id")
        for name in each.value.topics:
            if name not in topics:
                yield each.problem(
                    f"the topic {name} is not in {SYLLABUS}{diagnostics.did_you_mean(name, topics)}", "topics"
                )


def _find_lost_stops(plan: ParsedFile[Syllabus], lessons: Mapping[str, Lesson]) -> Iterator[InputError]:
    """Yield the stops of paths that are not there."""
    for id, path in plan.value.paths.items():
        for index, (name, step) in enumerate(path.stops()):
            lesson = lessons.get(name)
            place = ("paths", id, "steps", index)
            if lesson is None:
                yield plan.problem(f"there is no lesson {name}{diagnostics.did_you_mean(name, lessons)}", *place)
            elif step and lesson.step(step) is None:
                near = diagnostics.did_you_mean(step, [each.id for each in lesson.steps])
                yield plan.problem(f"the lesson {name} has no step {step}{near}", *place)
