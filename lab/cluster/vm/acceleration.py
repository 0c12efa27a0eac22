"""The choice between hardware virtualisation and emulation: probed by booting a guest, not guessed, and remembered."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from lab import paths
from lab.cluster.vm import qemu
from lab.cluster.vm.qemu import Machine
from lab.files import write_private

KVM = Path("/dev/kvm")
BOUND = 10.0
"""Seconds for a guest to report on its console; working hardware virtualisation takes one or two."""

_SLOW = "the machines are emulated, which is slower"


@dataclass(frozen=True)
class Choice:
    """How machines run; `note` is a sentence that says why they run the slow way, if they do."""

    acceleration: Literal["kvm", "tcg"]
    note: str = ""


def load_choice() -> Choice | None:
    """Return what is known without a probe: no device, or the result of one since this machine's last boot. None: not
    probed."""
    if not os.access(KVM, os.R_OK | os.W_OK):
        why = "may not be opened by you" if KVM.exists() else "is not here"
        return Choice("tcg", f"hardware virtualisation ({KVM}) {why}: {_SLOW}")
    try:
        kept = json.loads(_memory().read_bytes())
        if kept.pop("key") == _key():
            return Choice(**kept)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        pass
    return None


def choose(kernel: Path, initrd: Path) -> Choice:
    """Choose KVM if a guest boots under it within `BOUND` seconds, else emulation; probed once per boot and
    emulator."""
    if (known := load_choice()) is not None:
        return known
    choice = (
        Choice("kvm")
        if _boots(kernel, initrd)
        else Choice("tcg", f"a guest did not boot under hardware virtualisation within {BOUND:.0f} s: {_SLOW}")
    )
    write_private(_memory(), json.dumps({"key": _key(), **asdict(choice)}).encode())
    return choice


def _boots(kernel: Path, initrd: Path) -> bool:
    with tempfile.TemporaryDirectory(prefix="swarmlab-probe-") as name:
        folder = Path(name)
        one = Machine(
            name="swarmlab-probe",
            identity=str(uuid.uuid4()),
            folder=folder,
            kernel=kernel,
            initrd=initrd,
            drives=(),
            acceleration="kvm",
            memory=256,
            words=("swarmlab.probe",),
            control=False,
        )
        guest = subprocess.Popen(
            [*qemu.build_argv(one), "-no-reboot"],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            end = time.monotonic() + BOUND
            while time.monotonic() < end:
                ended = guest.poll() is not None
                if one.serial.exists() and b"swarmlab: probe" in one.serial.read_bytes():
                    return True
                if ended:
                    return False
                time.sleep(0.05)
            return False
        finally:
            guest.kill()
            guest.wait()


def _memory() -> Path:
    return paths.cache() / "acceleration.json"


def _environment() -> dict[str, str]:
    return {**os.environ, "PATH": paths.search_path()}


@cache
def emulator() -> str:
    """Return the emulator's name and version as it says them, "" when it does not run."""
    argv = [qemu.EMULATOR, "--version"]
    said = subprocess.run(argv, capture_output=True, text=True, check=False, env=_environment()).stdout
    return said.splitlines()[0] if said else ""


def _key() -> str:
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {emulator()}"
