"""Faults of the links of the nodes' network: as values, in their file, and what they do to frames."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cluster.link_faults import LinkFault
from lab.cluster.vm import lan_switch, link_faults
from lab.cluster.vm.lan_switch import Switch
from lab.cluster.vm.link_faults import (
    Effects,
    Held,
    add_fault,
    heal_node,
    read_links,
    read_ports,
    write_links,
)
from lab.cluster.vm.owner import Owner, find_owner
from tests.unit.test_cluster_lan_switch import NAMES, Plug, address, frame

NODES = st.sampled_from(["node1", "node2", "node3"])
FAULTS = st.builds(
    LinkFault,
    NODES,
    NODES | st.just(""),
    one_way=st.booleans(),
    lost=st.floats(0, 1),
    delay=st.floats(0, 60),
    port=st.integers(0, 65_535),
)


def ip_frame(protocol: int, source: int, target: int, options: int = 0, fragment: int = 0) -> bytes:
    """An IPv4 packet as it is on the wire."""
    head = bytes((0x45 + options, 0, 0, 0, 0, 0)) + fragment.to_bytes(2) + bytes((64, protocol, 0, 0)) + bytes(8)
    ports = source.to_bytes(2) + target.to_bytes(2)
    return address(2) + address(1) + b"\x08\x00" + head + bytes(4 * options) + ports + bytes(8)


@given(FAULTS, NODES, NODES)
def test_what_is_not_one_way_is_the_same_both_ways(fault: LinkFault, one: str, other: str) -> None:
    if not fault.one_way:
        assert fault.concerns(one, other) == fault.concerns(other, one)
    assert not (fault.concerns(one, other) and fault.node not in (one, other))


@given(st.lists(FAULTS, max_size=6), FAULTS)
def test_a_fault_is_there_once_and_heals_with_its_node(faults: list[LinkFault], new: LinkFault) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for fault in [*faults, new, new]:
            add_fault(home, fault)
        now = [held.fault for held in read_links(home)]
        assert now.count(new) == 1
        assert sum(new.replaces(fault) for fault in now) == 1
        heal_node(home, new.node)
        assert not any(new.node in (held.fault.node, held.fault.peer) for held in read_links(home))


@pytest.mark.parametrize(
    ("data", "ports"),
    [
        (ip_frame(6, 40_000, 2377), (40_000, 2377)),
        (ip_frame(17, 4789, 4789), (4789, 4789)),
        (ip_frame(17, 7946, 7946, options=3), (7946, 7946)),
        (ip_frame(17, 1, 2, fragment=5), ()),
        (ip_frame(50, 1, 2), ()),
        (ip_frame(6, 1, 2)[:30], ()),
        (frame(address(1), address(2)), ()),
        (b"", ()),
    ],
)
def test_ports_are_read_from_whole_headers_only(data: bytes, ports: tuple[int, ...]) -> None:
    assert read_ports(data) == ports


@given(st.binary(max_size=80))
def test_no_frame_is_too_strange(data: bytes) -> None:
    assert len(read_ports(data)) in (0, 2)


def test_a_blocked_port_takes_no_other_and_a_share_takes_its_share() -> None:
    block = Effects([LinkFault("node1", lost=1, port=4789)])
    assert block.delay("node2", "node1", ip_frame(17, 50_000, 4789)) is None
    assert block.delay("node2", "node1", ip_frame(17, 50_000, 7946)) == 0
    assert block.delay("node2", "node3", ip_frame(17, 50_000, 4789)) == 0
    half = Effects([LinkFault("node1", lost=0.5)], random.Random(1))
    lost = sum(half.delay("node1", "node2", b"") is None for _ in range(1000))
    assert 400 < lost < 600
    assert Effects([LinkFault("node1", delay=0.2), LinkFault("node2", delay=0.1)]).delay("node1", "node2", b"") == (
        pytest.approx(0.3)
    )


def test_they_are_kept_in_a_private_file_and_a_damaged_one_is_none(tmp_path: Path) -> None:
    held = (Held(LinkFault("node1", "node2", lost=1)), Held(LinkFault("node3", delay=0.1), find_owner(os.getpid())))
    write_links(tmp_path, held)
    assert read_links(tmp_path) == held
    assert (tmp_path / link_faults.FILE).stat().st_mode & 0o777 == 0o600
    write_links(tmp_path, ())
    assert read_links(tmp_path) == ()
    assert list(tmp_path.iterdir()) == []
    for damaged in ("", "{", "[1]", '[{"fault": {"node": "x", "odd": 1}, "owner": null}]'):
        (tmp_path / link_faults.FILE).write_text(damaged)
        assert read_links(tmp_path) == ()


def test_a_fault_ends_with_its_owner_killed_or_replaced(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            owner = find_owner(process.pid)
            assert owner is not None
            write_links(tmp_path, [Held(LinkFault("node1", lost=1), owner)])
            assert len(read_links(tmp_path)) == 1
        finally:
            process.kill()
    assert read_links(tmp_path) == ()
    assert not Owner(os.getpid(), "0").alive, "another process with the same id"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in NAMES:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def test_the_switch_obeys_at_once(home: Path) -> None:
    switch = Switch(NAMES)
    plugs = [Plug(home / name) for name in NAMES]
    for number, plug in enumerate(plugs, 1):
        plug.send(frame(b"\xff" * 6, address(number)))
        turn(switch)
    for plug in plugs:
        plug.waiting()
    write_links(home, [Held(LinkFault("node1", "node2", one_way=True, lost=1))])
    turn(switch)
    plugs[0].send(frame(address(2), address(1), b"there"))
    plugs[0].send(frame(address(3), address(1), b"other"))
    plugs[1].send(frame(address(1), address(2), b"back"))
    turn(switch)
    assert [len(plug.waiting()) for plug in plugs] == [1, 0, 1]
    write_links(home, [Held(LinkFault("node1", delay=0.05))])
    turn(switch)
    for number in range(3):
        plugs[0].send(frame(address(2), address(1), bytes([number])))
    turn(switch)
    assert plugs[1].waiting() == []
    until = time.monotonic() + 60
    seen: list[bytes] = []
    while len(seen) < 3 and time.monotonic() < until:
        switch.turn(0.5)
        seen += plugs[1].waiting()
    assert [data[-1] for data in seen] == [0, 1, 2], "late, and in their order"
    write_links(home, ())
    turn(switch)
    plugs[0].send(frame(address(2), address(1)))
    turn(switch)
    assert len(plugs[1].waiting()) == 1


def turn(switch: Switch) -> None:
    """Let the switch do all that is to be done now."""
    for _ in range(5):
        switch.turn(0)


def test_the_socket_that_wakes_it_is_its_folders_own(home: Path) -> None:
    Switch(NAMES)
    assert (home / link_faults.DOOR).is_socket()
    assert not (home / lan_switch.PID_FILE).exists()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door:
        door.sendto(b"x" * 1000, link_faults.DOOR)
