"""Reading a stack file: what `docker stack deploy` would reject is reported with file, line and a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.compose import strict, unsupported
from lab.compose.interpolate import has_variables, interpolate
from lab.compose.merge import merge_files
from lab.compose.model import Granted, Service, Stack
from lab.compose.referenced_files import find_missing, is_file, parse_env_file, resolve_path
from lab.compose.short_forms import PortsLeft
from lab.errors import InputError
from lab.schema import diagnostics, document
from lab.schema.diagnostics import Problems
from lab.schema.document import Document, Place

#: The only sections in which settings are filled in.
_SECTIONS = ("services", "networks", "volumes", "secrets", "configs")
#: How often what is rejected is taken out of a file, before the rest is given up.
_MOST_REFUSALS = 5
#: The most variables that all env_files of a stack may add.
_MOST_VARIABLES = 20_000


@dataclass(frozen=True, eq=False)
class StackFile:
    """A stack file and its content without any settings: a `${NAME}` that has no default is kept as it is written.

    Two are equal only when they are the same read of a file."""

    document: Document
    outline: Stack

    def fill(self, env: Mapping[str, str]) -> Stack:
        """Return its content with these settings. Raises Problems (an InputError) when one is missing or invalid."""
        return self._fill_with(env, keep=False)

    def fill_partly(self, env: Mapping[str, str]) -> Stack:
        """Return its content with these settings, while others are still to come. Raises Problems."""
        return self._fill_with(env, keep=True)

    def _fill_with(self, env: Mapping[str, str], *, keep: bool) -> Stack:
        stack, wrong = _read_whole(self.document, env, keep=keep)
        if wrong:
            raise Problems(wrong)
        return stack


def read_stack(*paths: Path) -> StackFile:
    """Read a stack file, or several that docker merges into one stack. Raises Problems with all that `docker stack
    deploy` would reject, and what it cannot know."""
    try:
        stats = [path.stat() for path in paths]
    except OSError:
        return _read(paths)
    return _read_cached(paths, tuple((stat.st_mtime_ns, stat.st_size) for stat in stats))


@lru_cache(maxsize=64)
def _read_cached(paths: tuple[Path, ...], _changed: tuple[tuple[int, int], ...]) -> StackFile:
    """Cached, because a lesson reads the same files for each of its steps."""
    return _read(paths)


def _read(paths: tuple[Path, ...]) -> StackFile:
    try:
        first, *others = [document.read_stack(path) for path in paths]
        doc = merge_files([first, *others]) if others else first
    except InputError as problem:
        raise Problems([problem]) from None
    found, outline = find_problems(doc)
    if outline is None or found:
        raise Problems(found)
    return StackFile(doc, outline)


def read_acceptable(doc: Document) -> Stack | None:
    """Return a file's content without what `docker stack deploy` would reject, so that the rest can be judged; None
    when nothing of it can be read."""
    data = _filled(doc, {}, keep=True, wrong=[])
    for _ in range(_MOST_REFUSALS):
        try:
            return Stack.model_validate(data, context=PortsLeft())
        except ValidationError as error:
            dropped: set[Place] = set()
            for _, place in diagnostics.locate_problems(Stack, error, doc):
                _drop(data, place, dropped)
            if not dropped:
                return None
    return None


def _drop(data: dict[str, Any], place: Place, dropped: set[Place]) -> None:
    """Take a value out of a file's content: the nearest thing around its place that is there and has a name. Several
    problems may be about one value."""
    while len(place) > 1 and place not in dropped and place != ("services",):
        around: Any = data
        for key in place[:-1]:
            around = around.get(key) if isinstance(around, dict) else None
        if isinstance(around, dict) and place[-1] in around:
            del around[place[-1]]
            dropped.add(place)
            return
        place = place[:-1]
    if len(place) == 1 and place[0] in data and place != ("services",):
        del data[str(place[0])]
        dropped.add(place)


def find_problems(doc: Document) -> tuple[list[InputError], Stack | None]:
    """Return all that `docker stack deploy` would reject, by line, and the file's content when it can be read."""
    found, outline = [*unsupported.refused_keys(doc), *strict.find_refused(doc)], None
    try:
        outline, wrong = _read_whole(doc, {}, keep=True)
        found += wrong
    except Problems as refused:
        found += refused.problems
    return diagnostics.limit_problems(found, doc.path), outline


def _read_whole(doc: Document, env: Mapping[str, str], *, keep: bool) -> tuple[Stack, list[InputError]]:
    """Return a file's content with its env_files, and the problems that do not keep it from being read."""
    stack = _stack(doc, env, keep=keep)
    undeclared = diagnostics.take_first(_find_undeclared(doc, stack), doc.path)
    stack, wrong = _with_env_files(doc, stack, env)
    return stack, diagnostics.limit_problems([*undeclared, *wrong], doc.path)


def _stack(doc: Document, env: Mapping[str, str], *, keep: bool) -> Stack:
    wrong: list[InputError] = []
    data = _filled(doc, env, keep=keep, wrong=wrong)
    try:
        stack = Stack.model_validate(data, context=PortsLeft())
    except ValidationError as error:
        wrong += _find_rejected(error, doc)
    if wrong:
        raise Problems(diagnostics.limit_problems(wrong, doc.path))
    return stack


def _filled(doc: Document, env: Mapping[str, str], *, keep: bool, wrong: list[InputError]) -> dict[str, Any]:
    """Return a file's data with these settings filled in; what is wrong with one is put into `wrong`."""

    def fill_in(value: Any, place: Place) -> Any:
        if isinstance(value, dict):
            return {key: fill_in(inner, (*place, key)) for key, inner in value.items()}
        if isinstance(value, list):
            return [fill_in(inner, (*place, index)) for index, inner in enumerate(value)]
        if not isinstance(value, str):
            return value
        try:
            return interpolate(value, env, keep=keep)
        except InputError as error:
            wrong.append(doc.problem(place, error.reason, remedy=error.remedy))
            return value

    plain = unsupported.drop_ignored(doc.data)
    return {key: fill_in(value, (key,)) if key in _SECTIONS else value for key, value in plain.items()}


def _find_rejected(error: ValidationError, doc: Document) -> Iterator[InputError]:
    """Yield what the model rejects, with the service that it is about."""
    for problem, place in diagnostics.locate_problems(Stack, error, doc):
        if place[:1] == ("services",) and len(place) > 3:
            yield doc.problem(place, f"service {place[1]}: {problem.reason}")
        else:
            yield problem


def _with_env_files(doc: Document, stack: Stack, env: Mapping[str, str]) -> tuple[Stack, list[InputError]]:
    """Return the stack with the variables of its env_files; `environment` takes precedence over them."""
    wrong: list[InputError] = []
    services: dict[str, Service] = {}
    known: dict[str, Mapping[str, str]] = {}
    left = _MOST_VARIABLES
    for name, service in stack.services.items():
        more: dict[str, str] = {}
        for index, file in enumerate(service.env_file):
            try:
                if file not in known:
                    known[file] = _of_file(doc, file, env)
                left -= len(known[file])
                if left < 0:
                    raise ValueError(f"the env_files of all services hold more than {_MOST_VARIABLES:,} variables")
                more |= known[file]
            except ValueError as error:
                place: Place = ("services", name, "env_file", index)
                wrong.append(doc.problem(place, f"service {name}: {error}"))
        if more:
            services[name] = service.model_copy(update={"environment": {**more, **service.environment}})
    return (stack.model_copy(update={"services": {**stack.services, **services}}) if services else stack), wrong


def _of_file(doc: Document, file: str, env: Mapping[str, str]) -> Mapping[str, str]:
    """Return the variables of an env_file; a bare name takes the setting of that name. A path that is not known yet has
    none. Raises a readable ValueError."""
    if has_variables(file):
        return {}
    path = resolve_path(doc, file)
    if not is_file(path):
        raise ValueError(find_missing(doc, file))
    try:
        given = dict(parse_env_file(document.read_text(path)))
    except InputError as error:
        raise ValueError(f"env_file {file}: {error.reason}") from None
    except ValueError as error:
        raise ValueError(f"env_file {file}: {error}") from None
    return {name: text for name, value in given.items() if (text := value or env.get(name, value)) is not None}


def _find_undeclared(doc: Document, stack: Stack) -> Iterator[InputError]:
    """Yield what a service uses and the file does not declare at the top level."""
    for name, service in stack.services.items():
        for what, key, place in _list_used(service):
            known = getattr(stack, what)
            if key not in known and not has_variables(key):
                one = what.removesuffix("s")
                reason = f"service {name} uses the {one} {key}, which does not stand under {what} at the top"
                named = ("services", name, what, key)
                where = named if named in doc.lines else ("services", name, *place)
                yield doc.problem(where, reason + diagnostics.did_you_mean(key, known))


def _list_used(service: Service) -> Iterator[tuple[str, str, Place]]:
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
    if isinstance(config := service.credential_spec.get("config"), str):
        yield "configs", config, ("credential_spec", "config")
