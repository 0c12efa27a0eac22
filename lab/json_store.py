"""A small JSON file that must survive: written atomically, by one process at a time, and never fatal when damaged."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab import paths
from lab.errors import LabError
from lab.files import write_private

#: The most that is read, in bytes.
_LARGEST = 4 * 1024 * 1024
Kept = dict[str, Any]


def store_path(kind: str, name: str) -> Path:
    """Return the path of the `kind` of file (`progress`, `ledger`) of the lab `name`. The file outlives the cluster."""
    return paths.state() / kind / f"{name}.json"


def read_store(path: Path) -> Kept:
    """Return the file's contents; an empty dictionary when it is missing, unreadable or damaged."""
    try:
        with path.open("rb") as file:
            data = json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def update_store(path: Path, step: Callable[[Kept], Kept]) -> None:
    """Replace the file's contents with the result of `step`, under a lock. A damaged file is kept beside the new one.

    Raises LabError when the folder cannot be written.
    """
    try:
        paths.make(path.parent)
        with path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            before = read_store(path)
            after = step(before)
            if after == before:
                return
            if not before and path.exists() and path.stat().st_size > 2:
                path.replace(path.with_suffix(".damaged"))
            write_private(path, json.dumps(after, indent=1, sort_keys=True).encode())
    except OSError as error:
        raise LabError(f"{path} cannot be written: {error.strerror or error}") from error
