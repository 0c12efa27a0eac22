"""What a tape may hold at most, before anything is made of it: files come from strangers, and views draw what they say.

The largest recording that travels with the program has some 200 KB, its longest line 11 KB and 460 values.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

FILE = 8 * 2**20
"""Bytes of a tape."""

LINE = 2**20
"""Bytes of one of its lines."""

ENTRIES = 50_000
VALUES = 100_000
"""Values in one entry, those in lists and objects counted."""

DEPTH = 24
TEXT = 300_000
NAME = 300
"""Characters of a text, and of one that names something."""

SECONDS = 1e8
"""Of an entry's time and of durations: three years."""

EPOCH = 253_402_300_799
"""The last second of the year 9999, since the epoch."""

NUMBER = 1e15
"""Of everything else, such as bytes of memory."""

_NAMES = frozenset({"lesson", "step", "name", "node", "by", "kind", "stage", "host", "title", "lab", "provider"})
_DURATIONS = frozenset({"at", "seconds", "ago", "ms", "late", "rate", "delay", "monitor"})
_TIMES = frozenset({"clock", "now", "created", "changed", "started", "completed", "not_before", "not_after"})
#: A program's exit status may be the number of a signal, below 0.
_SIGNED = frozenset({"exit", "status"})


def beyond(value: Any) -> str:
    """Why a line's value, as JSON gives it, is not to be taken, as a sentence; "" when it is within bounds."""
    for number, (key, inner, depth) in enumerate(_walk(value)):
        if number > VALUES:
            return f"it has more than {VALUES} values"
        if depth > DEPTH:
            return f"it is nested more than {DEPTH} deep"
        if isinstance(inner, str):
            why = _text(key, inner)
        elif isinstance(inner, int | float) and not isinstance(inner, bool):
            why = _number(key, inner)
        else:
            continue
        if why:
            return f"{key!r} {why}" if key else f"it {why}"
    return ""


def _walk(value: Any) -> Iterator[tuple[str, Any, int]]:
    """Every value with the key that it stands under, and how deep; the keys themselves as texts."""
    stack: list[Iterator[tuple[str, Any]]] = [iter([("", value)])]
    while stack:
        found = next(stack[-1], None)
        if found is None:
            stack.pop()
            continue
        key, inner = found
        yield key, inner, len(stack)
        if isinstance(inner, dict):
            stack.append((name, each) for pair in inner.items() for name, each in (("key", pair[0]), pair))
        elif isinstance(inner, list):
            stack.append((key, each) for each in inner)


def _text(key: str, text: str) -> str:
    longest = NAME if key in _NAMES or key == "key" else TEXT
    if len(text) > longest:
        return f"is longer than {longest} characters"
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        return "holds half of a character (a lone surrogate)"
    return ""


def _number(key: str, number: float) -> str:
    most = SECONDS if key in _DURATIONS else EPOCH if key in _TIMES else NUMBER
    # Comparing comes first: a whole number may be too large to be a float.
    if number != number or abs(number) > most or not math.isfinite(number):
        return f"is not between 0 and {most:g}"
    if number < 0 and key not in _SIGNED:
        return "is below 0"
    return ""
