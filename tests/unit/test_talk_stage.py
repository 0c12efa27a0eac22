"""A talk's stage: live where the cluster does it in time, else the recording of that very step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from lab import paths
from lab.errors import EngineError, LabError
from lab.lesson.course import SYLLABUS, load_syllabus
from lab.lesson.talk import Talk, find_talk
from lab.session.replay import ReplayStage
from lab.session.talk import talk_stage
from lab.session.talk.talk_stage import TalkStage
from lab.wait import wait_until
from lab.world.entries import ManagerLink
from tests.course import LESSONS
from tests.doubles.talk_source import BOUND, Cluster


@pytest.fixture
def talk() -> Talk:
    syllabus = load_syllabus(paths.lessons() / SYLLABUS)
    return find_talk(["reconciliation:declare", "reconciliation:load", "scaling"], LESSONS, syllabus.paths)


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    cluster = Cluster()
    yield cluster
    cluster.stop()


def stage_on(talk: Talk, found: Callable[[], Cluster] | None, *, auto: bool = False) -> TalkStage:
    return TalkStage(talk, ReplayStage(speed=None), found, auto=auto)


def test_a_step_that_passes_is_live_and_the_next_one_goes_on_from_it(talk: Talk, cluster: Cluster) -> None:
    stage = stage_on(talk, lambda: cluster)
    stage.arrive(0)
    assert stage.status.live
    assert stage.journal is cluster.journal
    assert stage.play(0)
    stage.arrive(1)
    assert cluster.did == ["reset declare", "play declare"]  # nothing is put back between two steps of a lesson
    assert stage.play(1)
    stage.arrive(2)
    assert cluster.did[-1] == f"reset {talk.slides[2].step.id}"


def test_a_step_left_out_has_the_next_one_begin_from_its_own_start(talk: Talk, cluster: Cluster) -> None:
    stage = stage_on(talk, lambda: cluster)
    stage.arrive(0)
    stage.play(0)
    stage.arrive(3)
    assert cluster.did[-1] == f"reset {talk.slides[3].step.id}"


def test_back_takes_the_cluster_back(talk: Talk, cluster: Cluster) -> None:
    stage = stage_on(talk, lambda: cluster)
    stage.arrive(0)
    stage.play(0)
    stage.arrive(0)
    assert cluster.did == ["reset declare", "play declare", "reset declare"]


def test_a_step_that_fails_waits_for_the_speaker(talk: Talk, cluster: Cluster) -> None:
    cluster.verdict = lambda _: "web has 2 of 3 tasks"
    stage = stage_on(talk, lambda: cluster)
    stage.arrive(0)
    assert not stage.play(0)
    assert stage.status.trouble == "web has 2 of 3 tasks"
    assert stage.status.live
    assert stage.play_recording(0)
    assert not stage.status.live
    assert stage.title.startswith("REPLAY")


def test_with_auto_a_step_that_fails_goes_on_with_its_recording(talk: Talk, cluster: Cluster) -> None:
    cluster.verdict = lambda _: "web has 2 of 3 tasks"
    stage = stage_on(talk, lambda: cluster, auto=True)
    stage.arrive(0)
    assert stage.play(0)
    assert not stage.status.live
    record = stage.journal.world.lesson.steps["reconciliation", "declare"]
    assert record.state == "passed"


def test_after_a_recording_the_next_step_is_live_again_from_its_own_start(talk: Talk, cluster: Cluster) -> None:
    cluster.verdict = lambda step: "no" if step == "declare" else ""
    stage = stage_on(talk, lambda: cluster, auto=True)
    stage.arrive(0)
    stage.play(0)
    stage.arrive(1)
    assert stage.status.live
    assert cluster.did[-1] == "reset load"


def test_with_auto_a_step_that_is_late_is_stopped_and_goes_on_with_its_recording(
    talk: Talk, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk_stage, "GRACE", 0.2)
    cluster.hangs.set()
    stage = TalkStage(
        talk, ReplayStage(speed=None), lambda: cluster, auto=True, seconds={s.id: 0.0 for s in talk.slides}
    )
    stage.arrive(0)
    assert stage.play(0)
    assert not stage.status.live
    assert cluster.stopped.wait(BOUND)


def test_a_step_that_is_late_says_so_and_goes_on_when_asked(
    talk: Talk, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk_stage, "GRACE", 0.0)
    cluster.hangs.set()
    overdue = threading.Event()
    stage = TalkStage(talk, ReplayStage(speed=None), lambda: cluster, seconds={s.id: 0.0 for s in talk.slides})
    stage.changed = lambda: overdue.set() if stage.status.overdue else None
    stage.arrive(0)
    passed: list[bool] = []
    thread = threading.Thread(target=lambda: passed.append(stage.play(0)))
    thread.start()
    assert overdue.wait(BOUND)
    stage.fall_back()
    thread.join(BOUND)
    assert passed == [True]
    assert not stage.status.live


def test_with_auto_a_silent_cluster_is_not_waited_for(
    talk: Talk, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk_stage, "SILENCE", 0.1)
    stage = stage_on(talk, lambda: cluster, auto=True)
    stage.arrive(0)
    cluster.hangs.set()
    cluster.journal.write(ManagerLink("stale", "node1", "node1 does not answer"))
    assert stage.play(0)
    assert not stage.status.live


def test_without_a_cluster_the_recording_is_in_sight_and_says_why(talk: Talk) -> None:
    def none() -> Cluster:
        raise EngineError("no manager answers", remedy="swarmlab up")

    stage = stage_on(talk, none)
    stage.arrive(0)
    assert not stage.status.live
    assert "no manager answers" in stage.status.trouble
    assert stage.play(0)
    assert stage.journal.world.lesson.steps["reconciliation", "declare"].state == "passed"


def test_a_cluster_that_comes_later_is_used_from_the_step_that_is_in_sight(talk: Talk, cluster: Cluster) -> None:
    there: list[Cluster] = []

    def find() -> Cluster:
        if not there:
            raise LabError("not yet")
        return there[0]

    stage = stage_on(talk, find)
    stage.arrive(1)
    there.append(cluster)
    stage.arrive(1)
    assert stage.status.live
    assert cluster.did == ["reset load"]


def test_a_cluster_that_cannot_be_put_back_is_looked_for_anew(talk: Talk, cluster: Cluster) -> None:
    other = Cluster()
    there = [other, cluster]
    stage = stage_on(talk, lambda: there.pop())
    stage.arrive(0)

    def refuse(step: str = "") -> str:
        raise EngineError("no manager answers")

    cluster.reset = refuse  # type: ignore[method-assign]
    stage.arrive(1)
    assert not stage.status.live
    assert "no manager answers" in stage.status.trouble
    wait_until("nothing is under way", BOUND, lambda: "" if stage.unused else "the cluster is left")
    stage.arrive(1)
    assert stage.journal is other.journal
    assert "close" in cluster.did


def test_whatever_breaks_on_the_cluster_the_talk_goes_on(talk: Talk, cluster: Cluster) -> None:
    def broken(_: str) -> str:
        raise ZeroDivisionError

    cluster.verdict = broken
    stage = stage_on(talk, lambda: cluster, auto=True)
    stage.arrive(0)
    assert stage.play(0)
    assert not stage.status.live


def test_what_is_in_sight_gets_the_view_and_the_size_when_it_changes(talk: Talk, cluster: Cluster) -> None:
    stage = stage_on(talk, lambda: cluster)
    stage.show("load")
    stage.resize(100, 9)
    stage.arrive(0)
    assert {"show load", "resize 100x9"} <= set(cluster.told)
    stage.keys("ls")
    assert cluster.did[-1] == "keys ls"
    stage.close()
    assert "close" in cluster.did


def test_a_step_without_a_recording_says_so(talk: Talk) -> None:
    lesson = talk.slides[0].lesson.model_copy(update={"id": "unrecorded"})
    other = replace(talk, slides=(replace(talk.slides[0], lesson=lesson),))
    stage = stage_on(other, None)
    stage.arrive(0)
    assert not stage.play(0)
    assert stage.status.trouble == "there is no recording of the lesson unrecorded"
