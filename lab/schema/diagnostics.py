"""The validation errors of the models in plain words, each with its line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lab.errors import InputError
from lab.schema.document import Document, Place
from lab.schema.value import AS_PARTS, AS_TEXT, Value

#: The most problems of a file that are reported.
MOST = 100
#: The most of a sentence that is shown, in characters.
_LONGEST = 500
#: The most names among which a suggestion is looked for.
_KNOWN = 100
#: The longest name for which a suggestion is looked for, in characters.
_NAME = 100
#: What pydantic puts into a place besides the file's own keys.
_MARKS = ("[key]", AS_TEXT, AS_PARTS)


class Problems(InputError):
    """Everything that is wrong with one or more files: `problems` has at least one, ordered by line."""

    def __init__(self, problems: Sequence[InputError]) -> None:
        self.problems = tuple(format_problem(problem) for problem in problems)
        first = self.problems[0]
        super().__init__(first.reason, path=first.path, line=first.line, remedy=first.remedy)
        self.sentence = "\n".join(p.sentence for p in self.problems)


class More(InputError):
    """A note that more is wrong with a file than is reported; `many` is 0 when it was not counted."""

    def __init__(self, many: int, path: Path) -> None:
        self.many = many
        super().__init__(f"and {many:,} more" if many else "and more", path=path)


def limit_problems(problems: Iterable[InputError], path: Path) -> list[InputError]:
    """Return the first problems of a file by line, and how many more there are."""
    found = list(problems)
    one = sorted((p for p in found if not isinstance(p, More)), key=lambda p: (p.path != path, str(p.path), p.line))
    more = [p.many for p in found if isinstance(p, More)]
    if len(one) <= MOST and not more:
        return one
    return [*one[:MOST], More(0 if 0 in more else len(one[MOST:]) + sum(more), path)]


def take_first(problems: Iterable[InputError], path: Path) -> Iterator[InputError]:
    """Yield the first problems of a search that would take long in a file with many."""
    search = iter(problems)
    yield from islice(search, MOST)
    if next(search, None) is not None:
        yield More(0, path)


def format_problem(problem: InputError) -> InputError:
    """Return the problem in words that are safe on a terminal: a name from a file may contain anything. Control
    characters are escaped as in Python (`\\x1b`), and the middle of a very long text is left out."""
    reason = _printable(problem.reason)
    if len(reason) > _LONGEST:
        reason = f"{reason[: _LONGEST // 2]}...{reason[3 - _LONGEST // 2 :]}"
    if reason != problem.reason:
        safe = InputError(reason, path=problem.path, line=problem.line, remedy=_printable(problem.remedy))
    else:
        safe = problem
    safe.sentence = _printable(safe.sentence)
    return safe


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def model_problems(model: type[Value], error: ValidationError, doc: Document) -> Iterator[InputError]:
    """Yield everything that pydantic found, by line. An error that only follows from another one is left out."""
    yield from (problem for problem, _ in locate_problems(model, error, doc))


def locate_problems(model: type[Value], error: ValidationError, doc: Document) -> Iterator[tuple[InputError, Place]]:
    """Yield the same, each with its place; sentences are made only for what is reported."""
    found: list[tuple[int, Place, Mapping[str, Any]]] = []
    errors = error.errors(include_url=False)
    for each in errors:
        place: Place = tuple(p for p in each["loc"] if p not in _MARKS)
        # pydantic counts only the good items: when some are bad, the list is too short as well.
        below = each["type"] == "too_short" and any(
            len(other["loc"]) > len(each["loc"]) and other["loc"][: len(each["loc"])] == each["loc"] for other in errors
        )
        if not below:
            found.append((doc.line(place), place, dict(each)))
    found.sort(key=lambda one: one[0])
    for _, place, one in found[:MOST]:
        keys = _keys(model, place[:-1]) if one["type"] == "extra_forbidden" else ()
        yield doc.problem(place, describe_error(one, place, keys)), place
    if len(found) > MOST:
        yield More(len(found) - MOST, doc.path), ()


def describe_error(error: Mapping[str, Any], place: Place, keys: Iterable[str] = ()) -> str:
    """Describe an error that pydantic found in plain words."""
    name = next((str(p) for p in reversed(place) if isinstance(p, str)), "")
    around = _name_place(place[:-1])
    given, context = error.get("input"), error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{around} has no {name!r}"
        case "extra_forbidden":
            return f"{around} has the unknown key {name!r}{did_you_mean(name, keys)}"
        case "value_error":
            return f"{_name_place(place)}: {context.get('error', error['msg'])}"
        case "greater_than":
            return f"{name!r} must be more than {context['gt']:g}, not {given}"
        case "greater_than_equal":
            return f"{name!r} must be at least {context['ge']:g}, not {given}"
        case "less_than_equal":
            return f"{name!r} must be at most {context['le']:g}, not {given}"
        case "literal_error":
            return f"{name!r} must be one of {context['expected']}, not {_shorten(given)}"
        case "string_pattern_mismatch":
            return f"{name!r} is {_shorten(given)}, which is not of the form {context['pattern']}"
        case "string_too_short" | "too_short":
            least = context.get("min_length", 1)
            return f"{name!r} needs {least}" if given and least > 1 else f"{name!r} is empty"
        case "string_too_long" | "too_long":
            return f"{name!r} is too long: at most {context['max_length']}"
        case kind:
            wanted = _KINDS.get(kind)
            return f"{name!r} must be {wanted}, not {_shorten(given)}" if wanted else f"{name!r}: {error['msg']}"


_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number of a sensible size",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "mapping_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}


def _name_place(place: Place) -> str:
    """Return the nearest place that a person would name: `step 3`, `check 1 of step 3`."""
    said: list[str] = []
    one = {"steps": "step", "then": "check", "hints": "hint", "topics": "topic"}
    for key, index in pairwise(place):
        if isinstance(key, str) and isinstance(index, int):
            said.append(f"{one.get(key, key)} {index + 1}")
    if place and isinstance(place[-1], str):
        said.append(repr(place[-1]))
    return " of ".join(reversed(said)) or "the file"


def _keys(model: type[Value], place: Place) -> tuple[str, ...]:
    """Return the keys that are valid at a place, found by walking the models' fields."""
    here: Any = model
    for part in place:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, Value) and part in here.model_fields:
            here = here.model_fields[part].annotation
        here = _inner(here)
    return tuple(here.model_fields) if isinstance(here, type) and issubclass(here, Value) else ()


def _inner(annotation: Any) -> Any:
    """Return the first model inside an annotation such as `tuple[Step, ...]` or `Act | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _inner(part)
        if isinstance(found, type) and issubclass(found, Value):
            return found
    return annotation


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean 'running'?`, or nothing."""
    among = list(islice(known, _KNOWN)) if len(name) <= _NAME else []
    close = difflib.get_close_matches(name, among, n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _shorten(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
