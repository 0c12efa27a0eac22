"""The nodes' own network: frames between sockets as machines have them."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import process
from lab.cluster.vm import console, lan_switch, link_faults, processes
from lab.cluster.vm.lan_switch import Switch
from lab.wait import wait_until

BROADCAST = b"\xff" * 6
NAMES = ("node1", "node2", "node3")


def address(number: int) -> bytes:
    return bytes((0x52, 0x54, 0, 0, 0, number))


def frame(target: bytes, source: bytes, text: bytes = b"hello") -> bytes:
    return target + source + b"\x08\x00" + text


class Plug:
    """A machine's card: sends to the switch's socket in its folder, and takes from its own."""

    def __init__(self, folder: Path) -> None:
        self._switch = str(folder / lan_switch.INBOX)
        (folder / lan_switch.OUTBOX).unlink(missing_ok=True)
        self.own = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.own.bind(str(folder / lan_switch.OUTBOX))
        self.own.settimeout(20)

    def send(self, data: bytes) -> None:
        self.own.sendto(data, self._switch)

    def waiting(self) -> list[bytes]:
        """All that has come."""
        found = []
        self.own.setblocking(False)
        while True:
            try:
                found.append(self.own.recv(65_536))
            except BlockingIOError:
                self.own.settimeout(20)
                return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in NAMES:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def plugs(home: Path) -> Iterator[list[Plug]]:
    found = [Plug(Path(name)) for name in NAMES]
    yield found
    for each in found:
        each.own.close()


def test_a_frame_goes_to_everybody_until_it_is_known_who_has_the_address(home: Path, plugs: list[Plug]) -> None:
    switch = Switch(NAMES)
    one, two, three = plugs
    one.send(frame(address(2), address(1)))
    switch.turn(0)
    assert [len(plug.waiting()) for plug in plugs] == [0, 1, 1]
    two.send(frame(address(1), address(2)))
    switch.turn(0)
    assert [len(plug.waiting()) for plug in plugs] == [1, 0, 0]
    one.send(frame(address(2), address(1), b"again"))
    switch.turn(0)
    assert two.waiting() == [frame(address(2), address(1), b"again")]
    assert three.waiting() == []
    three.send(frame(BROADCAST, address(3)))
    switch.turn(0)
    assert [len(plug.waiting()) for plug in plugs] == [1, 1, 0]


def test_what_is_no_frame_is_dropped(home: Path, plugs: list[Plug]) -> None:
    switch = Switch(NAMES)
    plugs[0].send(b"short")
    plugs[0].send(frame(BROADCAST, address(1)))
    switch.turn(0)
    assert plugs[1].waiting() == [frame(BROADCAST, address(1))]


def test_a_machine_that_is_slow_gets_its_frames_later_in_order(home: Path, plugs: list[Plug]) -> None:
    switch = Switch(NAMES[:2])
    sent = [frame(BROADCAST, address(1), str(number).encode()) for number in range(200)]
    for data in sent:
        plugs[0].send(data)
        switch.turn(0)
    come: list[bytes] = []
    while more := plugs[1].waiting():
        come += more
        switch.turn(0)
    assert come == sent


def test_a_machine_that_is_off_loses_frames_and_one_that_comes_back_gets_them(home: Path, plugs: list[Plug]) -> None:
    switch = Switch(NAMES[:2])
    plugs[0].send(frame(BROADCAST, address(1), b"one"))
    switch.turn(0)
    assert len(plugs[1].waiting()) == 1
    plugs[1].own.close()
    plugs[0].send(frame(BROADCAST, address(1), b"two"))
    switch.turn(0)
    with_power = Plug(Path("node2"))
    plugs[0].send(frame(BROADCAST, address(1), b"three"))
    switch.turn(0)
    assert with_power.waiting() == [frame(BROADCAST, address(1), b"three")]
    with_power.own.close()


def test_the_switch_runs_by_itself_is_found_again_and_ended(home: Path, plugs: list[Plug]) -> None:
    processes.start_switch(home, "identity-of-a-test", NAMES)
    try:
        found = processes.find_switch(home, "identity-of-a-test")
        assert found is not None
        processes.start_switch(home, "identity-of-a-test", NAMES)
        assert processes.find_switch(home, "identity-of-a-test") == found
        assert processes.find_stray_switch(home) == "identity-of-a-test"
        plugs[0].send(frame(BROADCAST, address(1)))
        assert plugs[1].own.recv(100) == frame(BROADCAST, address(1))
        # Killed and started again, it is the same network for machines that run.
        found.kill()
        assert process.wait_gone(found, 20)
        processes.start_switch(home, "identity-of-a-test", NAMES)
        plugs[1].send(frame(BROADCAST, address(2)))
        while plugs[0].own.recv(100) != frame(BROADCAST, address(2)):
            pass
    finally:
        processes.stop_switch(home, "identity-of-a-test")
    assert processes.find_switch(home, "identity-of-a-test") is None


def test_nobody_else_may_use_the_sockets(home: Path) -> None:
    processes.start_switch(home, "identity-of-a-test", NAMES)
    try:
        modes = [(home / name / lan_switch.INBOX).stat().st_mode & 0o777 for name in NAMES]
        assert modes == [0o700] * len(NAMES)
    finally:
        processes.stop_switch(home, "identity-of-a-test")


def run_switch(folder: Path) -> subprocess.Popen[bytes]:
    code = "from lab.cluster.vm import lan_switch as s; s._CHECK = 0.05; s.main('id', 'node1')"
    return subprocess.Popen([sys.executable, "-c", code], cwd=folder)


def wait_for_end(file: Path, end: bytes, switch: subprocess.Popen[bytes]) -> None:
    """Wait until a file of the switch's is written whole: it exists before it is."""

    def missing() -> str:
        assert switch.poll() is None
        return "" if file.exists() and file.read_bytes().endswith(end) else f"{end!r} in {file.name}"

    wait_until("the switch to write its file", 120, missing, pause=0.01)


def test_the_switch_ends_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    (folder / "node1").mkdir(parents=True)
    with run_switch(folder) as switch:
        try:
            wait_for_end(folder / lan_switch.PID_FILE, str(switch.pid).encode(), switch)
            (folder / "node1").rename(tmp_path / "away")
            (folder / lan_switch.PID_FILE).unlink()
            (folder / link_faults.DOOR).unlink()
            folder.rmdir()
            assert switch.wait(60) == 0
        finally:
            switch.kill()


def test_a_console_that_never_ends_is_held_to_a_size(tmp_path: Path) -> None:
    folder = tmp_path / "node1"
    folder.mkdir()
    log = folder / console.LOG
    with run_switch(tmp_path) as switch, log.open("ab", buffering=0) as emulator:
        try:
            emulator.write(b"swarmlab: kernel\n")
            assert console.read_stages(folder) == ("kernel",)
            emulator.write(b"x" * console.LARGEST + b"\nthe end\n")
            wait_for_end(folder / console.BEFORE, b"the end\n", switch)
            assert (folder / console.BEFORE).stat().st_size < 100_000
            emulator.write(b"swarmlab: again\n")
            assert log.read_bytes() == b"swarmlab: again\n"
        finally:
            switch.kill()


def test_a_console_that_is_short_or_not_there_stays(tmp_path: Path) -> None:
    console.trim(tmp_path)
    (tmp_path / console.LOG).write_bytes(b"swarmlab: kernel\n")
    console.trim(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [console.LOG]
    assert console.read_stages(tmp_path) == ("kernel",)
