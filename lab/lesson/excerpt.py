"""A block of a stack file, verbatim, with its comments."""

from __future__ import annotations

import re
from pathlib import Path

from lab.errors import InputError
from lab.schema import document


def excerpt(folder: Path, file: str, block: str) -> str:
    """Return the lines of the block at a path of keys (`services/traefik/deploy`), with the comments above it and
    without its indentation. `#2-5` after the path selects lines of the block, counted from 1. Raises a readable
    ValueError."""
    path = (folder / file).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"the path {file} leaves the stacks' folder")
    try:
        doc = document.read_stack(path)
    except InputError as error:
        raise ValueError(f"{file}: {error.reason}") from None
    keys, _, part = block.partition("#")
    place = tuple(keys.split("/"))
    if place not in doc.lines:
        raise ValueError(f"{file} has no block {keys}")
    lines = path.read_text(encoding="utf-8").splitlines()
    found = _cut(lines, doc.lines[place] - 1)
    if part:
        span = re.fullmatch(r"(\d+)-(\d+)", part)
        if span is None or not 1 <= int(span[1]) <= int(span[2]) <= len(found):
            raise ValueError(f"the block {keys} has lines 1 to {len(found)}, not {part}")
        found = found[int(span[1]) - 1 : int(span[2])]
    return "\n".join(found)


def _cut(lines: list[str], at: int) -> list[str]:
    """Return the block from its key's line to the last line indented deeper; a list item includes what is below it."""
    depth = _depth(lines[at])
    first = at
    while first and lines[first - 1].lstrip().startswith("#") and _depth(lines[first - 1]) == depth:
        first -= 1
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or _depth(lines[end]) > depth):
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return [line[depth:] for line in lines[first:end]]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())
