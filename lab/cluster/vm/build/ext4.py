"""The machines' base disk: the packages' tar as an ext4 file system, with correct owners, with or without root."""

from __future__ import annotations

import os
import shutil
import threading
from pathlib import Path

from lab import paths
from lab.cluster import process
from lab.cluster.vm.build import inputs

_BOUND = 600.0


def make(rootfs: Path, target: Path, *, log: Path, stop: threading.Event | None = None) -> None:
    """Write the sparse raw disk `target` (the guest sees `inputs.DISK_BYTES`) from the tar `rootfs`."""
    tree = target.parent / "tree"
    tree.mkdir()
    try:
        unpack = ["tar", "-x", "-p", "--numeric-owner", "--exclude=./dev/*", "-C", str(tree), "-f", str(rootfs)]
        process.run_program([*_as_root(), *unpack], log=log, bound=_BOUND, stop=stop)
        with target.open("wb") as disk:
            disk.truncate(inputs.DISK_BYTES)
        # Tables written now need not be written by the kernel's background thread on every first boot.
        options = "lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0"
        fill = ["mke2fs", "-q", "-t", "ext4", "-L", "swarmlab", "-N", "262144", "-m", "0", "-E", options]
        argv = [*_as_root(), *fill, "-d", str(tree), str(target)]
        process.run_program(argv, log=log, bound=_BOUND, stop=stop, env={"PATH": search_path()})
    finally:
        remove(tree, log=log)


def remove(tree: Path, *, log: Path) -> None:
    """Delete a tree whose files may belong to mapped users."""
    if os.geteuid() == 0:
        shutil.rmtree(tree, ignore_errors=True)
    elif tree.exists():
        process.run_program([*_as_root(), "rm", "-rf", str(tree)], log=log, bound=_BOUND)


def _as_root() -> list[str]:
    return [] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--map-auto", "--"]


def search_path() -> str:
    """Return PATH with the folders of system tools, which an ordinary user's PATH often lacks."""
    return f"{paths.search_path()}:/usr/sbin:/sbin"
