"""A replay as the app drives it: the recordings that travel with the program."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.errors import InputError
from lab.session.replay import ReplayStage
from lab.tape.find import find_tape, tapes
from lab.world.world import World
from tests.course import LESSONS

IDS = [lesson.id for lesson in LESSONS]


@pytest.fixture
def stage() -> ReplayStage:
    return ReplayStage(speed=None)


def test_every_lesson_has_a_recording(stage: ReplayStage) -> None:
    assert [lesson.id for lesson in stage.lessons()] == IDS
    assert set(tapes()) == set(IDS)


@pytest.mark.parametrize("lesson", IDS)
def test_a_recording_passes_every_step_of_its_lesson(stage: ReplayStage, lesson: str) -> None:
    opened = stage.open(lesson)
    assert "REPLAY" in stage.title
    assert stage.journal.world.lesson.steps == World().lesson.steps
    for step in opened.steps:
        stage.play(step.id)
        assert stage.journal.world.lesson.steps[lesson, step.id].state == "passed", step.id
    verdicts = stage.journal.world.lesson.verdicts
    assert all(verdict.ok for verdict in verdicts.values())
    assert {(lesson, s.id, i) for s in opened.steps for i in range(len(s.checks))} == set(verdicts)


def test_a_recorded_swarm_has_its_four_machines(stage: ReplayStage) -> None:
    stage.open("reconciliation")
    nodes = stage.journal.world.swarm.nodes.values()
    assert sorted((n.name, n.role) for n in nodes) == [
        ("node1", "manager"),
        ("node2", "manager"),
        ("node3", "manager"),
        ("node4", "worker"),
    ]


def test_it_can_be_wound_back_and_played_again(stage: ReplayStage) -> None:
    lesson = stage.open("reconciliation")
    first, second = lesson.steps[0].id, lesson.steps[1].id
    stage.play(first)
    once = stage.journal.world
    stage.play(second)
    stage.reset(first)
    assert (lesson.id, second) not in stage.journal.world.lesson.steps
    stage.play(first)
    again = stage.journal.world
    assert (again.swarm.tasks, again.swarm.services, again.lesson.steps) == (
        once.swarm.tasks,
        once.swarm.services,
        once.lesson.steps,
    )


def test_a_step_played_out_of_order_passes_what_lies_before_it(stage: ReplayStage) -> None:
    lesson = stage.open("reconciliation")
    stage.play(lesson.steps[2].id)
    assert stage.journal.world.lesson.steps[lesson.id, lesson.steps[0].id].state == "passed"
    assert stage.journal.world.lesson.steps[lesson.id, lesson.steps[2].id].state == "passed"


def test_a_choice_made_in_a_replay_stays_while_its_step_is_played_again(stage: ReplayStage) -> None:
    lesson = stage.open("reconciliation")
    first = lesson.steps[0].id
    for bet in ("here", "there"):
        stage.answer("bet", bet)
        stage.play(first)
        assert stage.journal.world.lesson.captured["bet"] == bet
        assert stage.journal.world.lesson.steps[lesson.id, first].state == "passed"
    stage.open("scaling")
    stage.play("up")
    assert "bet" not in stage.journal.world.lesson.captured


def test_what_is_not_there_is_named(stage: ReplayStage, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recording of the lesson"):
        stage.open("no-such-lesson")
    for name in ("no-such", "../lessons/scaling", str(tmp_path), "x" * 5000, "x\0y"):
        with pytest.raises(InputError, match="there is no recording"):
            find_tape(name)
    assert find_tape("scaling").is_file()
    with pytest.raises(InputError, match="no recording quorom; did you mean 'quorum'"):
        find_tape("quorom")
