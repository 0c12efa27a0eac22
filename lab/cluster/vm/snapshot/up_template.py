"""The template of `up`: a swarm without any service, saved when it was first whole, from which every later lab is made.

All labs that are made from one template share their nodes' ids, keys and tokens. They are one user's, in a cache that
nobody else may enter, and their networks are apart; where a lab is handed to others, rotate its CA and its tokens.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from lab import file_lock, files, paths
from lab.cluster.model import Report
from lab.cluster.vm.build import disk_cache
from lab.cluster.vm.snapshot import fits, store, take
from lab.cluster.vm.snapshot.store import Record
from lab.cluster.vm.vm_cluster import VmCluster

FOLDER = "templates"
"""The folder in the cache."""

DISK = "disk"
"""The key there with the name of the base disk of its machines."""


def find(machines: str) -> tuple[Path, Record] | None:
    """Return the template for machines of this key (`fits.machines_key`), None when there is none or it is too old."""
    found = store.find(paths.cache() / FOLDER, machines)
    if found is None or found[1].machines != machines or store.is_too_old(found[1]):
        return None
    return found


def is_too_old(machines: str) -> bool:
    """Return whether there is a template for machines of this key that is not used any more, since it is too old."""
    found = store.find(paths.cache() / FOLDER, machines)
    return found is not None and store.is_too_old(found[1])


def make(lab: VmCluster, report: Report) -> None:
    """Save the lab, which has just been formed, as the template for its kind. Call this with the lab's lock held."""
    key = fits.key_of(lab.state)
    with file_lock.hold(paths.cache() / f"{FOLDER}.lock", "saving a template", bound=60):
        if find(key) is not None:
            return
        _delete_outdated()
        about = {DISK: lab.state.disk}
        take.take(lab, paths.cache() / FOLDER, key, "template", about=about, whole=True, report=report, also=_copy_keys)


def _delete_outdated() -> None:
    """Delete the templates of base disks that no new lab is made with any more."""
    disks = {disk_cache.disk_name("packages"), disk_cache.disk_name("official")}
    for folder, record in tuple(store.read_all(paths.cache() / FOLDER)):
        if record.about.get(DISK) not in disks:
            files.delete(folder)


def _copy_keys(lab: VmCluster, folder: Path) -> None:
    shutil.copytree(lab.home / "tls", folder / "tls")
    for node in lab.state.nodes:
        take.copy_disk(lab.home / node.name / "settings.tar", folder / f"{node.name}.settings.tar")


def write_keys(folder: Path, home: Path, nodes: Sequence[str]) -> None:
    """Give a new lab the keys and settings of a template: its engines have them in their memory."""
    paths.make(home / "tls")
    for path in (folder / "tls").iterdir():
        files.write_private(home / "tls" / path.name, path.read_bytes())
    for node in nodes:
        paths.make(home / node)
        files.write_private(home / node / "settings.tar", (folder / f"{node}.settings.tar").read_bytes())
