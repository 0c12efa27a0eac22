"""A tape's lines: how a header, an entry and an end mark are written and read, and how a fact's texts are redacted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Annotated, Any, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from lab.terminal.redact import Redactor
from lab.world.bounds import Count, Name
from lab.world.entries import Entry, Fact

VERSION = 1
CLOCK = "clock"
"""The key of a fact's own `at` (an engine's clock) on a line, where `at` is the entry's time."""
FACTS: TypeAdapter[Fact] = TypeAdapter(Fact)

LONGEST_TAPE = 1e8
"""Seconds; three years. No entry is later."""
LARGEST_NUMBER = 1e15
"""No number on a tape is larger: below it every whole number is exact in every reader of JSON."""
LONGEST_TEXT = 262_144
"""Characters of one text. A terminal's flood is cut to a quarter of that before it is written."""
LONGEST_LIST = 10_000
"""Values in one list or mapping."""

_HALF = re.compile("[\ud800-\udfff]")
_Value = TypeVar("_Value")


class Damaged(ValueError):
    """A line is not valid on a tape; the message says why, but not where."""


class Header(BaseModel):
    """A tape's first line. `recorded` is in UTC; `nodes` is the number of nodes; `columns` and `rows` are the
    terminal's size, for an export. Other keys are ignored: older tapes have more."""

    model_config = ConfigDict(frozen=True)

    title: Name
    lesson: Name
    recorded: datetime
    lab: Name = ""
    provider: Name = ""
    acceleration: Name = ""
    nodes: Count = 0
    columns: Annotated[int, Field(ge=1, le=1000)] = 100
    rows: Annotated[int, Field(ge=1, le=1000)] = 30


def to_line(entry: Entry) -> str:
    """Return an entry as a line of a tape, its time to the millisecond. Raises ValueError for a number that JSON does
    not have."""
    fact = FACTS.dump_python(entry.fact, mode="json", exclude_defaults=True, by_alias=True, warnings=False)
    own = {CLOCK: fact.pop("at")} if "at" in fact else {}
    return _json({"at": round(entry.at, 3), "kind": entry.fact.kind, **own, **fact})


def header_line(header: Header) -> str:
    """Return the first line."""
    return _json({"swarmlab": VERSION, **header.model_dump(mode="json", exclude_defaults=True)})


def end_line(count: int, finished: bool) -> str:
    """Return the last line."""
    return _json({"end": count, "finished": finished})


def from_line(line: str) -> Any:
    """Return a line's content. Raises Damaged for what is not JSON, and for numbers, texts and lists beyond the
    limits."""
    try:
        found = json.loads(line)
        _check_bounds(found)
    except Damaged:
        raise
    except (ValueError, RecursionError) as error:
        raise Damaged("it is not valid JSON") from error
    return found


def to_header(found: dict[str, Any]) -> Header:
    """Return the header from the content of a first line. Raises Damaged."""
    try:
        return Header.model_validate(found)
    except ValidationError as error:
        raise Damaged(_first(error)) from error


def to_entry(found: Any, after: float = 0.0) -> Entry:
    """Return the entry from a line's content, at `after` seconds or later. Raises Damaged."""
    if not isinstance(found, dict):
        raise Damaged("it is not an entry")
    at = found.pop("at", None)
    if isinstance(at, bool) or not isinstance(at, int | float) or not after <= at <= LONGEST_TAPE:
        wanted = f"at least {after:g} and at most {LONGEST_TAPE:,.0f}"
        raise Damaged(f"the entry's time must be a number of seconds, {wanted}, not {shorten(at)}")
    if CLOCK in found:
        found["at"] = found.pop(CLOCK)
    try:
        return Entry(float(at), FACTS.validate_python(found))
    except ValidationError as error:
        raise Damaged(_first(error)) from error


def redact_fact(fact: Fact, redactor: Redactor) -> Fact:
    """Return the fact with its secrets masked, each of its texts separately."""
    together = "\n".join(_texts(fact))
    return fact if redactor.whole(together) == together else _each_text(fact, redactor)


def _check_bounds(value: Any) -> None:
    """Check the limits that hold for every kind of line, before anything is made of it. Raises Damaged."""
    match value:
        case bool() | None:
            return
        case str():
            if len(value) > LONGEST_TEXT:
                raise Damaged(f"a text has {len(value):,} characters; at most {LONGEST_TEXT:,} are read")
            if _HALF.search(value):
                raise Damaged("a text holds half of a character (a lone surrogate)")
        case int() | float():
            if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
                raise Damaged(f"the number {shorten(value)} is beyond {LARGEST_NUMBER:g}")
        case dict():
            _check_length(value)
            for key, inner in value.items():
                _check_bounds(key)
                _check_bounds(inner)
        case _:
            _check_length(value)
            for inner in value:
                _check_bounds(inner)


def _check_length(value: list[Any] | dict[str, Any]) -> None:
    if len(value) > LONGEST_LIST:
        raise Damaged(f"a list has {len(value):,} values; at most {LONGEST_LIST:,} are read")


def _first(error: ValidationError) -> str:
    """Return the first problem that pydantic found, in one line without anything that a terminal would obey."""
    problem = error.errors(include_url=False)[0]
    where = ".".join(_plain(part) for part in problem["loc"])
    if problem["type"] == "union_tag_invalid":
        return f"this swarmlab knows no entry of the kind {shorten(problem['input'].get('kind'))}"
    return f"{where}: {_plain(problem['msg'])}" if where else _plain(problem["msg"])


def _plain(value: object) -> str:
    text = "".join(char if char.isprintable() else "·" for char in str(value)[:200])
    return text if len(text) <= 80 else f"{text[:79]}…"


def shorten(value: object) -> str:
    """Return the beginning of a value for use in a sentence, without anything that a terminal would obey."""
    return _plain(repr(value))


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case Mapping():
            for key, inner in value.items():
                yield from _texts(key)
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)
        case _ if is_dataclass(value):
            for field in fields(value):
                if field.name != "kind":
                    yield from _texts(getattr(value, field.name))


def _each_text(value: _Value, redactor: Redactor) -> _Value:
    """Return the value with every text in it masked. It is not validated: what a live source wrote is not held to a
    tape's limits."""
    masked: Any = value
    match value:
        case str():
            masked = redactor.whole(value)
        case Mapping():
            masked = {_each_text(key, redactor): _each_text(inner, redactor) for key, inner in value.items()}
        case list() | tuple():
            masked = type(value)(_each_text(inner, redactor) for inner in value)
        case _ if is_dataclass(value) and not isinstance(value, type):
            own = ((field.name, getattr(value, field.name)) for field in fields(value) if field.name != "kind")
            changed = {name: new for name, old in own if (new := _each_text(old, redactor)) != old}
            masked = replace(value, **changed) if changed else value
    return cast(_Value, masked)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
