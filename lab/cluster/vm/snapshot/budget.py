"""How much room snapshots may take, and which go when there is not enough."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from lab import files
from lab.cluster.vm.snapshot import fits, store
from lab.cluster.vm.snapshot.store import Record
from lab.errors import InputError, LabError

VARIABLE = "SWARMLAB_SNAPSHOTS"
"""The environment variable with the room for a lab's snapshots, in GB."""

DEFAULT = 8.0
"""GB."""

_GB = 10**9
#: Bytes that a new snapshot may need a machine before it is compressed: its memory.
_A_MACHINE = 1 << 30


def budget() -> int:
    """Return the room for a lab's snapshots, in bytes. Raises InputError when the variable is no number."""
    said = os.environ.get(VARIABLE, "").strip()
    try:
        room = float(said) if said else DEFAULT
    except ValueError:
        room = -1.0
    if not 0 <= room < 1e6:
        raise InputError(f"{VARIABLE} is {said!r}: it should be a number of GB", remedy=f"unset {VARIABLE}")
    return int(room * _GB)


def make_room(parent: Path, keys: tuple[str, str], machines: int, name: str = "") -> None:
    """Delete snapshots until a new one of so many machines, called `name`, fits into the budget: first those that do
    not fit here any more, then those before steps, then those of checkpoints, the oldest first. Never one that somebody
    made by name.

    Raises LabError when that is not enough, or the disk is too full.
    """
    largest = max((store.size_of(folder) for folder, _ in store.read_all(parent)), default=0)
    needed = largest or machines * 200_000_000
    while (used := _sum_sizes(parent, name)) + needed > budget():
        if (folder := next(_go_first(parent, keys), None)) is None:
            raise LabError(
                f"the snapshots take {used / _GB:.1f} GB, a new one about {needed / _GB:.1f} GB, "
                f"and only {budget() / _GB:.1f} GB are allowed",
                remedy=f"swarmlab snapshot --remove NAME, or set {VARIABLE} to more GB",
            )
        files.delete(folder)
    free = shutil.disk_usage(next(each for each in (parent, *parent.parents) if each.exists())).free
    if free < machines * _A_MACHINE:
        raise LabError(
            f"a snapshot needs up to {machines * _A_MACHINE / _GB:.1f} GB while it is made, "
            f"and {free / _GB:.1f} GB are free below {parent.parent}",
            remedy="free some space, then try again",
        )


def expect_room(parent: Path, size: int) -> None:
    """Check that so many bytes of new snapshots fit into the budget beside those that somebody made by name, and onto
    the disk. Raises LabError when they do not."""
    own = sum(store.size_of(folder) for folder, record in store.read_all(parent) if record.kind == "own")
    if own + size > budget():
        allowed = max(0, budget() - own) / _GB
        raise LabError(
            f"these snapshots need about {size / _GB:.1f} GB, and only {allowed:.1f} GB are allowed",
            remedy=f"set {VARIABLE} to at least {math.ceil((own + size) / _GB)}, or prepare fewer",
        )
    free = shutil.disk_usage(next(each for each in (parent, *parent.parents) if each.exists())).free
    if size > free:
        raise LabError(
            f"these snapshots need about {size / _GB:.1f} GB, and {free / _GB:.1f} GB are free below {parent.parent}",
            remedy="free some space, or prepare fewer",
        )


def _sum_sizes(parent: Path, name: str) -> int:
    """Return what the snapshots take, without the one that the new one replaces."""
    return sum(store.size_of(folder) for folder, record in store.read_all(parent) if record.name != name)


def _go_first(parent: Path, keys: tuple[str, str]) -> Iterator[Path]:
    every: list[tuple[Path, Record]] = [pair for pair in store.read_all(parent) if pair[1].kind != "own"]
    yield from (folder for folder, record in every if fits.why_unfit(record, *keys))
    yield from (folder for folder, record in every if record.kind == "step")
    yield from (folder for folder, _ in every)
