"""The processes of a lab's machines and their network: started, found again, ended. What runs is queried from the
system, never remembered."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from lab.cluster import process
from lab.cluster.vm import agent, console, lan_switch, qemu, qmp
from lab.cluster.vm.qemu import Machine
from lab.errors import CommandError, LabError, WaitError

_BOUND = 60.0
#: The files of one run of a machine.
_OF_A_RUN = ("qmp", "pid", "cut", lan_switch.OUTBOX, agent.SOCKET)


def find_running(folder: Path, identity: str) -> psutil.Process | None:
    """Return the machine's emulator, if it runs."""
    return process.find_process(identity, qemu.EMULATOR, hint=folder / "pid")


def find_strays(home: Path) -> tuple[tuple[str, str], ...]:
    """Return (node, identity) of every machine that runs from the folder `home`, when its own record is lost."""
    found = []
    start = f"file={qemu.escape(home)}/"
    for one in psutil.process_iter():
        try:
            words = one.cmdline() if process.is_own(one) else []
        except psutil.Error:
            continue
        if words and Path(words[0]).name == qemu.EMULATOR and "-uuid" in words[:-1]:
            settings = next((w for w in words if start in w), "")
            if settings:
                node = settings.partition(start)[2].split("/")[0]
                found.append((node, words[words.index("-uuid") + 1]))
    return tuple(found)


def find_stray_switch(home: Path) -> str:
    """Return the identity of the process that switches the network of the machines in `home`, when their record is
    lost."""
    for one in psutil.process_iter():
        try:
            words = one.cmdline() if process.is_own(one) else []
            if lan_switch.__name__ in words and Path(one.cwd()) == home.resolve():
                return words[words.index(lan_switch.__name__) + 1]
        except (psutil.Error, IndexError):
            continue
    return ""


def make_overlay(base: Path, disk: Path) -> None:
    """Create the machine's own disk, which holds the differences from `base`. An existing one is kept."""
    if disk.exists():
        return
    beside = disk.with_suffix(".new")
    argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base), str(beside)]
    process.run_program(argv, log=disk.parent / "emulator.log", bound=_BOUND)
    beside.replace(disk)


def power_on(one: Machine, memory: int | None = None) -> None:
    """Start the emulator, detached from this program and its terminal. Idempotent. With `memory`, a descriptor, it
    loads what is read from there, and stays paused.

    QEMU goes to the background only when its disks, sockets and ports are open, so a failure is reported here.
    """
    if find_running(one.folder, one.identity) is not None:
        return
    for name in (*_OF_A_RUN, console.LOG, console.BEFORE):
        (one.folder / name).unlink(missing_ok=True)
    folder = os.open(one.folder, os.O_PATH | os.O_DIRECTORY)
    argv = [*qemu.build_argv(one, folder, memory), "-daemonize", "-pidfile", "pid"]
    kept = (folder,) if memory is None else (folder, memory)
    try:
        process.run_program(argv, log=one.folder / "emulator.log", bound=_BOUND, cwd=one.folder, pass_fds=kept)
    except CommandError as error:
        if "hostfwd" in error.output or "host forwarding" in error.output:
            raise LabError(
                f"a port that {one.name} needs on this machine is taken: {error.output.strip().splitlines()[-1]}",
                remedy="end what listens there (`ss -ltnp`), then run `swarmlab up` again",
            ) from None
        raise
    finally:
        os.close(folder)


def power_off(folder: Path, identity: str) -> None:
    """End the emulator, through QMP first and then by killing it. Idempotent."""
    if (found := find_running(folder, identity)) is None:
        return
    try:
        qmp.power_off(folder)
    except LabError:
        process.kill(found)
    if not process.wait_gone(found, 5):
        process.kill(found)
    for name in _OF_A_RUN:
        (folder / name).unlink(missing_ok=True)


def find_switch(home: Path, identity: str) -> psutil.Process | None:
    """Return the process that switches the machines' network, if it runs."""
    return process.find_process(identity, lan_switch.__name__, hint=home / lan_switch.PID_FILE)


def start_switch(home: Path, identity: str, nodes: Sequence[str]) -> None:
    """Start the machines' network, detached from this program and its terminal. Idempotent; machines that already run
    are connected at once. Raises WaitError when it does not come up."""
    if find_switch(home, identity) is not None:
        return
    ready = home / lan_switch.PID_FILE
    ready.unlink(missing_ok=True)
    log = home / "switch.log"
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-P", "-m", "lab.cluster.vm.lan_switch", identity, *nodes],
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    end = time.monotonic() + _BOUND
    while not ready.exists():
        if started.poll() is not None or time.monotonic() > end:
            started.kill()
            raise WaitError("the switch of the nodes' network", _BOUND, "its sockets", log=log, remedy="swarmlab up")
        time.sleep(0.02)


def stop_switch(home: Path, identity: str) -> None:
    """End the machines' network. Idempotent."""
    if (found := find_switch(home, identity)) is not None:
        process.kill(found)
    (home / lan_switch.PID_FILE).unlink(missing_ok=True)


def set_cut(folder: Path, *, off: bool) -> None:
    """Unplug the LAN cable, or plug it in. The emulator cannot report that, so a file records it while the machine
    runs."""
    qmp.set_link(folder, up=not off)
    if off:
        (folder / "cut").touch()
    else:
        (folder / "cut").unlink(missing_ok=True)


def is_cut(folder: Path) -> bool:
    """Return whether the cable is unplugged (the file is deleted at each power-on)."""
    return (folder / "cut").exists()
