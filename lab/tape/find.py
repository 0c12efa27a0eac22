"""Where recordings are found."""

from __future__ import annotations

from pathlib import Path

from lab import paths
from lab.errors import InputError

#: What a recording's file name ends with; `lab.tape` reads and writes what is in it.
SUFFIX = ".tape"


def find_tape(name: str) -> Path:
    """A recording by its path, or by the name of one that travels with the program. Raises InputError."""
    given, known = Path(name), paths.recordings() / f"{name}{SUFFIX}"
    try:
        if given.is_file():
            return given
        if "/" not in name and known.is_file():
            return known
    except OSError as error:  # A name that no file can have, or a folder that may not be looked into.
        raise InputError(f"there is no recording {name[:80]}: {error.strerror}") from error
    there = ", ".join(sorted(p.name.removesuffix(SUFFIX) for p in paths.recordings().glob(f"*{SUFFIX}"))) or "none"
    raise InputError(f"there is no recording {name}", remedy=f"recordings that are here: {there}")


def tapes() -> dict[str, Path]:
    """The recordings that travel with the program, by lesson."""
    return {p.name.removesuffix(SUFFIX): p for p in sorted(paths.recordings().glob(f"*{SUFFIX}"))}
