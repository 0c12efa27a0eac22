"""Whether a snapshot fits a lab's machines: memory is of exactly one machine, one emulator and one set of keys."""

from __future__ import annotations

import hashlib
import platform
from pathlib import Path

from lab.cluster.vm import acceleration, qemu
from lab.cluster.vm.build import inputs
from lab.cluster.vm.qemu import Drive, Machine, Network
from lab.cluster.vm.snapshot import store
from lab.cluster.vm.snapshot.store import Record
from lab.cluster.vm.state import LabState

NO_KEYS = "none"
"""The key of a lab whose certificates are gone."""

FORMAT = 2
"""Increase it when what is saved, or how, changes."""


def machines_key(disk: str, count: int, choice: str, memory: int, *, outward: bool) -> str:
    """Return the key of all that must be the same where a snapshot is restored: base disk, number of machines, the
    emulator and its version, a machine's devices and kernel parameters and, with hardware virtualisation, this
    machine's processor. Ports, names and paths are not part of it: the machines do not know them."""
    nowhere = Path("/")
    one = Machine(
        name="one",
        identity="one",
        folder=nowhere,
        kernel=nowhere,
        initrd=nowhere,
        drives=(Drive(nowhere, "qcow2"), Drive(nowhere, "raw", readonly=True)),
        acceleration="kvm" if choice == "kvm" else "tcg",
        memory=memory,
        network=Network("77:01", {}, outward=outward),
    )
    processor = _processor() if choice == "kvm" else platform.machine()
    return inputs.key(
        "snapshot", str(FORMAT), disk, str(count), acceleration.emulator(), processor, *qemu.build_argv(one)
    )


def key_of(state: LabState) -> str:
    """Return the key of a lab's machines."""
    return machines_key(
        state.disk, len(state.nodes), state.acceleration, state.memory, outward=state.images == "official"
    )


def swarm_key(tls: Path) -> str:
    """Return the key of the certificates with which the engines in a lab are reached: they are in their memory. A lab
    without them, which is damaged, has one that no snapshot has."""
    try:
        return hashlib.sha256((tls / "ca.pem").read_bytes()).hexdigest()[:16]
    except OSError:
        return NO_KEYS


def why_unfit(record: Record, machines: str, swarm: str) -> str:
    """Return why a snapshot cannot be restored here, as the end of a sentence; "" when it can."""
    if record.machines != machines:
        return "belongs to other machines, another version of the lab, or another emulator"
    if record.swarm != swarm or swarm == NO_KEYS:
        return "belongs to another swarm"
    if store.is_too_old(record):
        return f"is older than {store.LONGEST_LIFE.days} days: the certificates of its nodes may have ended"
    return ""


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags", "microcode"))}))
