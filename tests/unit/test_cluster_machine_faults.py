"""Faults inside the machines: the agent that causes and undoes them, their file, and that each ends with its owner."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lab import file_lock
from lab.cluster.machine_faults import ENGINE, MachineFault
from lab.cluster.vm import agent, machine_faults
from lab.cluster.vm.build import inputs
from lab.cluster.vm.machine_faults import Held, cause, mend, mend_orphans, read_faults
from lab.cluster.vm.owner import find_owner
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import InputError, LabError
from tests.unit.test_cluster_machine import a_lab

MOST = 1 << 20
"""Bytes that the agent under test may reserve."""


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Path]:
    """The real agent in a machine of files: `NODE/root` are its files, `NODE/agent` is its console."""
    folder, script = tmp_path / "node1", tmp_path / "agent"
    root = folder / "root"
    for name in ("var/lib", "run", "proc/sys/vm", "sys/fs/cgroup/docker/ab12"):
        (root / name).mkdir(parents=True)
    script.write_bytes(inputs.guest("agent"))
    host, guest = socket.socketpair()
    with subprocess.Popen(
        ["bash", "-c", f"exec perl {script} {root} 3<&{guest.fileno()}"],
        pass_fds=[guest.fileno()],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (MOST, MOST)),
    ) as process:
        guest.close()
        server = socket.socket(socket.AF_UNIX)
        server.bind(str(folder / agent.SOCKET))
        server.listen()
        threading.Thread(target=_serve, args=(server, host), daemon=True).start()
        yield folder
        server.close()
        host.close()
        process.kill()


def _serve(server: socket.socket, console: socket.socket) -> None:
    """One connection at a time, as the emulator does."""
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            with connection:
                while line := connection.recv(4096):
                    console.sendall(line)
                    said = b""
                    while not re.search(rb"^(done|failed) .*\n", said, re.MULTILINE):
                        said += console.recv(4096)
                    connection.sendall(said)


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def stopped(process: subprocess.Popen[bytes]) -> bool:
    return psutil.Process(process.pid).status() == psutil.STATUS_STOPPED


def show_processes(machine: Path, *pids: int) -> None:
    """Put the real state of these processes among the machine's own files."""
    for pid in pids:
        folder = machine / "root" / "proc" / str(pid)
        folder.mkdir(exist_ok=True)
        (folder / "stat").write_text(Path(f"/proc/{pid}/stat").read_text())


def test_a_disk_is_filled_without_a_byte_written_and_has_room_again(machine: Path) -> None:
    ballast = machine / "root" / "var" / "lib" / "swarmlab-ballast"
    cause(machine.parent, MachineFault("node1", "fill"))
    assert MOST - 4096 <= ballast.stat().st_size <= MOST
    cause(machine.parent, MachineFault("node1", "fill"))
    assert len(read_faults(machine.parent)) == 1
    mend_quietly(machine)
    assert not ballast.exists()
    assert read_faults(machine.parent) == ()


def mend_quietly(machine: Path) -> None:
    """Undo everything. Nobody but root may set a clock, and this machine's own stays as it is."""
    asked: list[str] = []
    ask = agent.Agent.ask

    def but_the_clock(self: agent.Agent, word: str, value: str = "", bound: float = 60.0) -> str:
        asked.append(word)
        return "" if word == "clock" else ask(self, word, value, bound)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent.Agent, "ask", but_the_clock)
        mend(machine.parent)
    assert asked == ["mend", "clock"]


@pytest.mark.parametrize("what", [ENGINE, "web"])
def test_what_hangs_is_stopped_and_goes_on(machine: Path, victim: subprocess.Popen[bytes], what: str) -> None:
    root = machine / "root"
    (root / "run" / "docker.pid").write_text(f"{victim.pid}\n")
    (root / "sys/fs/cgroup/docker/ab12/cgroup.procs").write_text(f"{victim.pid}\n")
    cause(machine.parent, MachineFault("node1", "hang", what=what), ["ab12"] if what == "web" else [])
    until(lambda: stopped(victim))
    show_processes(machine, victim.pid)
    mend_quietly(machine)
    until(lambda: not stopped(victim))


def test_what_is_not_there_cannot_hang(machine: Path) -> None:
    with pytest.raises(LabError, match="could not do what `hang` asks"):
        cause(machine.parent, MachineFault("node1", "hang", what="web"), ["../../../etc", "ab12"])
    assert len(read_faults(machine.parent)) == 1, "kept until it is known to be undone"


def test_a_clock_is_wrong_by_minutes(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def ask(_: agent.Agent, word: str, value: str = "", bound: float = 0.0) -> str:
        asked.append((word, value))
        return ""

    monkeypatch.setattr(agent.Agent, "ask", ask)
    now = time.time()
    cause(machine.parent, MachineFault("node1", "skew", minutes=-90))
    mend(machine.parent)
    (_, wrong), _, (_, right) = asked
    assert abs(float(wrong) - now + 5400) < 60
    assert abs(float(right) - now) < 60


def test_the_agent_says_who_is_reached(machine: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there, socket.create_server(("127.0.0.1", 0)) as other:
        port, gone = there.getsockname()[1], other.getsockname()[1]
        other.close()
        with agent.connect(machine) as one:
            said = one.ask("reach", f"127.0.0.1:{port} 127.0.0.1:{gone} nonsense")
        took = dict(each.split("=") for each in said.split())
    assert took.keys() == {f"127.0.0.1:{port}", f"127.0.0.1:{gone}"}
    assert took[f"127.0.0.1:{gone}"] == "-"
    assert took[f"127.0.0.1:{port}"].isdecimal()


def test_a_fault_whose_owner_was_killed_is_undone(machine: Path, victim: subprocess.Popen[bytes]) -> None:
    home, lock = machine.parent, machine.parent / "lock"
    cause(home, MachineFault("node1", "fill"), owner=find_owner(victim.pid))
    assert not mend_orphans(home, lock)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    with file_lock.hold(lock, "at work"):
        assert mend_orphans(home, lock), "it is to be undone"
        assert len(read_faults(home)) == 1, "and waits while a command is at work"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent.Agent, "ask", lambda *_, **__: "")
        assert mend_orphans(home, lock)
    assert read_faults(home) == ()
    assert not mend_orphans(home, lock)


def test_a_machine_that_is_off_has_nothing_to_undo(tmp_path: Path) -> None:
    (tmp_path / "node1").mkdir()
    with pytest.raises(LabError, match="has no agent"):
        cause(tmp_path, MachineFault("node1", "fill"), owner=find_owner(os.getpid()))
    assert read_faults(tmp_path) == (Held(MachineFault("node1", "fill"), find_owner(os.getpid())),)
    mend(tmp_path)
    assert read_faults(tmp_path) == ()
    assert not (tmp_path / machine_faults.FILE).exists()


def test_a_lab_whose_machines_are_off_refuses_and_has_nothing_to_heal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    lab = VmCluster(a_lab())
    lab.home.mkdir(parents=True)
    with pytest.raises(LabError, match="node2 is powered off"):
        lab.break_machine(MachineFault("node2", "fill"))
    with pytest.raises(InputError, match="no node called node9"):
        lab.break_machine(MachineFault("node9", "fill"))
    with pytest.raises(LabError, match="node2 is powered off"):
        lab.break_machine(MachineFault("node2", "hang", what="web"))
    assert lab.broken_machines() == ()
    lab.heal_machines()


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    for damaged in ("", "{", "[1]", '[{"fault": {"node": "x", "odd": 1}, "owner": null}]'):
        (tmp_path / machine_faults.FILE).write_text(damaged)
        assert read_faults(tmp_path) == ()


def test_each_says_what_is_wrong() -> None:
    faults = (
        MachineFault("node1", "fill"),
        MachineFault("node1", "hang", what="web"),
        MachineFault("node1", "skew", minutes=-5),
    )
    assert [each.sentence for each in faults] == [
        "the disk of node1 is full",
        "web hangs on node1, stopped by SIGSTOP",
        "the clock of node1 is wrong by -5 min",
    ]
