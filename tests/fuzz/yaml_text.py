"""Plain data as YAML, whatever is in it, and an example of every place of a model."""

from __future__ import annotations

import math
from typing import Any

from pydantic import BaseModel

#: Levels written in block style; what is deeper keeps its depth, not its breadth.
_DEEPEST = 150


def yaml_of(value: Any, deep: int = 0) -> str:
    """Block style, so that each place has a line; texts are quoted, and what is not printable is escaped."""
    lead = "  " * deep
    if deep > _DEEPEST:
        return _nested(value)
    if isinstance(value, dict) and value:
        return "".join(f"\n{lead}{_key(key)}: {yaml_of(inner, deep + 1)}" for key, inner in value.items())
    if isinstance(value, list) and value:
        return "".join(f"\n{lead}- {yaml_of(inner, deep + 1)}" for inner in value)
    return _scalar(value)


def _nested(value: Any) -> str:
    levels = 0
    while isinstance(value, dict | list) and value:
        value = next(iter(value.values() if isinstance(value, dict) else value))
        levels += 1
    return "[" * levels + _scalar(value) + "]" * levels


def _key(key: str) -> str:
    return key if key.isidentifier() and key.isascii() and key not in {"on", "off", "yes", "no"} else _scalar(key)


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return ".nan" if math.isnan(value) else ".inf" if value > 0 else "-.inf"
        case str():
            return '"' + "".join(_char(char) for char in value) + '"'
        case int() | float():
            return repr(value)
    return "{}" if isinstance(value, dict) else "[]"


def _char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char.isprintable():
        return char
    return f"\\U{ord(char):08x}" if ord(char) > 0xFFFF else f"\\u{ord(char):04x}"


def full(model: type[BaseModel]) -> Any:
    """A value with every key that a model knows, down to the last; the first form of what has several."""
    schema = model.model_json_schema()
    return _full(schema, schema.get("$defs", {}), ())


def _full(schema: dict[str, Any], known: dict[str, Any], above: tuple[str, ...]) -> Any:
    if name := schema.get("$ref", "").rpartition("/")[2]:
        return {} if name in above else _full(known[name], known, (*above, name))
    if forms := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        return _full(next(form for form in forms if form.get("type") != "null"), known, above)
    if "enum" in schema or "const" in schema:
        return schema["const"] if "const" in schema else schema["enum"][0]
    match schema.get("type"):
        case "object" if "properties" in schema:
            return {key: _full(inner, known, above) for key, inner in schema["properties"].items()}
        case "object":
            inner = schema.get("additionalProperties")
            return {"web": _full(inner, known, above) if isinstance(inner, dict) else "x"}
        case "array":
            return [_full(schema.get("items", {}), known, above)]
        case "integer":
            return int(schema.get("minimum", 1))
        case "number":
            return 1.5
        case "boolean":
            return True
    return "web"
