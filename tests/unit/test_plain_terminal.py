"""`swarmlab --plain` as a command: on a terminal, which it leaves as it was, and as a part of a pipe."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from lab.cli import main
from lab.cli.boundary import UNEXPECTED
from lab.cluster.model import Progress, Report
from lab.errors import WaitError

BOUND = 60.0
HOW = ["-m", "tests.doubles.on_plain_terminal"]


class Terminal:
    """A person at a terminal that only prints."""

    def __init__(self, state: Path, *how: str, columns: int = 60) -> None:
        # Tests that run side by side are told a width, which is not this terminal's.
        inherited = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES")}
        env = {**inherited, "TERM": "dumb", "SWARMLAB_STATE": str(state)}
        self.child: Any = pexpect.spawn(
            sys.executable, [*HOW, *how], env=env, dimensions=(24, columns), timeout=BOUND, encoding="utf-8"
        )
        self.before = termios.tcgetattr(self.child.child_fd)
        self.told = ""

    def see(self, words: str) -> None:
        self.child.expect_exact(words)
        self.told += self.child.before + self.child.after

    def type(self, line: str) -> None:
        self.child.sendline(line)

    def end(self) -> int:
        """Wait for the end; the exit code. The terminal is as it was."""
        self.child.expect(pexpect.EOF)
        after = termios.tcgetattr(self.child.child_fd)
        self.told += self.child.before
        self.child.close()
        assert self.child.signalstatus is None, self.told
        assert after == self.before
        assert "\x1b" not in self.told and UNEXPECTED not in self.told and "Traceback" not in self.told
        return int(self.child.exitstatus)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    open_ones: list[Terminal] = []

    def take(*how: str) -> Terminal:
        open_ones.append(Terminal(tmp_path, *how))
        return open_ones[-1]

    yield take
    for one in open_ones:
        one.child.close(force=True)


def test_a_lesson_is_taken_on_a_terminal_that_only_prints(terminal: Callable[..., Terminal]) -> None:
    one = terminal("model", "scaling")
    one.see("start of the lesson, Enter begins > ")
    one.type("")
    for number in (1, 2, 3):
        one.see(f"step {number} of 8, ")
        one.type("n")
    one.see("step 4 of 8, Enter asks, then runs it > ")
    one.type("docker service scale web=6")
    one.see("Step 4 of 8: Done by `docker service scale web=6`.")
    one.see("step 4 of 8, done, Enter goes on > ")
    one.type("w")
    one.see("Service web: 6 of 6 tasks running")
    one.type("q")
    assert one.end() == 0
    lines = [line for line in one.told.replace("\r", "").split("\n") if not line.startswith("    ")]
    assert [line for line in lines if len(line) > 60 and " > " not in line] == []


def held(terminal: Callable[..., Terminal]) -> Terminal:
    """A terminal on which a step's command runs, and does not end."""
    one = terminal("held")
    one.see("Enter begins > ")
    one.type("n")
    one.see("Enter runs it > ")
    one.type("")
    one.see("On node1 runs:")
    return one


def test_ctrl_c_stops_a_step_and_leaves_at_the_prompt(terminal: Callable[..., Terminal]) -> None:
    one = held(terminal)
    one.child.sendintr()
    one.see("Step 1 of 3: stopped before its end.")
    one.see("Enter runs it again > ")
    one.child.sendintr()
    assert one.end() == 130
    assert one.told.endswith("> ^C\r\n"), "whatever comes next begins a line"


def test_ctrl_c_stops_a_recording_that_plays(terminal: Callable[..., Terminal]) -> None:
    one = terminal("slow", "reconciliation")
    one.see("Enter begins > ")
    one.type("")
    one.see("Enter runs it > ")
    one.type("")
    one.see("runs:")
    one.child.sendintr()
    one.see("Stopping.")
    one.see(" > ")
    one.type("q")
    assert one.end() == 0


@pytest.mark.costly
def test_the_end_of_input_is_an_end(terminal: Callable[..., Terminal]) -> None:
    one = terminal("held")
    one.see("Enter begins > ")
    one.child.sendeof()
    assert one.end() == 0


@pytest.mark.costly
def test_it_can_be_ended_from_outside(terminal: Callable[..., Terminal]) -> None:
    one = held(terminal)
    one.child.kill(signal.SIGTERM)
    assert one.end() == 143


def run(*how: str, typed: str, state: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *HOW, *how],
        input=typed,
        env={**os.environ, "SWARMLAB_STATE": str(state)},
        capture_output=True,
        text=True,
        timeout=BOUND,
        check=False,
    )


@pytest.mark.costly
def test_a_script_makes_a_log_with_what_was_typed(tmp_path: Path) -> None:
    done = run("model", "scaling", typed="\n\nc\n\n!echo\nq\n", state=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "step 1 of 8, done, Enter goes on > c\n1. Holds: the load sent at least 10 requests" in done.stdout
    assert "> !echo\nOn node1 runs:\n    echo\n" in done.stdout
    assert done.stdout.endswith("> q\n")
    assert "\x1b" not in done.stdout


@pytest.mark.costly
def test_colour_comes_only_when_asked_for(tmp_path: Path) -> None:
    done = run("model", "scaling", "--colour", typed="\n\n", state=tmp_path)
    assert "\x1b[32mStep 1 of 8: Done" in done.stdout
    assert set(re.findall(r"\x1b[^m]*m", done.stdout)) == {"\x1b[1m", "\x1b[32m", "\x1b[0m"}


def test_a_cluster_that_does_not_come_up_is_a_sentence_and_its_progress_is_in_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(*_: object, report: Report, **__: object) -> None:
        report(Progress("machines", "waiting for node2", 0.5))
        raise WaitError("the machines", 60, "node2's engine", remedy="swarmlab doctor")

    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    monkeypatch.setattr("lab.cluster.api.up", up)
    assert main(["--plain"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("[ 50%] machines: waiting for node2\n")
    assert "node2's engine" in said.err and "next: swarmlab doctor" in said.err


@pytest.mark.parametrize(
    ("line", "words"),
    [(["--plain", "nonsense"], "there is no lesson nonsense"), (["--colour"], "--colour goes with --plain")],
)
def test_what_makes_no_sense_is_wrong_usage(line: list[str], words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(line) == 2
    assert words in capsys.readouterr().err
