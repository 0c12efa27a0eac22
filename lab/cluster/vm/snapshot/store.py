"""Snapshots on disk: a folder each, with a record, and every machine's memory and disk.

<state>/labs/NAME/snapshots/SNAPSHOT/snapshot.json
                                     node1.memory.zst (node1.memory until it is compressed), node1.qcow2 ...
                            .new-XXXXXX/    one that is being made; deleted by whoever takes the lock next

A snapshot holds the swarm's keys: all of it is private (mode 0600, in folders of mode 0700), and in no bundle or tape.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from lab import files, paths
from lab.cluster import lab_paths
from lab.cluster.snapshot import Kind
from lab.cluster.vm.state import Word
from lab.errors import LabError
from lab.files import write_private

RECORD = "snapshot.json"
_NEW = ".new-"
_OLD = ".old-"

LONGEST_LIFE = timedelta(days=80)
"""The age past which one is not restored: the certificates of a swarm's nodes end after 90 days (docs.docker.com,
`docker swarm init --cert-expiry`), and none is renewed while nothing runs."""


class NodeRecord(BaseModel):
    """A machine in a snapshot: whether it ran, whether its cable was unplugged, and whether there may have been a fault
    inside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Word
    on: bool = True
    cut: bool = False
    broken: bool = True


class Record(BaseModel):
    """A snapshot's record. `machines` is the key of the machines that it fits (`fits.machines_key`), `swarm` that of
    the keys in it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    name: Word
    kind: Kind
    created: AwareDatetime
    machines: Word
    swarm: Word
    nodes: tuple[NodeRecord, ...]
    services: tuple[str, ...] = ()
    about: Mapping[str, str] = {}
    stood_still: float = 0.0
    whole: bool = False


def read_record(folder: Path) -> Record | None:
    """Return the record in a snapshot's folder, None when it is not whole or was written by another version."""
    try:
        return Record.model_validate_json((folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def read_all(parent: Path) -> Iterator[tuple[Path, Record]]:
    """Yield the folder and the record of every whole snapshot, oldest first."""
    found = ((folder, read_record(folder)) for folder in parent.glob("[a-z0-9]*") if not folder.is_symlink())
    yield from sorted(((f, r) for f, r in found if r is not None), key=lambda pair: pair[1].created)


def find(parent: Path, name: str) -> tuple[Path, Record] | None:
    """Return the folder and the record of the snapshot of that name."""
    return next(((folder, record) for folder, record in read_all(parent) if record.name == name), None)


def begin(parent: Path) -> Path:
    """Create the folder of a snapshot that is being made."""
    paths.make(parent)
    folder = parent / f"{_NEW}{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    return folder


def finish(folder: Path, record: Record) -> Path:
    """Write the record and give the folder its name, in place of an older one of the same name, which is deleted only
    then: whenever this is interrupted, `delete_unfinished` leaves the old one or the new one."""
    write_private(folder / RECORD, record.model_dump_json(indent=1).encode())
    final, old = folder.parent / record.name, folder.parent / f"{_OLD}{record.name}"
    if final.exists():
        final.replace(old)
    folder.replace(final)
    files.delete(old)
    return final


def delete_unfinished(parent: Path) -> None:
    """Delete what a killed program left half made, and give back its name to one that was about to be replaced. Call
    this only with the lab's lock held."""
    for folder in parent.glob(f"{_OLD}*"):
        final = parent / folder.name.removeprefix(_OLD)
        files.delete(folder) if final.exists() else folder.replace(final)
    for path in (*parent.glob(f"{_NEW}*"), *parent.glob("*/.*.zst")):
        files.delete(path)


def delete_of_steps(lab: str) -> None:
    """Delete the snapshots before steps of a lab that is gone, and what is half made."""
    parent = lab_paths.snapshots_folder(lab)
    if parent.is_dir():
        delete_unfinished(parent)
        for folder, record in tuple(read_all(parent)):
            if record.kind == "step":
                files.delete(folder)
        if not any(parent.iterdir()):
            parent.rmdir()


def delete_everything() -> None:
    """Delete the snapshots of all labs. Call this when there is no lab."""
    for parent in (paths.state() / "labs").glob("*/snapshots"):
        for folder in parent.iterdir():
            if folder.name.startswith((_NEW, _OLD)) or (folder / RECORD).exists():
                files.delete(folder)
        if not any(parent.iterdir()):
            parent.rmdir()


def size_of(folder: Path) -> int:
    """Return how many bytes a snapshot's files take on the disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # It was packed or removed at this very moment.
                total += (Path(parent) / name).lstat().st_blocks * 512
    return total


def find_memory(folder: Path, node: str) -> Path:
    """Return the file with a machine's memory, compressed or not. Raises LabError when it is gone."""
    # Packed last again: it may be packed between the two looks.
    for name in (f"{node}.memory.zst", f"{node}.memory", f"{node}.memory.zst"):
        if (folder / name).is_file():
            return folder / name
    raise LabError(f"the snapshot in {folder} lacks the memory of {node}")


def is_too_old(record: Record) -> bool:
    """Return whether the certificates in it may have ended. One from the future is of a clock that was set back."""
    return datetime.now(UTC) - record.created > LONGEST_LIFE
