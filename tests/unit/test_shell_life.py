"""A shell's process: what it is given, what it sees of the lab, and what it leaves behind."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.errors import LabError, MissingError
from lab.shell.environment import ALLOWED, environment
from tests.processes import ended
from tests.unit.shell_stage import BOUND, Stage, gone, soon


@pytest.fixture
def stage() -> Iterator[Stage]:
    made = Stage(FRUIT="apple")
    yield made
    made.shell.close()


def test_a_shell_hears_what_the_lab_itself_was_started_to_ignore() -> None:
    """Under nohup SIGHUP, in a script's background SIGINT, and SIGPIPE in every Python."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGHUP)}
    try:
        made = Stage()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    try:
        ignored = made.run("grep SigIgn /proc/self/status", bound=BOUND).output.split()[-1]
        # Above 31 are the C library's own (make's children ignore those), which nobody else can set.
        assert int(ignored, 16) & 0x7FFFFFFF == 0
        assert made.run("yes | head -1", bound=BOUND).output == "y"
    finally:
        made.shell.close()


def test_the_size_is_what_programs_see(stage: Stage) -> None:
    assert stage.run("stty size", bound=BOUND).output == "20 60"
    stage.shell.resize(72, 11)
    assert stage.run("stty size", bound=BOUND).output == "11 72"


def test_the_environment_is_small_and_given(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    names = {line.partition("=")[0] for line in stage.run("env", bound=BOUND).output.splitlines()}
    assert {"FRUIT", "PATH", "TERM"} <= names
    assert names <= {
        *ALLOWED,
        "FRUIT",
        "TERM",
        "SWARMLAB_TERMINAL",
        "PWD",
        "SHLVL",
        "_",
        "OLDPWD",
        "COLUMNS",
        "LINES",
    }
    monkeypatch.setenv("SECRET_TOKEN", "x")
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("LC_ALL", raising=False)
    env = environment({"A": "1"})
    assert shutil.which("swarmlab", path=env["PATH"]) is not None
    assert env["A"] == "1" and "SECRET_TOKEN" not in env and env["LC_CTYPE"] == "C.UTF-8"


def test_the_users_own_files_are_not_read_and_nothing_is_written(tmp_path: Path) -> None:
    for name in (".bashrc", ".bash_profile", ".profile", ".inputrc"):
        (tmp_path / name).write_text("echo READ\nset editing-mode vi\n")
    before = sorted(tmp_path.iterdir())
    stage = Stage(HOME=str(tmp_path), TMPDIR=str(tmp_path))
    try:
        assert stage.run("echo hi", bound=BOUND).output == "hi"
        stage.run("exit", bound=BOUND)
    finally:
        stage.shell.close()
    assert "READ" not in stage.printed
    assert sorted(tmp_path.iterdir()) == before


def test_closing_leaves_no_process_behind() -> None:
    stage = Stage()
    jobs = "sleep 600 & echo $!; nohup sleep 601 >/dev/null 2>&1 & echo $!; (setsid sleep 602 & echo $!)"
    output = stage.run(jobs, bound=BOUND).output
    pids = [int(line) for line in output.splitlines() if line.isdigit()]
    assert len(pids) == 3
    pids.append(stage.shell.pid)
    stage.shell.close()
    stage.shell.close()
    assert all(map(gone, pids))
    with pytest.raises(LabError, match="is closed"):
        stage.run("echo x")


def test_a_shell_that_is_closed_at_once_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    for _ in range(3):
        Stage().shell.close()
    assert list(tmp_path.iterdir()) == []


def test_closing_ends_a_command_under_way() -> None:
    stage = Stage()
    threading.Timer(0.2, stage.shell.close).start()
    assert stage.run("sleep 60", bound=BOUND).status >= 128


def test_when_the_lab_dies_its_shells_die() -> None:
    program = """
import itertools, sys
from lab.shell.shell import Shell
from lab.terminal.redact import Redactor
from lab.world.journal import Journal
ids = itertools.count(1)
shell = Shell(Journal(), "node1", {}, redact=Redactor(), ids=lambda: next(ids))
print(shell.pid, shell.run("sleep 600 & echo $!").output.splitlines()[-1], flush=True)
sys.stdin.read()
"""
    argv = [sys.executable, "-c", program]
    with ended(subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)) as lab:
        assert lab.stdout
        pids = [int(pid) for pid in lab.stdout.readline().split()]
        assert len(pids) == 2
    soon(lambda: all(map(gone, pids)))


def test_a_shell_at_rest_uses_no_processor(stage: Stage) -> None:
    stage.run("true", bound=BOUND)
    turns, due = [0], stage.shell._output.due

    def counted() -> float | None:
        turns[0] += 1
        return due()

    stage.shell._output.due = counted  # type: ignore[method-assign]
    time.sleep(0.2)
    first = turns[0]
    time.sleep(0.2)
    assert turns[0] == first


def test_without_bash_it_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingError, match="no bash"):
        Stage()


def test_a_shell_that_cannot_begin_is_not_tried_for_ever(tmp_path: Path) -> None:
    broken = tmp_path / "bash"
    broken.write_text("#!/bin/sh\nexit 5\n")
    broken.chmod(0o755)
    stage = Stage(PATH=str(tmp_path))
    stage.shows("ended with status 5; it never came to its prompt")
    with pytest.raises(LabError, match="is closed"):
        stage.run("echo x")
    stage.shell.close()
