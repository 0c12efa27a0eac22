"""Deleting only what the lab made, and writing private files."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from pathlib import Path

from lab import paths
from lab.errors import LabError


def delete(path: Path) -> None:
    """Delete a file, a link (never its target) or a folder with everything in it. Idempotent.

    `path` is absolute. Raises LabError with the first file that could not be deleted, and when a folder above `path` is
    a link: its target may belong to somebody else.
    """
    above = path.parent
    if os.path.realpath(above) != str(above):
        raise LabError(
            f"{path} was not deleted: a link on the way to it leads to {os.path.realpath(above)}",
            remedy="remove the link, or delete what is behind it yourself",
        )
    left: list[tuple[str, str]] = []

    def note(name: str, error: BaseException) -> None:
        if not isinstance(error, FileNotFoundError):
            left.append((name, getattr(error, "strerror", None) or str(error)))

    try:
        if not path.is_dir() or path.is_symlink():
            path.unlink(missing_ok=True)
        elif sys.version_info >= (3, 12):
            shutil.rmtree(path, onexc=lambda _, name, error: note(name, error))
        else:
            shutil.rmtree(path, onerror=lambda _, name, failure: note(name, failure[1]))
    except OSError as error:
        note(str(path), error)
    if left:
        name, why = left[0]
        more = f", and {len(left) - 1} more" if len(left) > 1 else ""
        raise LabError(f"{name} cannot be deleted: {why}{more}", remedy=f"delete {path} yourself")


def write_private(path: Path, data: bytes) -> None:
    """Write a private file (mode 0600) atomically; a missing folder is created, private too. Raises MissingError when
    the file cannot be written."""
    paths.make(path.parent)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with paths.guard_writes(path):
        beside.touch(mode=0o600, exist_ok=False)
        try:
            with beside.open("wb") as out:
                out.write(data)
                out.flush()
                os.fsync(out.fileno())
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
