"""Texts from a tape as parts of a Markdown document: nothing in them is markup, and nothing is hidden."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lab.terminal.sanitize import text_only, visible


def fence(language: str, lines: Iterable[str]) -> Iterator[str]:
    """Yield the lines as a block of code, between fences that hold whatever is in them."""
    lines = [*lines]
    fence = "`" * max(3, 1 + _longest_run(lines))
    yield from (f"{fence}{language}", *(visible(line).rstrip() for line in lines), fence)


def code(text: str) -> str:
    """Return a text as inline code."""
    text = one_line(text)
    fence = "`" * (_longest_run([text]) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def prose(text: str) -> str:
    """Return a text as one line with its markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#|~]|&(?=#?\w+;))", r"\\\1", one_line(text))


def one_line(text: str) -> str:
    """Return a text as one line with nothing hidden."""
    return visible(" ".join(text_only(text).split()))


def _longest_run(lines: Iterable[str]) -> int:
    return max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
