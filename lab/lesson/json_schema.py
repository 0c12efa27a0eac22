"""The JSON schemas of a lesson and of a challenge for editors, written to `lessons/schema.json` and
`lessons/challenges/schema.json` by `python -m lab.lesson`."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from lab.checks import check
from lab.lesson import challenge, checkpoint, model, notes, question
from lab.schema.value import Value


def editor_schema(top: type[Value] = model.Lesson) -> str:
    """Return the schema of a lesson or a challenge as text, with the models' docstrings as descriptions."""
    plain, parts = top.model_json_schema(), (check, checkpoint, notes, question, model, challenge)
    models = {name: each for part in parts for name, each in vars(part).items()}
    for name, definition in {**plain["$defs"], top.__name__: plain}.items():
        _describe(definition, models[name])
    title = f"A swarmlab {top.__name__.lower()}"
    full = {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain, "title": title}
    return json.dumps(full, indent=2, ensure_ascii=False) + "\n"


def _describe(definition: dict[str, Any], model: type[Value]) -> None:
    for field, text in _field_texts(model):
        if field in definition.get("properties", {}):
            definition["properties"][field]["description"] = text


def _field_texts(model: type[Value]) -> Iterator[tuple[str, str]]:
    """Yield the strings below fields. pydantic could read them too, but would do so at every import."""
    try:
        source = inspect.getsource(model)
    except OSError:  # generated from a table, so its source has no fields of its own
        return
    (node,) = ast.parse(textwrap.dedent(source)).body
    lines = node.body if isinstance(node, ast.ClassDef) else []
    for line, below in pairwise(lines):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and is_text:
            yield line.target.id, inspect.cleandoc(str(ast.literal_eval(ast.unparse(below))))
