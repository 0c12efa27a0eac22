"""`swarmlab run`: which lessons a shard has, and which steps were the slowest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lab.cli import main
from lab.lesson.model import Lesson, Step
from lab.run.results import LessonResult, StepResult
from tests.course import LESSONS
from tests.live.shard import times


def passed_after(step: Step, seconds: float) -> StepResult:
    return StepResult(step.id, step.title, True, "", "", "", 0, seconds, step.bound, (), {})


@pytest.fixture
def went(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The ids of the lessons that were gone through. Each step takes a second more than the one before it."""
    ids: list[str] = []

    def go_through(name: str, lesson: Lesson, say: Callable[[str], None], **_: Any) -> LessonResult:
        ids.append(lesson.id)
        steps = tuple(passed_after(step, 1.0 + place) for place, step in enumerate(lesson.steps))
        return LessonResult(lesson.id, lesson.title, True, 1.0, steps)

    monkeypatch.setattr("lab.cluster.api.at_work", lambda *_: nullcontext())
    monkeypatch.setattr("lab.session.run.go_through", go_through)
    monkeypatch.setattr("lab.session.shard.recorded_times", lambda lessons: times())
    yield ids


def test_the_shards_of_a_run_are_every_lesson_once(went: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    for number in (1, 2, 3):
        assert main(["run", "--all", "--shard", f"{number}/3", "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert 0 < len(said["lessons"]) < len(LESSONS)
    assert sorted(went) == sorted(lesson.id for lesson in LESSONS)
    assert went != [lesson.id for lesson in LESSONS]


def test_the_slowest_steps_are_named(went: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "orientation", "scaling", "--json"]) == 0
    slowest = json.loads(capsys.readouterr().out)["slowest"]
    assert [each["seconds"] for each in slowest] == [8.0, 7.0, 6.0, 6.0, 5.0]
    assert [each["lesson"] for each in slowest] == ["scaling", "scaling", "orientation", "scaling", "orientation"]
    assert main(["run", "--all"]) == 0
    *_, heading, first = capsys.readouterr().out.splitlines()[:-4]
    assert heading.startswith(f"{len(LESSONS)} of {len(LESSONS)} lessons passed in ")
    assert first.split()[:2] == [f"{max(len(lesson.steps) for lesson in LESSONS)}.0", "s"]


@pytest.mark.parametrize("shard", ["0/3", "4/3", "1", "1/0", "a/b", "-1/3"])
def test_a_shard_that_is_none_is_refused(went: list[str], shard: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--all", f"--shard={shard}"]) == 2
    assert "a shard is I/N" in capsys.readouterr().err
    assert went == []


def test_a_shard_without_a_lesson_is_refused(went: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--all", f"--shard=1/{len(LESSONS) + 1}"]) == 2
    assert "cannot be split" in capsys.readouterr().err
    assert went == []


def test_a_shard_goes_with_all(went: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "scaling", "--shard", "1/2"]) == 2
    assert "--shard goes with --all" in capsys.readouterr().err
    assert went == []


def test_a_run_that_records_keeps_the_tapes_of_what_passed(
    went: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go_through(name: str, lesson: Lesson, say: Callable[[str], None], *, tape: Path, **_: Any) -> LessonResult:
        tape.write_text(f"a new tape of {lesson.id}")
        return LessonResult(lesson.id, lesson.title, lesson.id != "scaling", 1.0, ())

    monkeypatch.setattr("lab.session.run.go_through", go_through)
    for id in ("orientation", "scaling"):
        (tmp_path / f"{id}.tape").write_text("an old tape")
    assert main(["run", "orientation", "scaling", "--record", str(tmp_path), "--json"]) == 1
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "orientation.tape": "a new tape of orientation",
        "scaling.tape": "an old tape",
        "scaling.failed.tape": "a new tape of scaling",
    }


def test_a_folder_that_cannot_hold_tapes_is_refused_first(
    went: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["run", "orientation", "--record", str(tmp_path / "file")]) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert main(["run", "orientation", "--until", "nodes", "--record", str(tmp_path)]) == 2
    assert "--record is for whole lessons" in capsys.readouterr().err
    assert went == []
