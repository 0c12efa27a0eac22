"""Where one is in the lessons on a cluster, and whether the cluster is still what the next step needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.cluster import api
from lab.errors import LabError
from lab.lesson import progress
from lab.lesson.course import load_course
from lab.lesson.standing import Standing
from lab.session import standings
from lab.session.live import LiveStage
from lab.session.reset_to import Done
from lab.wait import wait_until
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import InstantSwarm, fake_cluster

SCALING = next(lesson for lesson in load_course() if lesson.id == "scaling")
FIRST, SECOND = (step.id for step in SCALING.steps[:2])
OLD = datetime(2026, 11, 1, tzinfo=UTC).isoformat()


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[InstantSwarm, DoubleCluster]]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "at_work", lambda *_: nullcontext())
    with fake_cluster() as (swarm, engines):
        yield swarm, DoubleCluster(swarm, engines)


@pytest.fixture
def stage(swarm: tuple[InstantSwarm, DoubleCluster]) -> Iterator[LiveStage]:
    stage = LiveStage(swarm[1], typing=0.0)
    try:
        yield stage
    finally:
        stage.close()


def test_a_cluster_that_is_not_at_the_lessons_start_is_told_with_what_puts_it_right(stage: LiveStage) -> None:
    stage.open("scaling")
    assert stage.find_drift().endswith("from the start of the lesson: r puts it right.")


def test_another_cluster_than_the_one_on_which_steps_were_passed_is_noticed(stage: LiveStage) -> None:
    progress.pass_step("default", SCALING, FIRST, OLD)
    stage.open("scaling")
    told = stage.find_drift()
    assert told.startswith("This is another cluster than the one on which you got to step 2: ")
    assert told.endswith("the start of step 2. r puts it right.")


def test_the_same_cluster_that_has_changed_is_noticed(stage: LiveStage) -> None:
    progress.pass_step("default", SCALING, FIRST, stage._made)
    stage.open("scaling")
    assert stage.find_drift() == "On this cluster 1 thing differs from the start of step 2: r puts it right."


@pytest.fixture
def fitting(stage: LiveStage, monkeypatch: pytest.MonkeyPatch) -> LiveStage:
    """The stage at a lesson for which there is nothing to put right."""
    monkeypatch.setattr(standings, "reset_to", lambda *_, **__: Done("scaling", (), (), 0.0))
    stage.open("scaling")
    return stage


def test_nothing_is_said_of_a_cluster_that_is_as_the_step_needs_it_or_of_a_lesson_that_is_done(
    fitting: LiveStage,
) -> None:
    assert fitting.find_drift() == ""
    for step in SCALING.steps:
        progress.pass_step("default", SCALING, step.id, OLD)
    assert fitting.find_drift() == ""


def test_another_cluster_that_is_as_the_step_needs_it_is_said_to_be_so(fitting: LiveStage) -> None:
    progress.pass_step("default", SCALING, FIRST, OLD)
    told = "This is another cluster than the one on which you got to step 2, and it is as that step needs it."
    assert fitting.find_drift() == told
    progress.record_cluster("default", SCALING, fitting._made)
    assert fitting.find_drift() == "", "a reset has put this one there"


def test_hints_that_were_taken_are_known_again_and_a_lessons_standing_says_all(stage: LiveStage) -> None:
    progress.pass_step("default", SCALING, FIRST)
    stage.open("scaling")
    stage.take_hint(SECOND, "pointer")
    stage.take_hint(SECOND, "pointer")
    stage.open("scaling")
    assert stage.journal.world.lesson.hints[("scaling", SECOND)] == {"pointer"}
    standing = stage.standings()["scaling"]
    assert standing == Standing(frozenset({FIRST}), frozenset({FIRST}), hints=1, last=True)
    other = stage.standings()["secrets"]
    assert (other.passed, other.last) == (frozenset(), False)


def test_a_lesson_that_needs_more_than_there_is_says_so(swarm: tuple[InstantSwarm, DoubleCluster]) -> None:
    needs = SCALING.needs.model_copy(update={"nodes": 3, "managers": 3})
    few = DoubleCluster(swarm[0], swarm[1].engines[:2])
    stage = LiveStage(few, typing=0.0, lessons=(SCALING.model_copy(update={"needs": needs}),))
    try:
        assert stage.standings()["scaling"].lacks == "needs 3 nodes, and this cluster has 2"
    finally:
        stage.close()


def test_after_a_step_that_failed_the_cluster_is_saved_again(stage: LiveStage) -> None:
    wanted: list[tuple[str, str]] = []

    class Saver:
        def want(self, lesson: str, step: str) -> None:
            wanted.append((lesson, step))

        def close(self) -> None: ...

    stage.open("scaling")
    stage._saver = Saver()  # type: ignore[assignment]
    stage.driver.run = _fails  # type: ignore[assignment]
    stage.play(FIRST)
    wait_until("the step failed", 20, lambda: "" if _state(stage) == "failed" else "not yet")
    assert wanted == [("", ""), ("scaling", FIRST)]


def _state(stage: LiveStage) -> str:
    record = stage.journal.world.lesson.steps.get(("scaling", FIRST))
    return record.state if record is not None else ""


def _fails(*_: object, **__: object) -> None:
    raise LabError("no shell")
