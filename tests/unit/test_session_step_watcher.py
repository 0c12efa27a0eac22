"""The step whose page is shown, on a live stage: what brings its state is noticed, whatever else goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from lab.cluster import api
from lab.cluster.model import Report, silent
from lab.cluster.snapshot import Kind, Snapshot, Snapshots
from lab.lesson.model import Lesson
from lab.session.live import LiveStage
from tests.builders import lesson_of
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import InstantSwarm, fake_cluster
from tests.unit.test_run_runner import UP

BOUND = 60.0
LESSON = lesson_of(UP, {**UP, "id": "further", "run": "docker service scale web=5"})


class Slow:
    """Snapshots of a cluster, of which each takes until the test lets it end."""

    def __init__(self) -> None:
        self.found: list[Snapshot] = []
        self.begun, self.let_go = threading.Event(), threading.Event()

    def all(self) -> tuple[Snapshot, ...]:
        return tuple(self.found)

    def take(
        self,
        name: str,
        kind: Kind,
        *,
        services: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
        report: Report = silent,
    ) -> Snapshot:
        self.begun.set()
        self.let_go.wait(BOUND)
        self.found.append(Snapshot(name, kind, datetime.now(UTC), 1, about=about or {}))
        return self.found[-1]

    def pack(self, name: str) -> None:
        pass

    def remove(self, name: str) -> None:
        self.found = [each for each in self.found if each.name != name]


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[InstantSwarm, DoubleCluster]]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(api, "at_work", lambda *_: nullcontext())
    with fake_cluster() as (swarm, engines):
        swarm.create("web", 2)
        yield swarm, DoubleCluster(swarm, engines)


def await_opened(stage: LiveStage, lesson: Lesson, step: str) -> None:
    place = (lesson.id, step, 0)
    assert stage.journal.wait(lambda world: place in world.lesson.verdicts, BOUND), "the step is watched"


def await_passed(stage: LiveStage, lesson: Lesson, step: str) -> None:
    def passed(world: object) -> bool:
        record = stage.journal.world.lesson.steps.get((lesson.id, step))
        return record is not None and record.state == "passed"

    assert stage.journal.wait(passed, BOUND), stage.journal.world.lesson


def test_a_step_passes_while_the_cluster_is_being_saved(swarm: tuple[InstantSwarm, DoubleCluster]) -> None:
    model, cluster = swarm
    slow = Slow()
    cluster.snapshots = cast(Snapshots, slow)  # type: ignore[assignment]
    stage = LiveStage(cluster, lessons=(LESSON,), saves=True)
    try:
        stage.open(LESSON.id)
        stage.show_step("up")
        await_opened(stage, LESSON, "up")
        assert slow.begun.wait(BOUND)
        model.scale("web", 4)
        await_passed(stage, LESSON, "up")
    finally:
        slow.let_go.set()
        stage.close()


def test_what_no_event_told_is_noticed_too(swarm: tuple[InstantSwarm, DoubleCluster]) -> None:
    model, cluster = swarm
    stage = LiveStage(cluster, lessons=(LESSON,))
    try:
        stage.open(LESSON.id)
        stage.show_step("up")
        await_opened(stage, LESSON, "up")
        model.scale("web", 4, told=False)
        await_passed(stage, LESSON, "up")
        stage.show_step("further")
        await_opened(stage, LESSON, "further")
        stage.show_step("")
    finally:
        stage.close()
