"""Command lines, ports, the state file, locks: what decides about machines, without any."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab import file_lock
from lab.cluster import lab_paths, swarm_init
from lab.cluster.providers import pick_provider
from lab.cluster.swarm_init import EngineState, ListedNode
from lab.cluster.vm import ports, qemu, state, up, vm_cluster
from lab.cluster.vm.qemu import Drive, Machine, Network
from lab.cluster.vm.state import LabState, NodeState
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import BusyError, InputError, LabError, MissingError, WaitError
from tests.processes import ended

ONE = Machine(
    name="swarmlab-default-node1",
    identity="1b4e28ba-2fa1-11d2-883f-0016d3cca427",
    folder=Path("/x/node1"),
    kernel=Path("/c/vmlinuz"),
    initrd=Path("/c/initrd"),
    drives=(Drive(Path("/x/a,b/disk.qcow2"), "qcow2"), Drive(Path("/x/settings.tar"), "raw", readonly=True)),
    acceleration="tcg",
    memory=1024,
    network=Network("77:01", {20_100: 2376, 20_188: 8080}),
)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    return tmp_path


def a_lab(name: str = "default", nodes: int = 4, first: int = 20_000) -> LabState:
    block = ports.Block(first)
    return LabState(
        version=state.VERSION,
        name=name,
        provider="vm",
        created=datetime(2026, 1, 2, tzinfo=UTC),
        acceleration="tcg",
        note="slow",
        disk="base-x",
        images="packages",
        memory=1024,
        first_port=first,
        switch=f"switch-{name}",
        nodes=tuple(
            NodeState(
                name=f"node{n}",
                number=n,
                role="manager" if n <= up.managers_of(nodes) else "worker",
                identity=f"id-{name}-{n}",
                lan_address=f"10.77.0.{10 + n}",
                engine=block.engine(n),
                published=block.published_ports(n),
            )
            for n in range(1, nodes + 1)
        ),
    )


def test_nothing_of_a_machine_listens_beyond_loopback() -> None:
    line = qemu.build_argv(ONE, folder=9)
    user = line[line.index("-netdev") + 1]
    assert "restrict=on" in user
    forwards = [part for part in user.split(",") if part.startswith("hostfwd=")]
    assert forwards == [
        "hostfwd=tcp:127.0.0.1:20100-192.168.77.15:2376",
        "hostfwd=tcp:127.0.0.1:20188-192.168.77.15:8080",
    ]
    lan = "dgram,id=lan,local.type=unix,local.path=lan,remote.type=unix,remote.path=/proc/self/fd/9/switch"
    assert lan in line
    assert not any(word in line for word in ("-vnc", "-spice", "-gdb", "-s"))
    assert line[line.index("-display") + 1] == "none"


def test_sockets_and_logs_are_named_from_the_machines_folder() -> None:
    line = " ".join(qemu.build_argv(replace(ONE, folder=Path("/" + "deep/" * 40))))
    assert "path=qmp," in line
    assert "path=serial.log," in line


def test_an_emulated_machine_has_one_processor_and_a_path_may_have_a_comma() -> None:
    line = qemu.build_argv(ONE)
    assert line[line.index("-smp") + 1] == "1"
    assert "-uuid" in line and ONE.identity in line
    disk = line[line.index("-drive") + 1]
    assert "file=/x/a,,b/disk.qcow2," in disk
    assert qemu.build_argv(replace(ONE, acceleration="kvm"))[line.index("-accel") + 1] == "kvm"


def test_ports_are_mnemonic_stable_and_below_the_ephemeral_range() -> None:
    block = ports.allocate(4, is_free=lambda _: True)
    assert block.first == 20_000
    assert block.dns == 20_053
    assert block.engine(1) == 20_100
    assert block.published_ports(3)[8080] == 20_388
    assert block.published_ports(4)[443] == 20_443
    for first in (20_000, 31_000):
        every = ports.Block(first).all(7)
        assert len(set(every)) == len(every) == 1 + 7 * (1 + len(ports.PUBLISHED))
        assert max(every) < 32_768


def test_two_labs_do_not_meet() -> None:
    def free(_: int) -> bool:
        return True

    assert ports.allocate(4, [20_000], is_free=free).first == 21_000
    assert ports.allocate(4, is_free=lambda p: p != 20_288).first == 21_000
    assert ports.allocate(1, is_free=lambda p: p != 20_288).first == 20_000
    assert ports.allocate(4, is_free=lambda p: p > 23_000).first == 23_000
    with pytest.raises(LabError, match="no block of free ports"):
        ports.allocate(4, is_free=lambda _: False)


def test_a_port_with_a_listener_is_not_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not ports.free(port)
    assert ports.free(port)


def test_a_labs_file_comes_back_as_it_went_and_is_private(home: Path) -> None:
    state.save_state(a_lab())
    assert state.load_state("default") == a_lab()
    path = lab_paths.lab_folder("default") / "lab.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert lab_paths.lab_names() == ("default",)
    assert [p.name for p in path.parent.iterdir()] == ["lab.json"]


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"version": 1}', '{"version": 2}'])
def test_a_damaged_file_is_told_in_a_sentence(home: Path, damage: str) -> None:
    state.save_state(a_lab("other"))
    (lab_paths.lab_folder("other") / "lab.json").write_text(damage)
    with pytest.raises(LabError, match="damaged") as caught:
        state.load_state("other")
    assert caught.value.remedy == "swarmlab down --name other"


def test_a_file_with_a_later_version_is_refused(home: Path) -> None:
    state.save_state(a_lab())
    path = lab_paths.lab_folder("default") / "lab.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "version": state.VERSION + 1}))
    with pytest.raises(LabError, match="another version"):
        state.load_state("default")


def test_no_lab_is_missing_and_makes_no_folder(home: Path) -> None:
    with pytest.raises(MissingError) as caught:
        state.load_state("none")
    assert caught.value.remedy == "swarmlab up --name none"
    assert not lab_paths.lab_folder("none").parent.exists()


@pytest.mark.parametrize("name", ["", "A", "../x", "a/b", "-a", "a" * 32, "a b"])
def test_a_name_that_is_none(name: str) -> None:
    with pytest.raises(InputError):
        lab_paths.check_name(name)


def test_a_lock_names_its_holder_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with file_lock.hold(path, "at work"):
        with pytest.raises(BusyError, match=rf"process {os.getpid()}\) is at work"), file_lock.hold(path, "late"):
            raise AssertionError
        told: list[str] = []
        with pytest.raises(WaitError), file_lock.hold(path, "at work", bound=0.1, waiting=told.append):
            raise AssertionError
        assert len(told) == 1
    assert not path.exists()
    with file_lock.hold(path, "at work"):
        pass


def test_a_killed_holder_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    program = (
        "import sys, pathlib, time; from lab import file_lock\n"
        "with file_lock.hold(pathlib.Path(sys.argv[1]), 'x'):\n    print('held', flush=True); time.sleep(60)"
    )
    argv = [sys.executable, "-c", program, str(path)]
    with ended(subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "held"
        with pytest.raises(BusyError, match=rf"process {holder.pid}\) is x"), file_lock.hold(path, "at work"):
            raise AssertionError
        holder.kill()
        holder.wait()
        with file_lock.hold(path, "at work", bound=5):
            pass


def test_a_cluster_tells_its_endpoints_and_a_powered_off_one_its_state(home: Path) -> None:
    state.save_state(a_lab())
    cluster = VmCluster(state.load_state("default"))
    assert [(e.node, e.role) for e in cluster.endpoints()][2:] == [("node3", "manager"), ("node4", "worker")]
    assert cluster.endpoints()[3].published[80] == ("127.0.0.1", 20_480)
    status = cluster.status()
    assert not status.whole
    assert {node.machine for node in status.nodes} == {"missing"}
    with pytest.raises(InputError, match="no node called node9"):
        cluster.stop("node9")
    with pytest.raises(LabError, match="powered off"):
        cluster.cut("node1")
    cluster.down()
    assert not lab_paths.lab_folder("default").exists()


def test_a_machine_whose_node_was_removed_is_not_awaited_in_the_swarm(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once it is up nothing more comes of itself: it has to join."""
    listed = [ListedNode("id1", "node1", "manager", "ready", "active", "reachable", leader=True)]
    cluster = VmCluster(a_lab())
    monkeypatch.setattr(VmCluster, "boot", lambda *_: None)
    monkeypatch.setattr(VmCluster, "is_running", lambda _, node: node.name in ("node1", "node2"))
    monkeypatch.setattr(swarm_init, "read_engines", lambda ends: [EngineState(e.node, "active", "old") for e in ends])
    monkeypatch.setattr(swarm_init, "list_nodes_of", lambda _: tuple(listed))
    monkeypatch.setattr(vm_cluster, "REJOIN_BOUND", 0.1)
    cluster.start("node2")
    listed.append(ListedNode("old", "node2", "manager", "down", "active", "unreachable"))
    with pytest.raises(WaitError, match="the managers say down"):
        cluster.start("node2")


def test_how_many_manage() -> None:
    assert [up.managers_of(n) for n in range(1, 8)] == [1, 1, 1, 3, 3, 3, 3]
    for count in (0, 8, -1):
        with pytest.raises(InputError):
            up.managers_of(count)


def test_a_provider_of_a_later_version_says_so() -> None:
    assert pick_provider().name in ("vm", "")
    for later in ("dind", "context"):
        with pytest.raises(InputError, match="not in this version"):
            pick_provider(later)
    with pytest.raises(InputError, match="no provider called"):
        pick_provider("kind")
