"""Lessons prepared ahead: what is saved, what is passed over, how much room that needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, cast

import pytest

from lab.cluster import api
from lab.cluster.model import Progress
from lab.cluster.vm.snapshot import budget, store
from lab.errors import InputError, LabError
from lab.session import prepare as module
from lab.session import reset_to as reset
from lab.session.cluster_driver import ClusterDriver
from lab.session.prepare import prepare, starts_of
from tests.course import LESSONS
from tests.unit.test_cluster_snapshots import record, saved
from tests.unit.test_session_reset import SCALING, Machines, Saved, a_snapshot, put_back


class Room(Saved):
    """Snapshots that note what room is asked for."""

    def __init__(self, *found: Any) -> None:
        super().__init__(*found)
        self.asked: list[int] = []

    def expect_room(self, size: int) -> None:
        self.asked.append(size)


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Machines:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    driver = Machines()
    driver.own.snapshots = Room()

    @contextmanager
    def opened(name: str, *, look: bool, events: bool) -> Iterator[ClusterDriver]:
        yield cast(ClusterDriver, driver)

    def save(driver: Any, name: str, kind: str, *, about: dict[str, str], report: Any) -> None:
        driver.own.snapshots.found += (a_snapshot(driver, name, digest=about["digest"]),)

    monkeypatch.setattr(module, "open_driver", opened)
    monkeypatch.setattr(api, "at_work", lambda *_: nullcontext())
    monkeypatch.setattr(reset, "save", save)
    return driver


def test_what_is_saved_already_is_passed_over_so_that_an_interrupted_one_goes_on(machines: Machines) -> None:
    told: list[Progress] = []
    done = prepare("default", [(SCALING, None)], report=told.append)
    assert [(each.to, each.seconds >= 0) for each in done] == [("scaling", True)]
    assert [each.name for each in cast(Room, machines.own.snapshots).found] == ["scaling.start"]
    assert "1 start to save, about 600 MB" in told[0].text
    again = prepare("default", [(SCALING, None)], report=told.append)
    assert [(each.to, each.seconds) for each in again] == [("scaling", 0.0)]
    assert cast(Room, machines.own.snapshots).asked == [600_000_000, 0]
    assert put_back(machines, by="snapshot").by == "snapshot"


def test_with_the_steps_every_start_is_named_once() -> None:
    lesson = LESSONS[0]
    assert [step for _, step in starts_of([lesson], steps=True)] == [None, *(s.id for s in lesson.steps[1:])]
    assert [step for _, step in starts_of([lesson], steps=False)] == [None]


def test_without_snapshots_it_says_so(machines: Machines) -> None:
    machines.own.snapshots = None
    with pytest.raises(InputError, match="has no snapshots"):
        prepare("default", [(SCALING, None)])


def test_more_than_is_allowed_is_told_before_anything_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parent = tmp_path / "snapshots"
    saved(parent, record("mine"), 4096)
    monkeypatch.setenv(budget.VARIABLE, "1")
    budget.expect_room(parent, 900_000_000)
    with pytest.raises(LabError, match=r"need about 1\.0 GB, and only 1\.0 GB are allowed") as caught:
        budget.expect_room(parent, 10**9)
    assert budget.VARIABLE in caught.value.remedy
    assert [one.name for _, one in store.read_all(parent)] == ["mine"]
