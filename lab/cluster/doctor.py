"""The check of this machine: what it has for a lab, what it lacks, and how to get that. Changes nothing; takes well
under 5 s."""

from __future__ import annotations

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab import paths
from lab.cluster import docker_env, providers
from lab.cluster.provider import Requirement
from lab.errors import LabError

_DISK_GIB = 6
"""Measured: the cache takes 2.1 GB, and 1 GB more while it is built; four machines' disks take 0.1 GB and grow."""
_MEMORY_GIB = 5
"""Measured: each machine's emulator takes 0.7 to 1.5 GiB."""


@dataclass(frozen=True)
class Finding:
    """The result of the check. `ready`: a cluster can be created; `provider` is the one that would be used, `reason`
    says why."""

    items: tuple[Requirement, ...]
    ready: bool
    provider: str
    reason: str
    acceleration: str
    sentence: str


def doctor() -> Finding:
    """Check this machine."""
    pick = providers.pick_provider()
    provider = providers.PROVIDERS[pick.name or next(iter(providers.PROVIDERS))]()
    items = (*provider.requirements(), _memory(), _disk(), _docker(), _ip_vs())
    lacking = [item.what for item in items if item.needed and not item.there]
    ready = bool(pick.name) and not lacking
    first = f"the provider {pick.name} would be taken: {pick.reason}" if pick.name else pick.reason
    rest = f"; but missing: {', '.join(lacking)}" if lacking else ""
    return Finding(items, ready, pick.name, pick.reason, provider.speed(), f"{first[:1].upper()}{first[1:]}{rest}.")


def _memory() -> Requirement:
    free = psutil.virtual_memory().available / 2**30
    return Requirement(
        "memory",
        free >= _MEMORY_GIB,
        False,
        f"{free:.1f} GiB available; four machines need {_MEMORY_GIB} GiB",
        "close programs",
    )


def _disk() -> Requirement:
    try:
        cache, state = paths.cache(), paths.state()
    except LabError as error:
        return Requirement("disk space", False, True, error.sentence, error.remedy)
    for place, variable in ((paths.nearest_existing(cache), paths.CACHE), (paths.nearest_existing(state), paths.STATE)):
        if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
            detail = f"{place} cannot be written"
            return Requirement("disk space", False, True, detail, f"set {variable} to a folder that you can write to")
    free = psutil.disk_usage(str(paths.nearest_existing(cache))).free / 2**30
    return Requirement(
        "disk space",
        free >= _DISK_GIB,
        True,
        f"{free:.0f} GiB free at {cache}; the first run needs {_DISK_GIB} GiB",
        "free some space, or set SWARMLAB_CACHE and SWARMLAB_STATE to a larger disk",
    )


def _docker() -> Requirement:
    place = shutil.which("docker", path=paths.search_path())
    there = place is not None and docker_env.version(place) >= docker_env.OLDEST
    told = f"{place} is older than {docker_env.OLDEST}" if place else "none of this machine's own"
    return Requirement(
        "Docker command line", there, False, str(place) if there else f"{told}: the lab brings Debian's", "swarmlab up"
    )


def _ip_vs() -> Requirement:
    """Not needed for the machines, which have their own kernels; a swarm on this machine's engine would need it
    here."""
    release = platform.release()
    there = Path("/proc/net/ip_vs").exists() or _module(release)
    detail = "present" if there else f"kernel {release} lacks it: no routing mesh on this machine's own engine"
    return Requirement("kernel's ip_vs", there, False, f"{detail}; the lab's machines bring their own kernel")


def _module(release: str) -> bool:
    for name in ("modules.dep", "modules.builtin"):
        try:
            if "/ip_vs.ko" in (Path("/lib/modules") / release / name).read_text():
                return True
        except OSError:
            continue
    return False
