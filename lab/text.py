"""Small texts that every room makes: a number of things, a few of many, the first line of a message."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: How many texts `summarize` names before it only counts.
_NAMED = 4


def count_of(count: int, word: str) -> str:
    """`1 task`, `3 tasks`."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def summarize(texts: Iterable[str]) -> str:
    """The first few, separated by semicolons, and how many more there are."""
    all_of_them = list(texts)
    left = len(all_of_them) - _NAMED
    return "; ".join(all_of_them[:_NAMED]) + (f"; and {left} more" if left > 0 else "")


def either(names: Sequence[str]) -> str:
    """`node1`, `node1 or node2`, `node1, node2 or node3`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
