"""What the models refuse, as a person would say it, with the line where it stands."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from pydantic import ValidationError

from lab.course.document import Document, Place
from lab.course.value import Value
from lab.errors import InputError


class Problems(InputError):
    """All that is wrong with one file or several: `problems` has at least one, in the order of their lines."""

    def __init__(self, problems: Sequence[InputError]) -> None:
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.reason, path=first.path, line=first.line, remedy=first.remedy)
        if len(self.problems) > 1:
            self.sentence = "\n".join(p.sentence for p in self.problems)


def problems(model: type[Value], error: ValidationError, doc: Document) -> Iterator[InputError]:
    """All that pydantic found, with the lines in the file. What only follows from another finding is left out."""
    yield from (problem for problem, _ in placed(model, error, doc))


def placed(model: type[Value], error: ValidationError, doc: Document) -> Iterator[tuple[InputError, Place]]:
    """The same, each with its place."""
    for found in error.errors(include_url=False):
        place: Place = tuple(p for p in found["loc"] if p != "[key]")
        if found["type"] == "too_short" and found["input"]:
            continue
        keys = _keys(model, place[:-1]) if found["type"] == "extra_forbidden" else ()
        yield InputError(reason(dict(found), place, keys), path=doc.path, line=doc.line(place)), place


def reason(error: Mapping[str, Any], place: Place, keys: Iterable[str] = ()) -> str:
    """What pydantic found, as a person would say it."""
    name = next((str(p) for p in reversed(place) if isinstance(p, str)), "")
    around = _named(place[:-1])
    given, context = error.get("input"), error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"{around} has no {name!r}"
        case "extra_forbidden":
            return f"{around} has the unknown key {name!r}{meant(name, keys)}"
        case "value_error":
            return f"{_named(place)}: {context.get('error', error['msg'])}"
        case "greater_than":
            return f"{name!r} must be more than {context['gt']:g}, not {given}"
        case "greater_than_equal":
            return f"{name!r} must be at least {context['ge']:g}, not {given}"
        case "less_than_equal":
            return f"{name!r} must be at most {context['le']:g}, not {given}"
        case "literal_error":
            return f"{name!r} must be one of {context['expected']}, not {_short(given)}"
        case "string_pattern_mismatch":
            return f"{name!r} is {_short(given)}, which is not of the form {context['pattern']}"
        case "string_too_short" | "too_short":
            return f"{name!r} is empty"
        case "string_too_long" | "too_long":
            return f"{name!r} is too long: at most {context['max_length']}"
        case "json_invalid":
            return "holds a character that is not text (half of a surrogate pair)"
        case kind:
            wanted = _KINDS.get(kind)
            return f"{name!r} must be {wanted}, not {_short(given)}" if wanted else f"{name!r}: {error['msg']}"


_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
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


def _named(place: Place) -> str:
    """`step 3`, `check 1 of step 3`: the nearest place that a person would name."""
    said: list[str] = []
    one = {"steps": "step", "then": "check", "hints": "hint", "topics": "topic"}
    for key, index in pairwise(place):
        if isinstance(key, str) and isinstance(index, int):
            said.append(f"{one.get(key, key)} {index + 1}")
    if place and isinstance(place[-1], str):
        said.append(repr(place[-1]))
    return " of ".join(reversed(said)) or "the file"


def _keys(model: type[Value], place: Place) -> tuple[str, ...]:
    """The keys that a place knows, found by walking the models' fields."""
    here: Any = model
    for part in place:
        if isinstance(part, str) and isinstance(here, type) and issubclass(here, Value) and part in here.model_fields:
            here = here.model_fields[part].annotation
        here = _inner(here)
    return tuple(here.model_fields) if isinstance(here, type) and issubclass(here, Value) else ()


def _inner(annotation: Any) -> Any:
    """The first model inside an annotation such as `tuple[Step, ...]` or `Act | None`."""
    if isinstance(annotation, type) and issubclass(annotation, Value):
        return annotation
    for part in getattr(annotation, "__args__", ()):
        found = _inner(part)
        if isinstance(found, type) and issubclass(found, Value):
            return found
    return annotation


def meant(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'running'?`, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 40 else text[:37] + "..."
