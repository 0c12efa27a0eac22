"""A machine's process: made, found again, ended. What runs is asked from the system, never from memory."""

from __future__ import annotations

from pathlib import Path

import psutil

from lab.cluster import control, machine, process
from lab.cluster.machine import Machine
from lab.errors import CommandError, LabError

_BOUND = 60.0


def running(folder: Path, identity: str) -> psutil.Process | None:
    """The machine's emulator, if it runs."""
    return process.find(identity, hint=folder / "pid")


def strays(home: Path) -> tuple[tuple[str, str], ...]:
    """(node, identity) of every machine that runs from the folder `home`, when its own record is lost."""
    found = []
    for one in psutil.process_iter():
        try:
            words = one.cmdline()
        except psutil.Error:
            continue
        if words and words[0].endswith(machine.EMULATOR) and "-uuid" in words:
            settings = next((w for w in words if f"file={home}/" in w), "")
            if settings:
                node = settings.partition(f"file={home}/")[2].split("/")[0]
                found.append((node, words[words.index("-uuid") + 1]))
    return tuple(found)


def overlay(base: Path, disk: Path) -> None:
    """Make the machine's own disk, which holds what differs from `base`. Kept when it is there."""
    if disk.exists():
        return
    beside = disk.with_suffix(".new")
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(beside)]
    process.run(argv, log=disk.parent / "emulator.log", bound=_BOUND)
    beside.replace(disk)


def power_on(one: Machine) -> None:
    """Start the emulator, detached from this program and its terminal. Idempotent.

    QEMU goes to the background only when its disks, sockets and ports are open, so a failure is told here.
    """
    if running(one.folder, one.identity) is not None:
        return
    for name in ("qmp", "pid", "cut", "serial.log"):
        (one.folder / name).unlink(missing_ok=True)
    argv = [*machine.argv(one), "-daemonize", "-pidfile", "pid"]
    try:
        process.run(argv, log=one.folder / "emulator.log", bound=_BOUND, cwd=one.folder)
    except CommandError as error:
        if "hostfwd" in error.output or "host forwarding" in error.output:
            raise LabError(
                f"a port that {one.name} needs on this machine is taken: {error.output.strip().splitlines()[-1]}",
                remedy="end what listens there (`ss -ltnp`), then run `swarmlab up` again",
            ) from None
        raise


def power_off(folder: Path, identity: str) -> None:
    """End the emulator, politely and then not. Idempotent."""
    if (found := running(folder, identity)) is None:
        return
    try:
        control.power_off(folder)
    except LabError:
        process.kill(found)
    if not process.gone(found, 5):
        process.kill(found)
    for name in ("qmp", "pid", "cut"):
        (folder / name).unlink(missing_ok=True)


def cut(folder: Path, *, off: bool) -> None:
    """Plug the LAN's cable out or in. The emulator cannot be asked for it, so a file says it while it runs."""
    control.set_link(folder, up=not off)
    if off:
        (folder / "cut").touch()
    else:
        (folder / "cut").unlink(missing_ok=True)


def is_cut(folder: Path) -> bool:
    """The cable is out (the file is deleted at each power-on)."""
    return (folder / "cut").exists()


def console(folder: Path) -> tuple[str, ...]:
    """The lab's own words on the machine's console since its power-on: kernel, disk, network, engine ..."""
    try:
        text = (folder / "serial.log").read_text(errors="replace")
    except OSError:
        return ()
    return tuple(line.partition("swarmlab: ")[2].strip() for line in text.splitlines() if "swarmlab: " in line)
