"""Machines that do not boot: they are powered on once more, and then said to have failed, with what they said."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import paths
from lab.cluster import lab_paths, swarm_init
from lab.cluster.model import Progress
from lab.cluster.vm import console, processes
from lab.cluster.vm import vm_cluster as vm
from lab.cluster.vm.qemu import Machine
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError
from tests.unit.test_cluster_machine import a_lab

FAILED = "mount: Invalid argument\nswarmlab: kernel\nswarmlab: FAILED the disk cannot be mounted\n"


class Power:
    """Machines that say `consoles` at their first, second ... power-on; after a console without FAILED they answer,
    unless it is None: then the machine ends at once."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *consoles: str | None) -> None:
        self.consoles, self.on, self.times = consoles, False, 0
        monkeypatch.setattr(processes, "start_switch", lambda *_: None)
        monkeypatch.setattr(processes, "make_overlay", lambda *_: None)
        monkeypatch.setattr(processes, "power_on", self.power_on)
        monkeypatch.setattr(processes, "power_off", self.power_off)
        monkeypatch.setattr(processes, "find_running", lambda *_: object() if self.on else None)
        monkeypatch.setattr(
            swarm_init, "ping_engine", lambda endpoint, _: swarm_init.EngineState(endpoint.node, self.local())
        )
        monkeypatch.setattr(vm, "_POLL", 0.01)
        paths.make(lab_paths.lab_folder("default") / "node1")
        base = paths.make(paths.cache() / "base-x")
        (base / "disk.raw").touch()

    def power_on(self, machine: Machine) -> None:
        said = self.consoles[self.times]
        self.times += 1
        self.on = said is not None
        machine.serial.write_text(said or "")

    def power_off(self, folder: Path, identity: str) -> None:
        self.on = False

    def local(self) -> str:
        return "active" if self.on and console.FAILED not in (self.consoles[self.times - 1] or "") else ""


@pytest.mark.parametrize("first", [FAILED, None], ids=["says why", "ends"])
def test_a_machine_that_does_not_boot_is_powered_on_again(monkeypatch: pytest.MonkeyPatch, first: str | None) -> None:
    power = Power(monkeypatch, first, "swarmlab: kernel\nswarmlab: engine\n")
    told: list[Progress] = []
    cluster = VmCluster(a_lab(nodes=1))
    cluster.boot(cluster.state.nodes, told.append)
    assert power.on
    assert power.times == 2
    assert "node1 did not boot; powering it on again" in [progress.text for progress in told]


def test_what_does_not_boot_twice_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    power = Power(monkeypatch, FAILED, FAILED)
    cluster = VmCluster(a_lab(nodes=1))
    with pytest.raises(LabError, match=r"node1 did not boot, twice: the disk cannot be mounted") as caught:
        cluster.boot(cluster.state.nodes, lambda _: None)
    assert "mount: Invalid argument" in str(caught.value)
    assert "swarmlab down" in caught.value.remedy
    assert not power.on
    assert power.times == 2


def test_the_end_of_a_console(tmp_path: Path) -> None:
    assert console.read_tail(tmp_path) == console.read_failure(tmp_path) == ""
    (tmp_path / console.LOG).write_bytes(b"a\r\n\r\nb\xff\r\nswarmlab: FAILED no disk\r\n")
    assert console.read_tail(tmp_path, 2) == "b\N{REPLACEMENT CHARACTER}\nswarmlab: FAILED no disk"
    assert console.read_failure(tmp_path) == "no disk"
    (tmp_path / console.LOG).write_text("swarmlab: FAILED no disk\nswarmlab: kernel\n")
    assert console.read_failure(tmp_path) == ""
