"""Files that a stack file names: where docker looks for them, and what an env_file contains."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from lab.schema.document import Document


def resolve_path(doc: Document, name: str) -> Path:
    """Return where docker looks for a file: relative to the stack file's folder. `~` has no special meaning there."""
    return doc.path.parent / name


def found(path: Path) -> os.stat_result | None:
    """Return the status of a path; None when there is nothing, or when it cannot be inspected."""
    try:
        return path.stat()
    except (OSError, ValueError):  # ValueError: a NUL in the name.
        return None


def is_file(path: Path) -> bool:
    """Return whether the path exists and is a regular file."""
    there = found(path)
    return there is not None and stat.S_ISREG(there.st_mode)


def read_content(path: Path) -> bytes | None:
    """Return the content of a regular file; None when there is none, or when it cannot be read."""
    try:
        return path.read_bytes() if is_file(path) else None
    except OSError:
        return None


def find_missing(doc: Document, name: str) -> str:
    """Return a sentence that says that a file is missing, and where it would be."""
    if Path(name).is_absolute():
        return f"there is no file {name} on this machine"
    hint = " (docker takes ~ for a folder's name here)" if name.startswith("~") else ""
    return f"there is no file {name} beside {doc.path.name}{hint}"


def parse_env_file(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the names and values of an env_file; None for a bare name. A value is the rest of its line verbatim:
    quotes, blanks and `#` belong to it. Raises a readable ValueError for a line that docker rejects."""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r").lstrip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not name:
            raise ValueError(f"line {number} begins with =, and has no name")
        if any(character in name for character in " \t\v\f\r\n\x85\xa0"):
            raise ValueError(f"line {number}: there is a blank in the name {name!r}; write NAME=value")
        yield name, value if sign else None
