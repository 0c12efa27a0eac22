"""A tape's lines: how a header, an entry and an end mark are written, and how a fact's texts are redacted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter

from lab.tape.redact import Redactor
from lab.world.entries import Entry, Fact

VERSION = 1
CLOCK = "clock"
"""What a fact's own `at` (an engine's clock) is called on a line, where `at` is the entry's time."""
FACTS: TypeAdapter[Fact] = TypeAdapter(Fact)


class Header(BaseModel):
    """A tape's first line. `recorded` is in UTC; `digest` is of the lesson as it was; `columns` and `rows` are the
    terminal's size; `nodes` is how many there were."""

    model_config = ConfigDict(frozen=True)

    title: str
    lesson: str
    recorded: datetime
    digest: str = ""
    lab: str = ""
    engine: str = ""
    provider: str = ""
    acceleration: str = ""
    nodes: int = 0
    columns: int = 100
    rows: int = 30


def to_line(entry: Entry) -> str:
    """An entry as a tape has it, its time to the millisecond."""
    fact = FACTS.dump_python(entry.fact, mode="json", exclude_defaults=True)
    own = {CLOCK: fact.pop("at")} if "at" in fact else {}
    return _json({"at": round(entry.at, 3), "kind": entry.fact.kind, **own, **fact})


def header_line(header: Header) -> str:
    """The first line."""
    return _json({"swarmlab": VERSION, **header.model_dump(mode="json", exclude_defaults=True)})


def end_line(count: int, finished: bool) -> str:
    """The last line."""
    return _json({"end": count, "finished": finished})


def redacted(fact: Fact, redactor: Redactor) -> Fact:
    """The same fact with its secrets masked, each of its texts by itself."""
    plain = FACTS.dump_python(fact)
    together = "\n".join(_texts(plain))
    if redactor.whole(together) == together:
        return fact
    masked = _each_text(plain, redactor)
    return fact if masked == plain else FACTS.validate_python(masked)


def _texts(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for key, inner in value.items():
                yield from _texts(key)
                yield from _texts(inner)
        case list() | tuple():
            for inner in value:
                yield from _texts(inner)


def _each_text(value: Any, redactor: Redactor) -> Any:
    match value:
        case str():
            return redactor.whole(value)
        case dict():
            return {_each_text(key, redactor): _each_text(inner, redactor) for key, inner in value.items()}
        case list() | tuple():
            return type(value)(_each_text(inner, redactor) for inner in value)
        case _:
            return value


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
