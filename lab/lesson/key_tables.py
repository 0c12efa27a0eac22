"""The tables of keys in the author's chapter, `lessons/README.md`: from the schema, but for their examples; that of
checks from the checks' classes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from lab.lesson.challenge import Challenge
from lab.lesson.check_table import kinds
from lab.lesson.json_schema import editor_schema

CHECKS = "Check"
"""The name of the table of checks, whose rows are conditions."""

_FILLED_IN = frozenset({"excerpt", "broken"})
"""Keys that are the lab's own."""

_TABLE = re.compile(r"<!-- keys of (\w+): begin -->\n(.*?)<!-- keys of \1: end -->", re.DOTALL)
_ROW = re.compile(r"\| `(\w+)`.*\| (`.*`) \|")
_HEAD = "| key | what it says | example |\n| --- | --- | --- |\n"
_HEAD_OF_CHECKS = "| check | asks | its keys | example |\n| --- | --- | --- | --- |\n"


def with_key_tables(text: str) -> str:
    """Return the document with its tables as the schema has them now. A row keeps its example, a new row has none yet;
    that of a check is its class's. Raises ValueError for a table of a model that is not in the schema."""
    schema = whole_schema()
    return _TABLE.sub(lambda table: _fill_table(table[1], table[2], schema), text)


def whole_schema() -> dict[str, Any]:
    """Return the schema of a lesson, with the models of a challenge among its definitions."""
    lesson, challenge = json.loads(editor_schema()), json.loads(editor_schema(Challenge))
    return {**lesson, "$defs": {**challenge["$defs"], **lesson["$defs"], "Challenge": challenge}}


def examples(text: str) -> dict[str, dict[str, str]]:
    """Return the examples in the document's tables, by model and key."""
    return {table[1]: _examples(table[2]) for table in _TABLE.finditer(text)}


def keys(name: str, schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the schema of each key that an author may write in a model. Raises ValueError for an unknown model."""
    model = schema if name == "Lesson" else schema["$defs"].get(name)
    if model is None:
        raise ValueError(f"the schema has no {name}")
    return {key: each for key, each in model["properties"].items() if key not in _FILLED_IN}


def _fill_table(name: str, old: str, schema: Mapping[str, Any]) -> str:
    if name == CHECKS:
        head, rows = _HEAD_OF_CHECKS, [_check_row(key, schema) for key in keys(name, schema)]
    else:
        kept = _examples(old)
        head, rows = _HEAD, [f"{_key_row(name, key, schema)} | {kept.get(key, '')} |" for key in keys(name, schema)]
    body = "".join(f"{row}\n" for row in rows)
    return f"<!-- keys of {name}: begin -->\n{head}{body}<!-- keys of {name}: end -->"


def _key_row(name: str, key: str, schema: Mapping[str, Any]) -> str:
    model = schema if name == "Lesson" else schema["$defs"][name]
    required = " (required)" if key in model.get("required", ()) else ""
    return f"| `{key}`{required} | {_one_line(keys(name, schema)[key].get('description', ''))}"


def _check_row(key: str, schema: Mapping[str, Any]) -> str:
    condition = kinds()[key]
    mine = schema["$defs"].get(condition.__name__, {}).get("properties", {})
    named = ", ".join(f"`{each}`" for each in mine) or "the status itself"
    asks = _one_line((condition.__doc__ or "").split("\n\n")[0])
    return f"| `{key}` | {asks} | {named} | `{key}: {condition.example}` |"


def _examples(table: str) -> dict[str, str]:
    return {row[1]: row[2] for row in map(_ROW.match, table.splitlines()) if row is not None}


def _one_line(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
