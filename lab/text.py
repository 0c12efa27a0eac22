"""Small texts that every package needs: a count, the first few of many, alternatives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

#: How many texts `summarize` lists before it counts the rest.
_NAMED = 4


def count_of(count: int, word: str) -> str:
    """Return a count with its noun: `1 task`, `3 tasks`."""
    return f"{count} {word}" + ("" if count == 1 else "s")


def summarize(texts: Iterable[str]) -> str:
    """Return the first few texts, separated by semicolons, and how many more there are."""
    all_of_them = list(texts)
    left = len(all_of_them) - _NAMED
    return "; ".join(all_of_them[:_NAMED]) + (f"; and {left} more" if left > 0 else "")


def either(names: Sequence[str]) -> str:
    """Return the names as alternatives: `node1`, `node1 or node2`, `node1, node2 or node3`."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def format_size(size: int) -> str:
    """Return a number of bytes as people say it, in decimal units: `350 MB`, `1.2 GB`."""
    return f"{size / 1e6:.0f} MB" if size < 1e9 else f"{size / 1e9:.1f} GB"
