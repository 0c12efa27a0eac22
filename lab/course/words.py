"""Words: `{{name}}` in a lesson's texts and the captured values in its place, and numbers of things."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping

#: Names that every lesson may use: what its host names end with, the ports of this machine that lead to port 80 and
#: port 443 of node1, and how many requests a second of load the cluster carries.
GIVEN = ("domain", "http_port", "https_port", "rate")

_HOLE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


def names(text: str) -> Iterator[str]:
    """The captured names that a text uses, in order. Go templates (`{{.Node}}`) are not among them."""
    for found in _HOLE.finditer(text):
        yield found.group(1)


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with every known name replaced by its value as it is: for the screen, for checks, for node names."""
    return _HOLE.sub(lambda hole: values.get(hole.group(1), hole.group(0)), text)


def command(text: str, values: Mapping[str, str]) -> str:
    """A shell command with every known name replaced by its quoted value: a value is one word, never syntax.

    A name inside quotes would come out quoted twice; `quoted_holes` finds those when a lesson is loaded.
    """
    return _HOLE.sub(
        lambda hole: shlex.quote(values[hole.group(1)]) if hole.group(1) in values else hole.group(0), text
    )


def quoted_holes(text: str) -> Iterator[str]:
    """The names that stand inside quotes of a shell command."""
    quote, at = "", 0
    while at < len(text):
        char = text[at]
        hole = _HOLE.match(text, at)
        if hole:
            if quote:
                yield hole.group(1)
            at = hole.end()
            continue
        if char == "\\" and quote != "'":
            at += 2
            continue
        if char in "'\"":
            quote = char if not quote else "" if quote == char else quote
        at += 1


def in_strings(value: object, change: Callable[[str], str]) -> object:
    """The plain value with `change` applied to every string in it; keys are left as they are."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: in_strings(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [in_strings(item, change) for item in value]
    return value


def strings(value: object) -> Iterator[str]:
    """Every string in the plain value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)


def many(count: int, word: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def several(texts: Iterable[str]) -> str:
    """The first few, and how many more."""
    said = list(texts)
    return "; ".join(said[:4]) + (f"; and {len(said) - 4} more" if len(said) > 4 else "")
