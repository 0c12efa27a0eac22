"""The JSON schema of a lesson, for editors: what `lessons/schema.json` holds. `python -m lab.lesson` writes it."""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from lab.checks import check
from lab.lesson import checkpoint, model
from lab.schema.value import Value


def editor_schema() -> str:
    """The schema as text, with the models' docstrings as descriptions."""
    plain = model.Lesson.model_json_schema()
    models = {name: each for part in (check, checkpoint, model) for name, each in vars(part).items()}
    for name, definition in {**plain["$defs"], "Lesson": plain}.items():
        _describe(definition, models[name])
    full = {"$schema": "https://json-schema.org/draft/2020-12/schema", **plain, "title": "A swarmlab lesson"}
    return json.dumps(full, indent=2, ensure_ascii=False) + "\n"


def _describe(definition: dict[str, Any], model: type[Value]) -> None:
    for field, text in _field_texts(model):
        if field in definition.get("properties", {}):
            definition["properties"][field]["description"] = text


def _field_texts(model: type[Value]) -> Iterator[tuple[str, str]]:
    """The strings that stand below fields. pydantic can read them too, but then does so at every import."""
    try:
        source = inspect.getsource(model)
    except OSError:  # made from a table: it has no fields of its own in the source
        return
    (node,) = ast.parse(textwrap.dedent(source)).body
    lines = node.body if isinstance(node, ast.ClassDef) else []
    for line, below in pairwise(lines):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and is_text:
            yield line.target.id, inspect.cleandoc(str(ast.literal_eval(ast.unparse(below))))
