"""The machines' kernel and initrd, from the packages' tar. Python writes the archive, so no tool is needed."""

from __future__ import annotations

import lzma
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lab.cluster.vm.build import inputs
from lab.errors import LabError


@dataclass(frozen=True)
class Entry:
    """A file of an initrd; a folder when `data` is None."""

    name: str
    data: bytes | None
    mode: int


def cpio(entries: Iterable[Entry]) -> bytes:
    """Return an archive in the `newc` format that the kernel unpacks (Documentation/driver-api/early-userspace)."""
    out = bytearray()
    for number, entry in enumerate((*entries, Entry("TRAILER!!!", b"", 0)), start=1):
        kind = 0o040000 if entry.data is None else 0o100000 if entry.mode else 0
        data, name = entry.data or b"", entry.name.encode() + b"\0"
        fields = (number, kind | entry.mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        out += b"070701" + b"".join(b"%08X" % field for field in fields) + name
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return bytes(out)


def make(rootfs: Path, kernel: Path, initrd: Path) -> None:
    """Write `kernel` and `initrd`, taken from the packages' tar `rootfs`.

    Raises LabError when the tar lacks the kernel, busybox, the disk driver or the program that repairs a disk.
    """
    wanted = {"boot/vmlinuz-": b"", "usr/bin/busybox": b"", "e2fsck.static": b"", "virtio_blk.ko": b""}
    with tarfile.open(rootfs) as tar:
        for member in tar:
            name = member.name.removeprefix("./")
            for part in wanted:
                if member.isreg() and (name.startswith(part) or name.endswith((f"/{part}", f"/{part}.xz"))):
                    file = tar.extractfile(member)
                    data = file.read() if file else b""
                    wanted[part] = lzma.decompress(data) if name.endswith(".xz") else data
    missing = [part for part, data in wanted.items() if not data]
    if missing:
        raise LabError(f"the packages lack {', '.join(missing)}", remedy="swarmlab down --purge, then swarmlab up")
    kernel.write_bytes(wanted["boot/vmlinuz-"])
    initrd.write_bytes(
        cpio(
            (
                Entry("bin", None, 0o755),
                Entry("bin/busybox", wanted["usr/bin/busybox"], 0o755),
                Entry("bin/e2fsck", wanted["e2fsck.static"], 0o755),
                Entry("init", inputs.guest("init"), 0o755),
                Entry("pid1", inputs.guest("pid1"), 0o755),
                Entry("agent", inputs.guest("agent"), 0o755),
                Entry("virtio_blk.ko", wanted["virtio_blk.ko"], 0o644),
            )
        )
    )
