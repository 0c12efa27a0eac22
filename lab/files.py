"""Deleting what the lab made, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from lab.errors import LabError


def delete(path: Path) -> None:
    """Delete a file, a link (never what it points to) or a folder with all that is in it. Idempotent.

    Raises LabError with the first thing that could not be deleted.
    """
    left: list[tuple[str, str]] = []

    def note(_: Any, name: str, failure: Any) -> None:
        error = failure[1]
        if not isinstance(error, FileNotFoundError):
            left.append((name, getattr(error, "strerror", None) or str(error)))

    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, onerror=note)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        left.append((str(path), error.strerror or str(error)))
    if left:
        name, why = left[0]
        more = f", and {len(left) - 1} more" if len(left) > 1 else ""
        raise LabError(f"{name} cannot be deleted: {why}{more}", remedy=f"delete {path} yourself")
