"""What is looked at five minutes before a talk, without a cluster."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lab import paths
from lab.errors import InputError
from lab.lesson.course import SYLLABUS, load_syllabus
from lab.lesson.talk import find_talk
from lab.session.prepare import starts_of_talk
from lab.session.talk import preflight
from lab.session.talk.preflight import Item, check_talk, clock_error
from tests.course import LESSONS

TALK = find_talk(["talk-25"], LESSONS, load_syllabus(paths.lessons() / SYLLABUS).paths)


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.STATE, str(tmp_path))


@pytest.fixture(autouse=True)
def agree(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recordings are compared with their lessons in the one test that is about them."""
    if "recordings" not in request.node.name:
        monkeypatch.setattr(preflight, "check_recording", lambda _: None)


def looked_at(terminal: tuple[int, int] | None = (100, 30), colours: int = 2**24) -> dict[str, Item]:
    return {item.what: item for item in check_talk("default", TALK, terminal=terminal, colours=colours)}


def test_without_a_cluster_it_is_not_ready_and_says_what_makes_one() -> None:
    found = looked_at()
    assert not found["cluster"].ok
    assert found["cluster"].needed
    assert "swarmlab up" in found["cluster"].remedy


def test_recordings_that_no_longer_agree_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert looked_at()["recordings"].ok

    def wrong(path: Path) -> Any:
        if path.name.startswith("rolling-update"):
            raise InputError("step update differs", path=path, line=7)

    monkeypatch.setattr(preflight, "check_recording", wrong)
    item = looked_at()["recordings"]
    assert not item.ok
    assert "rolling-update" in item.detail
    assert item.remedy == "swarmlab record rolling-update"


@pytest.mark.parametrize(
    ("size", "colours", "ok"),
    [((100, 30), 2**24, True), ((80, 24), 2**24, False), ((120, 40), 256, False), (None, 0, False)],
)
def test_the_terminal_is_to_be_large_and_have_colours(size: tuple[int, int] | None, colours: int, ok: bool) -> None:
    item = looked_at(size, colours)["terminal"]
    assert (item.ok, item.needed) == (ok, False)
    assert ok or item.remedy


@pytest.mark.parametrize(("percent", "plugged", "ok"), [(90, False, True), (20, False, False), (20, True, True)])
def test_power(monkeypatch: pytest.MonkeyPatch, percent: float, plugged: bool, ok: bool) -> None:
    battery = SimpleNamespace(percent=percent, power_plugged=plugged)
    monkeypatch.setattr("psutil.sensors_battery", lambda: battery)
    assert looked_at()["power"].ok is ok


def test_a_full_disk_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=10_000_000))
    item = looked_at()["disk"]
    assert not item.ok
    assert item.needed


def test_a_talk_needs_the_starts_where_it_leaves_a_lessons_order() -> None:
    needed = list(starts_of_talk(TALK, steps=False))
    every = list(starts_of_talk(TALK, steps=True))
    assert len(every) == len(TALK.slides)
    assert len(needed) == sum(not TALK.follows(at) for at in range(len(TALK.slides)))
    assert needed[0] == (
        TALK.slides[0].lesson,
        None if TALK.slides[0].step is TALK.slides[0].lesson.steps[0] else TALK.slides[0].step.id,
    )


def test_an_engine_that_answers_late_has_no_wrong_clock() -> None:
    assert clock_error(told=100.0, asked=99.0, answered=107.0) == 0
    assert clock_error(told=98.0, asked=99.0, answered=107.0) == -1
    assert clock_error(told=110.0, asked=99.0, answered=107.0) == 3
