"""Where a lab's machines have their folder. Light: it is asked before the first paint."""

from __future__ import annotations

import re
from pathlib import Path

from lab import paths
from lab.errors import InputError

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")


def check_name(name: str) -> str:
    """The name, if a lab can be called so. Raises InputError."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is no name for a lab: use up to 31 small letters, digits and hyphens, a letter or digit first"
        )
    return name


def lab_folder(name: str) -> Path:
    """The folder of the lab's cluster; it is not made."""
    return paths.state(check_name(name)) / "cluster"


def lock_file(name: str) -> Path:
    """The lock of the lab's cluster; whoever takes it makes its folder."""
    return paths.state(check_name(name)) / "cluster.lock"


def work_lock_file(name: str) -> Path:
    """The lock of who runs or resets a lesson on the lab's cluster; whoever takes it makes its folder."""
    return paths.state(check_name(name)) / "work.lock"


def lab_names() -> tuple[str, ...]:
    """The labs that have machines, whole or half made."""
    return tuple(sorted(p.parent.parent.name for p in (paths.state() / "labs").glob("*/cluster/lab.json")))
