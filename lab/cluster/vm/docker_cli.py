"""Debian's Docker CLI, from the machines' packages, with the C library that it was linked against."""

from __future__ import annotations

import secrets
import shutil
import tarfile
from collections.abc import Iterable
from pathlib import Path

from lab import paths
from lab.cluster.vm.build import inputs

_LOADER = "ld-linux-x86-64.so.2"
_WANTED = {
    "usr/bin/docker": "docker",
    f"usr/lib/x86_64-linux-gnu/{_LOADER}": _LOADER,
    "usr/lib/x86_64-linux-gnu/libc.so.6": "libc.so.6",
    "usr/lib/x86_64-linux-gnu/libresolv.so.2": "libresolv.so.2",
}
_WRAPPER = f"""#!/bin/sh
# Debian's Docker command line, with the C library that it was linked for: this machine's may be older.
lib=$(dirname "$(dirname "$(readlink -f "$0")")")/lib
exec "$lib/{_LOADER}" --library-path "$lib" "$lib/docker" "$@"
"""


def bring() -> Path | None:
    """Return the folder of `docker`, created on first use; None without the machines' packages."""
    place = paths.require_own(paths.cache() / f"cli-{inputs.rootfs_key()}", paths.CACHE)
    if not place.exists():
        rootfs = paths.cache() / f"rootfs-{inputs.rootfs_key()}.tar"
        if not rootfs.exists():
            return None
        _bring(rootfs, place)
    return place / "bin"


def _bring(rootfs: Path, place: Path) -> None:
    beside = place.with_name(f"cli-new-{secrets.token_hex(3)}")
    try:
        paths.make(beside / "lib")
        paths.make(beside / "bin")
        with tarfile.open(rootfs) as tar:
            for member, name in _found(tar):
                if (data := tar.extractfile(member)) is not None:
                    (beside / "lib" / name).write_bytes(data.read())
                    (beside / "lib" / name).chmod(0o755)
        (beside / "bin" / "docker").write_text(_WRAPPER)
        (beside / "bin" / "docker").chmod(0o755)
        # Another process may have created it meanwhile: its folder is just as good.
        if not place.exists():
            beside.replace(place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _found(tar: tarfile.TarFile) -> Iterable[tuple[tarfile.TarInfo, str]]:
    for member in tar:
        if name := _WANTED.get(member.name.removeprefix("./")):
            yield member, name
