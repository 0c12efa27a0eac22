"""The paths of a lab's folder and locks. Lightweight: it is used before the first paint."""

from __future__ import annotations

import re
from pathlib import Path

from lab import paths
from lab.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def check_name(name: str) -> str:
    """Return the name if it is a valid lab name. Raises InputError if not."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not a valid lab name: use up to 31 lowercase letters, digits and hyphens, "
            "a letter or digit first"
        )
    return name


def lab_folder(name: str) -> Path:
    """Return the folder of the lab's cluster, without creating it."""
    return paths.state(check_name(name)) / "cluster"


def snapshots_folder(name: str) -> Path:
    """Return the folder of the lab's snapshots, without creating it. It is beside the cluster's, which `down`
    deletes."""
    return paths.state(check_name(name)) / "snapshots"


def lock_file(name: str) -> Path:
    """Return the lock file of the lab's cluster; whoever takes the lock creates its folder."""
    return paths.state(check_name(name)) / "cluster.lock"


def work_lock_file(name: str) -> Path:
    """Return the lock file for running or resetting a lesson on the lab's cluster; whoever takes the lock creates its
    folder."""
    return paths.state(check_name(name)) / "work.lock"


def lab_names() -> tuple[str, ...]:
    """Return the names of the labs that have machines, complete or half made."""
    return tuple(sorted(p.parent.parent.name for p in (paths.state() / "labs").glob("*/cluster/lab.json")))
