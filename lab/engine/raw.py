"""Tolerant reading of an engine's answers: an unexpected shape raises an EngineError about one object, no more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from lab.errors import EngineError

Raw = Mapping[str, Any]
T = TypeVar("T")

#: The engine counts in Go's uint64.
_MOST = 2**64


def read_object(what: str, convert: Callable[[Raw], T], raw: Raw) -> T:
    """Convert one object of an answer to a dataclass and check every leaf's type; raises EngineError that says which
    object does not conform to the API, and why."""
    try:
        if not isinstance(raw, Mapping):
            raise ValueError(f"it is {_excerpt(raw)}, not an object")
        return check_bounds(convert(raw))
    except Exception as error:  # Whatever an odd shape raises, only this one object is odd.
        raise EngineError(f"{what} {name_of(raw)} could not be read: {describe_odd(error)}") from error


def check_bounds(value: T) -> T:
    """Return a dataclass once every leaf has its type and is within its bounds, so that a recording of it can be read
    again. Raises what pydantic raises."""
    kind: Any = type(value)
    adapter = _adapter(kind)
    checked: T = adapter.validate_python(value)
    # An invalid text (half a surrogate pair) is found only when it is written out.
    adapter.dump_json(checked)
    return checked


def read_list(what: str, raw: object) -> list[Raw]:
    """Return a list from an answer. Go writes an empty one as null; anything else that is not a list raises
    EngineError."""
    if raw is None:
        return []
    if not isinstance(raw, list):
        raise EngineError(f"the engine's answer for the {what}s is {_excerpt(raw)}, not a list")
    return raw


def name_of(raw: object) -> str:
    """Return what to call an object of any shape: its name, or else its id, or "?"."""
    if not isinstance(raw, Mapping):
        return "?"
    spec = raw.get("Spec")
    name = spec.get("Name") if isinstance(spec, Mapping) else None
    found = next((text for text in (name, raw.get("ID"), raw.get("Id")) if isinstance(text, str) and text), "?")
    return _printable(found)


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    # pydantic does not apply a config to a bare dataclass, but does to a union of a dataclass and None.
    config = ConfigDict(strict=True, revalidate_instances="always", allow_inf_nan=False)
    return TypeAdapter(kind | None, config=config)


def describe_odd(error: Exception) -> str:
    """Describe an odd shape in a few words."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place} is {_excerpt(first['input'])}: {first['msg'][:1].lower()}{first['msg'][1:]}"
    if isinstance(error, KeyError):
        return f"{error.args[0]} is missing"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, TypeError | AttributeError):
        return f"it has another shape than the API promises ({_printable(str(error))})"
    return _printable(str(error)) or type(error).__name__


def _excerpt(value: object) -> str:
    """Return the start of any value, for display: an answer may be of any size and depth."""
    if isinstance(value, str | bool | float) or value is None:
        return _printable(repr(value[:40] if isinstance(value, str) else value))
    if isinstance(value, int):
        return str(value) if abs(value) < _MOST else "a number beyond all counts"
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, type(value).__name__)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "·" for c in text[:120])


def read_count(raw: Raw, field: str, otherwise: int = 0) -> int:
    """Return an integer field of an answer, `otherwise` if it is absent. Raises ValueError if it is not a count."""
    value = raw.get(field)
    if value is None:
        return otherwise
    if type(value) is not int or not -_MOST < value < _MOST:
        raise ValueError(f"{field} is {_excerpt(value)}, not a count")
    return value


def read_entries(raw: Raw, field: str) -> list[Any]:
    """Return a list field of an object, empty if it is absent. Raises ValueError if it is not a list."""
    value = raw.get(field)
    if value is None:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{field} is {_excerpt(value)}, not a list")
    return value
