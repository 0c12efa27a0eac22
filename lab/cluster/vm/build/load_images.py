"""Loads the images into the base disk with the same engine that will run them, in a machine of its own.

This is one path with and without root, hardware virtualisation and images; and it proves that the disk boots and that
the engine accepts every image.
"""

from __future__ import annotations

import secrets
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from lab.cluster import process
from lab.cluster.vm import qemu
from lab.cluster.vm.build import mmdebstrap, seed
from lab.cluster.vm.build.images import Image
from lab.cluster.vm.qemu import Drive, Machine
from lab.errors import LabError

BOUND = 1800.0
_MEMORY = 2048


def bake(
    disk: Path,
    archive: Path | None,
    images: Sequence[Image],
    *,
    kernel: Path,
    initrd: Path,
    acceleration: Literal["kvm", "tcg"],
    step: mmdebstrap.Step,
    stop: threading.Event | None = None,
) -> None:
    """Load `archive`, if there is one, into `disk`, working in its folder, and leave the disk's engine in its initial
    state.

    Raises LabError with the console's last lines if it fails.
    """
    folder = disk.parent
    told = folder / "settings.tar"
    lines = "".join(f"{image.id} {image.tag}\n" for image in images)
    seed.write(told, {"NODE": "bake", "TASK": "bake", "MODULES": "overlay"}, {"images": lines.encode()})
    one = Machine(
        name=f"swarmlab-bake-{secrets.token_hex(3)}",
        identity=str(uuid.uuid4()),
        folder=folder,
        kernel=kernel,
        initrd=initrd,
        drives=(
            Drive(disk, "raw", throwaway=True),
            Drive(told, "raw", readonly=True),
            *((Drive(archive, "raw", readonly=True),) if archive else ()),
        ),
        acceleration=acceleration,
        memory=_MEMORY,
        control=False,
    )
    watch = _Console(one.serial, len(images), step)
    argv = [*qemu.build_argv(one), "-no-reboot"]
    log = folder / "emulator.log"
    process.run_program(argv, log=log, bound=BOUND, stop=stop, cwd=folder, tick=watch.look)
    watch.look()
    if "baked" not in watch.words:
        said = one.serial.read_text(errors="replace").strip().splitlines()[-5:] if one.serial.exists() else []
        last = " / ".join(said) or "nothing"
        raise LabError(
            f"the images could not be loaded into the machines' disk; its console's last words: {last}",
            remedy=f"look at {one.serial}, then run `swarmlab up` again",
        )
    told.unlink()


class _Console:
    """A follower of the machine's console that reports the steps on it."""

    def __init__(self, serial: Path, count: int, step: mmdebstrap.Step) -> None:
        self.words: tuple[str, ...] = ()
        self._serial, self._count, self._step = serial, count, step

    def look(self) -> None:
        try:
            text = self._serial.read_text(errors="replace")
        except FileNotFoundError:
            return
        words = tuple(line.partition("swarmlab: ")[2].strip() for line in text.splitlines() if "swarmlab: " in line)
        if words == self.words:
            return
        self.words = words
        done = sum(1 for word in words if word.startswith("image "))
        shares = {"kernel": 0.05, "disk": 0.1, "engine": 0.2, "load": 0.4, "baked": 1.0}
        last = words[-1]
        if last.startswith("image "):
            self._step(f"{last} is in", 0.8 + 0.15 * done / max(self._count, 1))
        elif last in shares:
            self._step(f"the machine that loads the images: {last}", shares[last])
