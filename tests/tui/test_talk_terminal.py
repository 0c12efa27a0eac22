"""The talk in a real terminal: the process that shows it, and the one that starts it again."""

from __future__ import annotations

import os
import re
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from lab.lesson.course import SYLLABUS, load_syllabus
from lab.lesson.talk import find_talk
from lab.paths import STATE, lessons
from lab.session.talk.resume import Standing, keep_standing, store_of
from lab.wait import wait_until
from tests.course import LESSONS
from tests.tui.test_terminal_driver import BOUND, Seat


class Speaker(Seat):
    """A speaker at a terminal on which a talk is given from its recordings."""

    def __init__(self, state: Path, *more: str, where: str = "") -> None:
        talk = shlex.join([sys.executable, "-m", "lab.cli", "present", "orientation", "--replay", *more])
        environment = {**os.environ, "TERM": "xterm-256color", STATE: str(state)}
        self.child = pexpect.spawn(
            "/bin/sh",
            ["-c", f"exec {talk} {where}"],
            env=environment,
            dimensions=(30, 100),
            timeout=BOUND,
            encoding=None,
        )
        self.told = b""

    def quit(self) -> int:
        self.child.send(b"q")
        self.see("Press q again")
        self.child.send(b"q")
        return self.end()

    @property
    def app(self) -> psutil.Process:
        """The process that shows the talk."""
        (found,) = psutil.Process(self.child.pid).children()
        return found


@pytest.fixture
def speaker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Speaker]]:
    monkeypatch.setenv(STATE, str(tmp_path))
    there: list[Speaker] = []

    def take(*more: str, state: Path = tmp_path, where: str = "") -> Speaker:
        there.append(Speaker(state, *more, where=where))
        return there[-1]

    yield take
    for one in there:
        one.child.close(force=True)


def stand_at(place: int, began: float) -> None:
    talk = find_talk(("orientation",), LESSONS, load_syllabus(lessons() / SYLLABUS).paths)
    keep_standing("default", talk)(Standing(place, began))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_ends_it_and_the_terminal_is_as_before(
    speaker: Callable[..., Speaker], number: signal.Signals
) -> None:
    it = speaker()
    it.see("1/")
    it.child.kill(number)
    assert it.end() == 128 + number
    assert it.left_on == []


def test_a_second_talk_is_refused_and_the_first_one_still_knows_its_place(speaker: Callable[..., Speaker]) -> None:
    first = speaker()
    first.see("1/")
    wait_until("its place", BOUND, lambda: "" if store_of("default").exists() else "the file")
    kept = store_of("default").read_text()
    second = speaker()
    assert second.end() == 2
    assert second.told.count(b"a talk is being given on this lab already") == 1
    assert store_of("default").read_text() == kept
    assert first.quit() == 0
    assert not store_of("default").exists()


def test_an_app_that_is_killed_comes_back_where_it_was(speaker: Callable[..., Speaker]) -> None:
    it = speaker()
    it.see("1/")
    it.child.send(b"/")
    it.see("Esc cancels")
    it.child.send(b"\x1b[B\r")
    it.see("2/")
    it.app.kill()
    it.see("\x1b[?25h\x1b[0m")
    assert it.left_on == []
    it.see("2/")
    assert it.quit() == 0
    assert it.left_on == []


@pytest.mark.parametrize("more", [(), ("--no-restart",)])
def test_a_talk_begins_at_its_beginning_unless_it_is_resumed(speaker: Callable[..., Speaker], more: tuple[str]) -> None:
    stand_at(2, time.time() - 60)
    it = speaker("--resume", *more)
    it.see("3/")
    it.child.kill(signal.SIGTERM)
    assert it.end() == 128 + signal.SIGTERM
    it = speaker(*more)
    it.see("1/")
    assert it.quit() == 0


@pytest.mark.parametrize("where", ["2>/dev/null", "2>&-"])
def test_the_screen_is_on_the_terminal_wherever_standard_error_goes(
    speaker: Callable[..., Speaker], where: str
) -> None:
    it = speaker(where=where)
    it.see("1/")
    assert it.quit() == 0
    assert it.left_on == []


def test_an_empty_no_color_takes_no_colours(speaker: Callable[..., Speaker], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("COLORTERM", "truecolor")
    it = speaker()
    it.see("1/")
    assert it.quit() == 0
    assert any(len(set(found.split(b";"))) > 1 for found in re.findall(rb"38;2;(\d+;\d+;\d+)", it.told))


@pytest.mark.parametrize("long", [False, True])
def test_a_talk_that_cannot_begin_says_so_once(speaker: Callable[..., Speaker], tmp_path: Path, long: bool) -> None:
    it = speaker(state=tmp_path / ("a" * 120) if long else Path("/proc/none"))
    assert it.end() == 3
    said = it.told.decode()
    assert said.count("cannot be made") == 1
    assert "SWARMLAB_STATE" in said
    assert "by a fault" not in said
    assert "\x1b[?1049" not in said


def test_a_rehearsal_that_cannot_be_kept_does_not_begin_again(speaker: Callable[..., Speaker], tmp_path: Path) -> None:
    (tmp_path / "rehearsals").write_text("no folder")
    it = speaker("--rehearse", "--typing", "at-once")
    it.see("1/")
    it.child.send(b"n")
    it.see("run")
    it.child.send(b"n")
    it.see("Done")
    assert it.quit() == 3
    assert "the rehearsal is not kept" in it.words
