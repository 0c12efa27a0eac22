"""Finding recordings."""

from __future__ import annotations

from pathlib import Path

from lab import paths
from lab.errors import InputError

#: The suffix of a recording's file name; `lab.tape.tape` reads and writes its content.
SUFFIX = ".tape"


def find_tape(name: str) -> Path:
    """Find a recording by its path, or by the name of one that ships with the program. Raises InputError."""
    given, known = Path(name), paths.recordings() / f"{name}{SUFFIX}"
    try:
        if given.is_file():
            return given
        if "/" not in name and known.is_file():
            return known
    except OSError as error:  # A name that no file can have, or a folder that may not be read.
        raise InputError(f"there is no recording {name[:80]}: {error.strerror}") from error
    from lab.schema.diagnostics import did_you_mean  # only a mistake needs it

    there = tapes()
    remedy = f"recordings that are here: {', '.join(there) or 'none'}"
    raise InputError(f"there is no recording {name}{did_you_mean(name, there)}", remedy=remedy)


def tapes() -> dict[str, Path]:
    """Return the recordings that ship with the program, by lesson."""
    return {p.name.removesuffix(SUFFIX): p for p in sorted(paths.recordings().glob(f"*{SUFFIX}"))}
