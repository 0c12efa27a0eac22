"""A stack file, read: what `docker stack deploy` would refuse is told with file, line and a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.course import document, mistakes
from lab.course.document import Document, Place
from lab.course.mistakes import Problems
from lab.course.stack import foreign
from lab.course.stack.fill import fill, is_open
from lab.course.stack.model import Granted, Service, Stack
from lab.errors import InputError

#: Only in these are settings filled in.
_SECTIONS = ("services", "networks", "volumes", "secrets", "configs")


@dataclass(frozen=True, eq=False)
class StackFile:
    """A stack file and what it says without any settings: a `${NAME}` that has no default stands there as it is.

    Two are equal when they are the same reading of a file."""

    document: Document
    outline: Stack

    def filled(self, env: Mapping[str, str]) -> Stack:
        """What it says with these settings. Raises Problems (an InputError) for one that is missing or makes no
        sense."""
        return self._with(env, keep=False)

    def partly(self, env: Mapping[str, str]) -> Stack:
        """What it says with these settings, others being still to come. Raises Problems."""
        return self._with(env, keep=True)

    def _with(self, env: Mapping[str, str], *, keep: bool) -> Stack:
        stack = _stack(self.document, env, keep=keep)
        if wrong := list(_undeclared(self.document, stack)):
            raise Problems(wrong)
        return stack


def stack(path: Path) -> StackFile:
    """A stack file. Raises Problems with all that `docker stack deploy` would refuse, and what it cannot know."""
    try:
        stat = path.stat()
    except OSError:
        return _read(path)
    return _known(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _known(path: Path, _changed: int, _size: int) -> StackFile:
    """A lesson reads the same file for each of its steps."""
    return _read(path)


def _read(path: Path) -> StackFile:
    try:
        doc = document.read(path)
    except InputError as problem:
        raise Problems([problem]) from None
    found, outline = problems(doc)
    if outline is None or found:
        raise Problems(found)
    return StackFile(doc, outline)


def problems(doc: Document) -> tuple[list[InputError], Stack | None]:
    """All that `docker stack deploy` would refuse, by line, and what the file says when that can be told."""
    found, outline = list(foreign.refused(doc)), None
    try:
        outline = _stack(doc, {}, keep=True)
        found += _undeclared(doc, outline)
    except Problems as refused:
        found += refused.problems
    return sorted(found, key=lambda p: p.line), outline


def _stack(doc: Document, env: Mapping[str, str], *, keep: bool) -> Stack:
    wrong: list[InputError] = []

    def filled(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: filled(inner, (*place, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [filled(inner, (*place, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            return fill(value, env, keep=keep)
        except InputError as error:
            wrong.append(InputError(error.reason, path=doc.path, line=doc.line(place), remedy=error.remedy))
            return value

    plain = foreign.without(doc.data)
    data = {key: filled(value, (key,)) if key in _SECTIONS else value for key, value in plain.items()}
    if wrong:
        raise Problems(wrong)
    try:
        return Stack.model_validate(data)
    except ValidationError as error:
        raise Problems(sorted(_said(error, doc), key=lambda p: p.line)) from None


def _said(error: ValidationError, doc: Document) -> Iterator[InputError]:
    """What the model refuses, with the service that it is about."""
    for problem, place in mistakes.placed(Stack, error, doc):
        if place[:1] == ("services",) and len(place) > 3:
            reason = f"service {place[1]}: {problem.reason}"
            yield InputError(reason, path=problem.path, line=problem.line)
        else:
            yield problem


def _undeclared(doc: Document, stack: Stack) -> Iterator[InputError]:
    """What a service uses and the file does not name at its top."""
    for name, service in stack.services.items():
        for what, key, place in _used(service):
            known = getattr(stack, what)
            if key not in known and not is_open(key):
                one = what.removesuffix("s")
                reason = f"service {name} uses the {one} {key}, which does not stand under {what} at the top"
                named = ("services", name, what, key)
                line = doc.line(named if named in doc.lines else ("services", name, *place))
                yield InputError(reason + mistakes.meant(key, known), path=doc.path, line=line)


def _used(service: Service) -> Iterator[tuple[str, str, Place]]:
    for index, key in enumerate(service.networks):
        if key != "default":
            yield "networks", key, ("networks", index)
    for index, mount in enumerate(service.volumes):
        if mount.type == "volume" and mount.source:
            yield "volumes", mount.source, ("volumes", index)
    grants: tuple[tuple[str, tuple[Granted, ...]], ...] = (("secrets", service.secrets), ("configs", service.configs))
    for what, given in grants:
        for index, grant in enumerate(given):
            yield what, grant.source, (what, index)
