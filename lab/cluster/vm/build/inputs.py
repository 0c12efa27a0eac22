"""The inputs of a machine's disk, and the keys under which its parts are cached.

A key is a digest of everything that goes into a part, so a changed Dockerfile rebuilds the images and the disk, but not
the packages. Increase `FORMAT` when the build process changes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

FORMAT = 1
SUITE = "trixie"

PACKAGES = (
    "busybox-static",
    "ca-certificates",
    "docker-cli",
    "docker.io",
    "e2fsck-static",
    "iproute2",
    "iptables",
    "kmod",
    "linux-image-cloud-amd64",
    "procps",
)
"""A machine's packages: the engine, the kernel, and what the guest's own scripts call."""

MODULES = (
    "virtio_net",
    "virtio_balloon",
    "overlay",
    "br_netfilter",
    "vxlan",
    "ip_vs",
    "ip_vs_rr",
    "xt_ipvs",
    "veth",
)
"""Kernel modules loaded at boot: overlay networks need vxlan, the routing mesh and VIPs need ip_vs. The
balloon reports free memory."""

DISK_BYTES = 8 << 30
"""The size of a machine's disk as the guest sees it; on this machine it is sparse."""

LEAN = (
    "path-exclude=/usr/share/doc/*",
    "path-include=/usr/share/doc/*/copyright",
    "path-exclude=/usr/share/man/*",
    "path-exclude=/usr/share/info/*",
    "path-exclude=/usr/share/locale/*",
)
"""dpkg options that exclude documentation and translations, as Debian's own slim images do."""

APT = (
    'Acquire::Languages "none";',
    'APT::Install-Recommends "false";',
    'Dir::Cache::pkgcache "";',
    'Dir::Cache::srcpkgcache "";',
)
"""apt options that keep its caches out of the image."""


def key(*parts: str | bytes) -> str:
    """Return a short digest of `parts` and their boundaries."""
    total = hashlib.sha256()
    for part in (str(FORMAT), SUITE, *parts):
        raw = part.encode() if isinstance(part, str) else part
        total.update(b"%d:" % len(raw) + raw)
    return total.hexdigest()[:16]


def folder_key(folder: Path) -> str:
    """Return a digest of the names and bytes of every file in `folder`."""
    return key(*_names_and_bytes(folder))


def _names_and_bytes(folder: Path) -> Iterable[str | bytes]:
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        yield str(path.relative_to(folder))
        yield path.read_bytes()


def guest(name: str) -> bytes:
    """Return one of the programs that run inside a machine: `init`, `pid1` or `agent`."""
    return (resources.files(__package__) / "guest" / name).read_bytes()


def rootfs_key() -> str:
    """Return the key of what the packages' tar depends on."""
    return key("rootfs", *PACKAGES, *LEAN, *APT)


def debian_key() -> str:
    """Return the key of what the images' base layer depends on."""
    return key("debian", *LEAN, *APT)
