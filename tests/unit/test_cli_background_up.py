"""A cluster that is made by a process behind the app: what it tells, how it fails, how it is ended."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from lab.cli import background_up
from lab.cluster.model import Progress
from lab.errors import LabError


def script(text: str) -> tuple[str, ...]:
    """A process in the place of `swarmlab up --json`."""
    return sys.executable, "-c", text


def test_what_it_tells_is_reported_until_it_ends(tmp_path: Path) -> None:
    go = tmp_path / "go"
    heard: list[Progress] = []

    def report(progress: Progress) -> None:
        heard.append(progress)
        if progress.done == 0.42:
            go.touch()

    background_up.make(
        script(f"""
import pathlib, sys, time
print("a line without a meaning", file=sys.stderr)
print("[ 42%] disk: unpacking 2 of 5: now", file=sys.stderr, flush=True)
while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.01)
print('{{"whole": true}}')
"""),
        report,
    )
    assert Progress("disk", "unpacking 2 of 5: now", 0.42) in heard


def test_its_error_is_told_as_its_own() -> None:
    with pytest.raises(LabError, match="there is no QEMU") as told:
        background_up.make(
            script("""print('{"error": "there is no QEMU", "remedy": "get it", "exit": 3}'); raise SystemExit(3)"""),
            lambda _: None,
        )
    assert told.value.remedy == "get it"


def test_an_end_without_a_word_is_an_error_too() -> None:
    with pytest.raises(LabError, match="status 7"):
        background_up.make(script("raise SystemExit(7)"), lambda _: None)


def test_a_cluster_that_is_not_whole_yet_is_a_cluster() -> None:
    background_up.make(script("""print('{"whole": false}'); raise SystemExit(1)"""), lambda _: None)


def test_whoever_leaves_interrupts_it_where_it_waits(tmp_path: Path) -> None:
    ended, waits = tmp_path / "ended", threading.Event()

    def report(progress: Progress) -> None:
        if progress.text == "an answer":
            waits.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        background_up.make(
            script(f"""
import pathlib, sys, threading
try:
    print("swarm: an answer", file=sys.stderr, flush=True)
    threading.Event().wait(600)
except KeyboardInterrupt:
    pathlib.Path({str(ended)!r}).touch()
"""),
            report,
        )
    assert waits.is_set() and ended.exists()


def test_the_command_is_the_labs_own_wherever_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "__init__.py").write_text("raise SystemExit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONPATH", raising=False)
    with pytest.raises(LabError, match="status 2"):  # what argparse says of a name that is none
        background_up.make(background_up.command("No Name"), lambda _: None)
