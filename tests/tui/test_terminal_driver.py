"""The app in a real terminal: how it ends, and what it leaves behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.processes import ended

BOUND = 60.0
_MODE = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_WRAP, _CURSOR = b"7", b"25"


class Seat:
    """A person at a terminal on which the app runs. What the terminal was told is kept."""

    def __init__(self, how: str, state: Path) -> None:
        environment = {**os.environ, "TERM": "xterm-256color", "SWARMLAB_STATE": str(state)}
        self.child: Any = pexpect.spawn(
            sys.executable, ["-m", "tests.tui.on_terminal", how], env=environment, dimensions=(36, 120), timeout=BOUND
        )
        self.told = b""

    def see(self, words: str) -> None:
        self.child.expect_exact(words)
        self.told += self.child.before + self.child.after

    def begin(self) -> None:
        """Wait until the lesson is there."""
        self.see("minutes, 3 steps")

    def end(self) -> int:
        """Wait for the end; the exit code."""
        self.child.expect(pexpect.EOF)
        self.told += self.child.before
        self.child.close()
        assert self.child.signalstatus is None
        return int(self.child.exitstatus)

    @property
    def left_on(self) -> list[bytes]:
        """The modes that are not as the app found them."""
        modes = {one: how for found in _MODE.finditer(self.told) for one in found[1].split(b";") for how in [found[2]]}
        usual = {_WRAP, _CURSOR}
        kitty = self.told.count(b"\x1b[<u") - len(re.findall(rb"\x1b\[>\d+u", self.told))
        return [one for one, how in modes.items() if (how == b"h") != (one in usual)] + [b"keyboard"] * -kitty

    @property
    def words(self) -> str:
        """What stands on the ordinary screen at the end."""
        return self.told.rpartition(b"\x1b[?1049l")[2].decode()


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Callable[[str], Seat]]:
    seats: list[Seat] = []

    def take(how: str) -> Seat:
        seats.append(Seat(how, tmp_path))
        return seats[-1]

    yield take
    for one in seats:
        one.child.close(force=True)


@pytest.mark.parametrize(
    "sent",
    [
        b"\xe9",
        b"\x1b[M \xb6%",
        b"\x1b[13;1:3u",
        b"\x1b]11;rgb:ffff/ffff/ffff\x1b\\",
        b"\x1b]11;rgb:ffff/ffff/ffff\x07\x1b[?62;22c",
    ],
)
def test_what_is_no_key_neither_ends_nor_steers_it(seat: Callable[[str], Seat], sent: bytes) -> None:
    it = seat("plain")
    it.begin()
    it.child.send(sent + b"q")
    assert it.end() == 0
    assert b"Put the cluster back" not in it.told
    assert it.left_on == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_the_terminal_is_as_before(seat: Callable[[str], Seat], number: signal.Signals) -> None:
    it = seat("plain")
    it.begin()
    it.child.kill(number)
    assert it.end() == 128 + number
    assert it.left_on == []
    assert "Traceback" not in it.words


def test_a_terminal_that_goes_takes_it_along(tmp_path: Path) -> None:
    ours, its = os.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "SWARMLAB_STATE": str(tmp_path)}
    argv = [sys.executable, "-m", "tests.tui.on_terminal", "plain"]
    app = subprocess.Popen(argv, stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True)
    with ended(app):
        os.close(its)
        told = b""
        while b"minutes, 3 steps" not in told:
            told += os.read(ours, 4096)
        os.close(ours)
        assert app.wait(BOUND) == 128 + signal.SIGHUP


def test_a_crash_is_a_sentence_and_a_log(seat: Callable[[str], Seat], tmp_path: Path) -> None:
    it = seat("crash")
    it.begin()
    it.child.send(b"s")
    assert it.end() == 1
    assert it.left_on == []
    log = tmp_path / "error.log"
    assert "a fault of the program" in it.words and str(log) in it.words.replace("\r\n", "")
    assert "Traceback" not in it.words and "what only the program knows" not in it.told.decode()
    assert "in broken" in log.read_text()


def test_a_key_that_comes_before_the_panes_ends_it_as_well(seat: Callable[[str], Seat]) -> None:
    it = seat("plain")
    it.see("\x1b[?1049h")
    it.child.send(b"q")
    assert it.end() == 0
    assert it.left_on == [] and "swarmlab:" not in it.words


def test_q_while_a_cluster_is_made_waits_for_nobody(seat: Callable[[str], Seat]) -> None:
    it = seat("making")
    it.see("waiting for node1")
    it.child.send(b"q")
    assert it.end() == 0
    assert it.left_on == []
