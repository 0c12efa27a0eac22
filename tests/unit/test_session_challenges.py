"""Challenges on a live stage: what is listed is what is begun, and one that cannot be broken leaves the lesson open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest

from lab.cluster import api
from lab.errors import InputError, LabError
from lab.lesson import progress
from lab.lesson.challenge import STEP
from lab.lesson.find_challenge import challenges
from lab.session import live
from lab.session.live import LiveStage
from lab.session.reset_to import Done
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import fake_cluster

ONE, TWO = sorted(challenges())[:2]


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of what was broken: the model of a swarm runs none of the commands that break it."""
    done: list[str] = []
    monkeypatch.setattr(live, "reset_to", lambda *_: Done("", (), (), 0.0))
    monkeypatch.setattr(live, "break_silently", lambda _, lesson, step: done.append(lesson.id))
    return done


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveStage]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "at_work", lambda *_: nullcontext())
    with fake_cluster() as (swarm, engines):
        opened = LiveStage(DoubleCluster(swarm, engines))
        try:
            yield opened
        finally:
            opened.close()


def test_what_is_listed_is_what_is_begun_and_is_kept(stage: LiveStage, broken: list[str]) -> None:
    listed = {each.challenge: each for each in stage.challenges()}
    assert not listed[ONE].begun and progress.find_seed(stage.cluster.name, ONE) is None
    assert {each.challenge: each.seed for each in stage.challenges()}[ONE] == listed[ONE].seed
    stage.open("first-service")
    begun = stage.begin(ONE)
    assert begun == listed[ONE].lesson and broken == [begun.id]
    assert stage.journal.world.lesson.id == begun.id
    assert progress.last_lesson(stage.cluster.name) == "first-service", "the lab comes back to the course"
    now = {each.challenge: each for each in stage.challenges()}
    assert (now[ONE].begun, now[ONE].repaired, now[TWO].begun) == (True, False, False)
    progress.pass_step(stage.cluster.name, begun, STEP)
    assert next(each for each in stage.challenges() if each.challenge == ONE).repaired


def test_other_values_are_drawn_when_they_are_asked_for(stage: LiveStage, broken: list[str]) -> None:
    begun = {stage.begin(ONE).id} | {stage.begin(ONE, new=True).id for _ in range(3)}
    assert len(begun) > 1 and set(broken) == begun
    assert f"{ONE}-{progress.find_seed(stage.cluster.name, ONE)}" == broken[-1]


def test_one_that_cannot_be_broken_leaves_the_lesson_open(stage: LiveStage, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise LabError("it was not broken")

    monkeypatch.setattr(live, "reset_to", fail)
    stage.open("scaling")
    with pytest.raises(LabError, match="it was not broken"):
        stage.begin(ONE)
    assert stage.journal.world.lesson.id == "scaling"
    assert progress.find_seed(stage.cluster.name, ONE) is None
    with pytest.raises(InputError, match="there is no challenge c-nothing"):
        stage.begin("c-nothing")
