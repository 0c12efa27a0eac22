"""The nodes' own network: headers are read from any bytes, a tap gets heads and counts but no payload, and a report
says who talked to whom."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cluster.vm import taps
from lab.cluster.vm.lan_switch import Switch
from lab.cluster.vm.owner import find_owner
from lab.cluster.vm.taps import MOST, Tap, Tapped, read_taps
from lab.cluster.wire import HEAD, VXLAN_HEAD, Frame, Reading
from lab.watch.wire.headers import Packet, read_headers
from lab.watch.wire.source import Report, WireSource
from lab.world.journal import Journal
from lab.world.wire import Flow
from lab.world.world import World
from tests.unit.test_cluster_lan_switch import NAMES, Plug, address
from tests.unit.test_cluster_link_faults import turn

PORTS = st.integers(0, 65_535)
ADDRESSES = st.ip_addresses(v=4).map(str)


def ethernet(data: bytes, kind: bytes = b"\x08\x00", to: int = 2, by: int = 1) -> bytes:
    return address(to) + address(by) + kind + data


def ip(protocol: int, source: str, target: str, rest: bytes, fragment: int = 0) -> bytes:
    head = (
        bytes((0x45, 0)) + (20 + len(rest)).to_bytes(2) + bytes(2) + fragment.to_bytes(2) + bytes((64, protocol, 0, 0))
    )
    return head + b"".join(bytes(map(int, one.split("."))) for one in (source, target)) + rest


def udp(source: int, target: int, data: bytes = b"") -> bytes:
    return source.to_bytes(2) + target.to_bytes(2) + (8 + len(data)).to_bytes(2) + bytes(2) + data


def tcp(source: int, target: int, flags: int = 0x10, data: bytes = b"", sequence: int = 0) -> bytes:
    numbers = sequence.to_bytes(4) + bytes(4)
    return source.to_bytes(2) + target.to_bytes(2) + numbers + bytes((0x50, flags)) + bytes(6) + data


def vxlan(network: int, inner: bytes) -> bytes:
    header = bytes((8, 0, 0, 0)) + network.to_bytes(3) + b"\0"
    return ethernet(ip(17, "10.77.0.11", "10.77.0.12", udp(50_000, 4789, header + inner)))


@given(st.binary(max_size=200))
def test_no_byte_string_is_too_strange(data: bytes) -> None:
    read_headers(data)
    read_headers(ethernet(data))
    read_headers(vxlan(1, data))


@given(
    st.integers(0, (1 << 24) - 1),
    ADDRESSES,
    ADDRESSES,
    PORTS,
    PORTS,
    st.integers(0, 255),
    st.binary(max_size=50),
    st.integers(0, (1 << 32) - 1),
)
def test_what_a_container_sent_is_read_inside_vxlan(
    network: int, source: str, target: str, by: int, to: int, flags: int, data: bytes, sequence: int
) -> None:
    frame = vxlan(network, ethernet(ip(6, source, target, tcp(by, to, flags, data, sequence))))
    found = read_headers(frame[:VXLAN_HEAD])
    assert found == read_headers(frame), "the head of a frame is enough"
    assert found.carries == "vxlan"
    assert found.network == network
    opens, accepts, ends = flags & 0x12 == 0x02, flags & 0x12 == 0x12, bool(flags & 0x05)
    assert found.inner == Packet(source, target, 6, by, to, opens, accepts, ends, sequence, len(data))


@given(st.binary(min_size=1, max_size=400), st.integers(0, 400))
def test_a_frame_that_is_cut_short_never_says_what_the_whole_does_not(inner: bytes, end: int) -> None:
    whole, part = (read_headers(each) for each in (vxlan(7, inner), vxlan(7, inner)[:end]))
    assert part.packet in (None, whole.packet, whole.packet and replace(whole.packet, source_port=0, target_port=0))
    assert part.network in (0, whole.network)


@pytest.mark.parametrize(
    ("frame", "carries"),
    [
        (ethernet(ip(50, "10.77.0.11", "10.77.0.12", bytes(40))), "esp"),
        (ethernet(ip(17, "10.77.0.11", "10.77.0.12", udp(7946, 7946))), "gossip"),
        (ethernet(ip(6, "10.77.0.11", "10.77.0.12", tcp(40_000, 7946))), "gossip"),
        (ethernet(ip(6, "10.77.0.11", "10.77.0.12", tcp(2377, 40_000))), "management"),
        (ethernet(ip(6, "10.77.0.11", "10.77.0.12", tcp(40_000, 4789))), "other"),
        (ethernet(ip(17, "10.77.0.11", "10.77.0.12", udp(4789, 4789), fragment=5)), "other"),
        (ethernet(bytes(28), b"\x08\x06"), "arp"),
        (ethernet(bytes(40), b"\x86\xdd"), "other"),
        (b"", "other"),
    ],
)
def test_what_a_frame_carries(frame: bytes, carries: str) -> None:
    assert read_headers(frame).carries == carries


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in NAMES:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    yield tmp_path


SECRET = b"the-secret-4711"
SAID = vxlan(4097, ethernet(ip(6, "10.0.1.3", "10.0.1.4", tcp(40_000, 80, 0x18, b"GET /" + SECRET))))
OPENS = vxlan(4097, ethernet(ip(6, "10.0.1.3", "10.0.1.4", tcp(40_000, 80, 0x02))))
HIDDEN = ethernet(ip(50, "10.77.0.11", "10.77.0.12", bytes(100)))


def read_all(tap: Tapped, switch: Switch, wanted: int) -> Reading:
    """What a tap reads until it has so many frames, or knows of them."""
    end, got = time.monotonic() + 60, Reading()
    while len(got.frames) + got.unread < wanted:
        assert time.monotonic() < end
        turn(switch)
        more = tap.read(0.02)
        marks = {mark: got.marks.get(mark, 0) + more.marks.get(mark, 0) for mark in {*got.marks, *more.marks}}
        got = Reading((*got.frames, *more.frames), got.unread + more.unread, marks)
    return got


def test_a_tap_reads_heads_and_counts_a_text_and_no_payload_leaves_the_switch(home: Path) -> None:
    switch = Switch(NAMES)
    plugs = [Plug(home / name) for name in NAMES]
    turn(switch)
    tap = Tapped(home, NAMES, [SECRET.decode(), "never-there"])
    turn(switch)
    plugs[1].send(ethernet(bytes(28), b"\x08\x06", to=1, by=2))
    turn(switch)
    for frame in (SAID, OPENS, HIDDEN):
        plugs[0].send(frame)
    got = read_all(tap, switch, 4)
    assert got.marks == {SECRET.decode(): 1}
    assert [(f.source, f.target, f.size, f.lost) for f in got.frames] == [
        (NAMES[1], "", len(ethernet(bytes(28))), False),
        *((NAMES[0], NAMES[1], len(frame), False) for frame in (SAID, OPENS, HIDDEN)),
    ]
    assert len(got.frames[-1].head) == HEAD
    assert all(len(f.head) <= VXLAN_HEAD and SECRET not in f.head for f in got.frames)
    tap.close()
    turn(switch)
    assert read_taps(home) == ()
    assert not list(home.glob("tap-*"))
    tap.close()


def test_what_a_fault_takes_is_seen_as_lost(home: Path) -> None:
    from lab.cluster.link_faults import LinkFault
    from lab.cluster.vm.link_faults import Held, write_links

    switch = Switch(NAMES)
    plugs = [Plug(home / name) for name in NAMES]
    plugs[1].send(ethernet(bytes(28), to=1, by=2))
    turn(switch)
    tap = Tapped(home, NAMES)
    write_links(home, [Held(LinkFault(NAMES[0], NAMES[1], lost=1))])
    turn(switch)
    plugs[0].send(HIDDEN)
    assert [f.lost for f in read_all(tap, switch, 1).frames] == [True]
    tap.close()


def test_of_many_frames_a_sample_is_read_and_all_are_counted_and_searched(home: Path) -> None:
    switch = Switch(NAMES)
    plug, _ = Plug(home / NAMES[0]), Plug(home / NAMES[1])
    tap = Tapped(home, NAMES, [SECRET.decode()])
    turn(switch)
    many = 6 * MOST
    for number in range(many):
        plug.send(SAID)
        if number % 8 == 7:
            turn(switch)
    got = read_all(tap, switch, many)
    assert len(got.frames) + got.unread == many
    assert len(got.frames) < many
    assert got.marks == {SECRET.decode(): many}
    tap.close()


def test_a_tap_whose_reader_was_killed_ends(home: Path) -> None:
    switch = Switch(NAMES)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        owner = find_owner(process.pid)
        assert owner is not None
        taps._write_taps(home, lambda _: [Tap("tap-x", (), owner)])
        (home / "tap-x").touch()
        switch.read_files()
        assert read_taps(home)
        process.send_signal(signal.SIGKILL)
    switch.read_files()
    assert read_taps(home) == ()
    assert not (home / "tap-x").exists()


def test_a_damaged_file_is_none(tmp_path: Path) -> None:
    for damaged in (
        "",
        "{",
        "[1]",
        '[{"socket": "x"}]',
        f'[{{"socket": "x", "marks": 1, "owner": {{"pid": {os.getpid()}}}}}]',
    ):
        (tmp_path / taps.FILE).write_text(damaged)
        assert read_taps(tmp_path) == ()


def test_a_report_counts_by_who_talks_to_whom() -> None:
    report = Report()
    report.take(
        Reading(
            (
                Frame(99.0, "node1", "node2", 200, SAID[:VXLAN_HEAD]),
                Frame(99.5, "node1", "node2", 100, OPENS[:VXLAN_HEAD], lost=True),
                Frame(99.5, "node2", "node1", 150, HIDDEN[:HEAD]),
            ),
            unread=3,
            marks={"text": 2},
        )
    )
    fact = report.fact(2.0, 100.0)
    assert fact.flows == (
        Flow("node1", "node2", "vxlan", 2, 300, 4097, 1),
        Flow("node2", "node1", "esp", 1, 150),
    )
    (asked,) = fact.exchanges
    assert (asked.ago, asked.sent) == (1.0, len(b"GET /" + SECRET))
    assert (fact.marks, fact.scale) == ((("text", 2),), 2.0)


class Line:
    """A wire on which one frame passes at each reading."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.breaks = False

    def read(self, bound: float) -> Reading:
        if self.breaks:
            self.breaks = False
            raise OSError("gone")
        time.sleep(min(bound, 0.01))
        return Reading((Frame(time.monotonic(), "node1", "node2", 100, HIDDEN[:HEAD]),), marks={"text": 1})

    def close(self) -> None:
        self.closed.set()


def test_the_source_reports_what_was_read_when_it_is_asked_and_closes_the_wire() -> None:
    journal, line = Journal(), Line()
    asked: list[Collection[str]] = []

    def open_wire(marks: Collection[str]) -> Line:
        asked.append(marks)
        return line

    source = WireSource(journal, open_wire, ["text"])
    source.start()
    source.look(60.0)
    first = journal.world.wire.frames["esp"]
    assert first > 0
    assert journal.world.wire.marks["text"] == first
    source.look(60.0)
    assert journal.world.wire.frames["esp"] > first
    line.breaks = True
    source.look(60.0)
    source.close()
    assert line.closed.wait(60)
    assert asked == [("text",)]


def test_a_wire_that_cannot_be_opened_is_tried_again() -> None:
    journal, line, tries = Journal(), Line(), []

    def open_wire(_: Collection[str]) -> Line:
        tries.append(1)
        if len(tries) < 2:
            raise OSError("not yet")
        return line

    source = WireSource(journal, open_wire)
    source.start()
    assert journal.wait(lambda world: bool(world.wire.reports), 60)
    source.close()
    assert isinstance(journal.world, World)
