"""`make lab` and `swarmlab` where there is no terminal: what is installed unasked, and what the exit code says."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

from lab.cli import main
from lab.cluster.vm import requirements
from lab.errors import InputError, WaitError

ROOT = Path(__file__).resolve().parents[2]
REASON = "No cluster can be made here: "
RECORDING = "REPLAY: what you read was recorded"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A machine with apt and sudo, and none of the packages; what is typed into apt stands in `apt.log`."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, text in {"apt-get": f'echo "$@" >>{tmp_path}/apt.log', "sudo": 'exec "$@"'}.items():
        (programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(requirements, "search_path", lambda: str(programs))
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr(sys, "stdin", nobody)
        yield tmp_path


def installed(machine: Path) -> str:
    log = machine / "apt.log"
    return log.read_text() if log.exists() else ""


def test_unasked_nothing_is_installed_and_the_recording_comes_after_the_reason(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([]) == 0
    said = capsys.readouterr().out
    assert said.startswith(f"{REASON}these Debian packages are missing: ")
    assert "apt-get install" in said
    assert said.index(REASON) < said.index(RECORDING)
    assert installed(machine) == ""


def test_yes_says_what_it_installs_and_goes_on(machine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--yes"]) == 0
    said = capsys.readouterr()
    assert "install -y --no-install-recommends" in installed(machine)
    assert "qemu-system-x86" in installed(machine)
    assert said.err.index("Debian packages are missing. These commands install them:") < said.err.index("running ")
    # This apt installs nothing.
    assert said.out.startswith(f"{REASON}still missing after the installation: ")
    assert RECORDING in said.out


@pytest.mark.usefixtures("machine")
def test_a_cluster_that_does_not_come_up_is_no_reason_to_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(*_: object) -> None:
        raise WaitError("the machines", 60, "node2's engine")

    monkeypatch.setattr("lab.cluster.api.up", up)
    assert main([]) == 0
    said = capsys.readouterr().out
    assert "node2's engine" in said[: said.index(RECORDING)]


@pytest.mark.usefixtures("machine")
def test_a_setting_that_makes_no_sense_is_the_users_to_mend(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def up(*_: object) -> None:
        raise InputError("the lab has 3 nodes, and keeps them")

    monkeypatch.setattr("lab.cluster.api.up", up)
    assert main([]) == 2
    assert RECORDING not in capsys.readouterr().out


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(("passed", "code"), [((True, True), 0), ((True, False), 1), ((False, True), 1)])
def test_a_lesson_that_fails_is_1(monkeypatch: pytest.MonkeyPatch, passed: tuple[bool, ...], code: int) -> None:
    left = iter(passed)
    went: list[str] = []

    def go_through(name: str, lesson: SimpleNamespace, say: Callable[[str], None]) -> SimpleNamespace:
        went.append(lesson.id)
        return SimpleNamespace(passed=next(left))

    monkeypatch.setattr("lab.cluster.api.up", lambda *_: SimpleNamespace(status=lambda: None))
    monkeypatch.setattr("lab.cli.start.print_status", lambda *_: None)
    monkeypatch.setattr("lab.cluster.api.at_work", lambda *_: nullcontext())
    monkeypatch.setattr("lab.session.run.go_through", go_through)
    assert main([]) == code
    assert went == ["first-service", "reconciliation"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A folder with the Makefile, set up, and a `swarmlab` that says how it was called."""
    folder = tmp_path / "made"
    (folder / ".venv/bin").mkdir(parents=True)
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("requirements.lock", "pyproject.toml"):
        (folder / name).touch()
        os.utime(folder / name, (1, 1))
    (folder / ".venv/.ready").touch()
    command = folder / ".venv/bin/swarmlab"
    command.write_text('#!/bin/sh\necho "swarmlab $*"\n')
    command.chmod(0o755)
    return folder


def make_lab(folder: Path, stdin: int, *arguments: str) -> str:
    argv = ["make", "--no-print-directory", "lab", *arguments]
    env = {**os.environ, "MAKEFLAGS": ""}  # Of the make that runs these tests, if one does.
    done = subprocess.run(
        argv, cwd=folder, env=env, stdin=stdin, capture_output=True, text=True, timeout=60, check=True
    )
    return done.stdout.strip()


def test_make_lab_asks_where_somebody_can_answer(made: Path) -> None:
    ours, theirs = pty.openpty()
    try:
        assert make_lab(made, theirs) == "swarmlab"
        assert make_lab(made, theirs, "ARGS=run first-service --until create") == (
            "swarmlab run first-service --until create"
        )
    finally:
        os.close(ours)
        os.close(theirs)


def test_make_lab_without_a_terminal_goes_on(made: Path) -> None:
    assert make_lab(made, subprocess.DEVNULL) == "swarmlab --yes"
    assert make_lab(made, subprocess.DEVNULL, "ARGS=status --json") == "swarmlab --yes status --json"
