"""Snapshots on disk, without machines: what is listed, what fits, what goes when there is no room."""

from __future__ import annotations

import os
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab import paths
from lab.cli import snapshots as listing
from lab.cluster.snapshot import Kind, Snapshot, check_snapshot_name
from lab.cluster.vm.snapshot import budget, fits, memory, restore, store, up_template
from lab.cluster.vm.snapshot.store import NodeRecord, Record
from lab.errors import InputError, LabError

KEYS = ("machines", "swarm")
NOW = datetime.now(UTC)


def record(name: str, kind: Kind = "own", *, age: float = 0.0, machines: str = KEYS[0], swarm: str = KEYS[1]) -> Record:
    return Record(
        name=name,
        kind=kind,
        created=NOW - timedelta(hours=age),
        machines=machines,
        swarm=swarm,
        nodes=(NodeRecord(name="node1"),),
    )


def saved(parent: Path, one: Record, size: int = 1000) -> Path:
    folder = store.begin(parent)
    (folder / "node1.memory").write_bytes(b"x" * size)
    return store.finish(folder, one)


@pytest.fixture
def parent(tmp_path: Path) -> Path:
    return tmp_path / "state" / "snapshots"


def names(parent: Path) -> list[str]:
    return [one.name for _, one in store.read_all(parent)]


def test_they_are_listed_oldest_first_and_only_when_they_are_whole(parent: Path) -> None:
    saved(parent, record("young"))
    saved(parent, record("old", age=5))
    half = store.begin(parent)
    (half / "node1.memory").write_bytes(b"x")
    (parent / "damaged").mkdir()
    (parent / "damaged" / store.RECORD).write_text("{")
    (parent / "link").symlink_to(parent / "young")
    assert names(parent) == ["old", "young"]
    store.delete_unfinished(parent)
    assert not half.exists()


def test_one_of_the_same_name_takes_the_place_of_the_older(parent: Path) -> None:
    saved(parent, record("mine", age=1))
    saved(parent, record("mine"), size=5)
    assert [(one.name, one.created) for _, one in store.read_all(parent)] == [("mine", NOW)]
    assert [path.name for path in parent.iterdir()] == ["mine"]


def test_nobody_else_can_read_one(parent: Path) -> None:
    folder = saved(parent, record("mine"))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / store.RECORD).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (record("a"), ""),
        (record("a", machines="others"), "other machines"),
        (record("a", swarm="others"), "another swarm"),
        (record("a", age=24 * 79), ""),
        (record("a", age=24 * 81), "certificates"),
        (record("a", age=-24), ""),
    ],
)
def test_what_does_not_fit_says_why(one: Record, why: str) -> None:
    said = fits.why_unfit(one, *KEYS)
    assert (said == "") if not why else (why in said)


def test_the_key_changes_with_whatever_the_memory_depends_on() -> None:
    same = fits.machines_key("base-1", 4, "tcg", 1024, outward=False)
    assert same == fits.machines_key("base-1", 4, "tcg", 1024, outward=False)
    others = {
        fits.machines_key("base-2", 4, "tcg", 1024, outward=False),
        fits.machines_key("base-1", 3, "tcg", 1024, outward=False),
        fits.machines_key("base-1", 4, "kvm", 1024, outward=False),
        fits.machines_key("base-1", 4, "tcg", 2048, outward=False),
        fits.machines_key("base-1", 4, "tcg", 1024, outward=True),
    }
    assert len(others) == 5
    assert same not in others


def test_a_template_is_used_until_it_is_too_old_and_then_no_more() -> None:
    folder = paths.cache() / up_template.FOLDER
    saved(folder, record("machines", "template", age=24))
    assert up_template.find("machines") is not None
    assert not up_template.is_too_old("machines")
    saved(folder, record("machines", "template", age=24 * 81))
    assert up_template.find("machines") is None
    assert up_template.is_too_old("machines")
    assert not up_template.is_too_old("other machines")


def test_when_there_is_no_room_the_unfit_go_first_then_the_steps_then_the_oldest_and_never_ones_own(
    parent: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = 1_000_000
    for one in (
        record("mine", age=9),
        record("start", "checkpoint", age=8),
        record("step-1", "step", age=7),
        record("step-2", "step", age=6),
        record("foreign", "checkpoint", age=1, swarm="others"),
    ):
        saved(parent, one, each)
    size = max(store.size_of(folder) for folder, _ in store.read_all(parent))
    left = []
    for room in (5, 4, 3, 2):
        monkeypatch.setenv(budget.VARIABLE, f"{room * size / 1e9 + 1e-7:.9f}")
        budget.make_room(parent, KEYS, 1)
        left.append(names(parent))
    assert left == [
        ["mine", "start", "step-1", "step-2"],
        ["mine", "start", "step-2"],
        ["mine", "start"],
        ["mine"],
    ]
    monkeypatch.setenv(budget.VARIABLE, f"{size / 1e9 + 1e-7:.9f}")
    with pytest.raises(LabError, match="GB are allowed") as caught:
        budget.make_room(parent, KEYS, 1)
    assert "--remove" in caught.value.remedy
    assert names(parent) == ["mine"]


@pytest.mark.parametrize("said", ["lots", "-1", "nan", "1e9", "8 GB"])
def test_a_room_that_is_no_number_is_told(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(budget.VARIABLE, said)
    with pytest.raises(InputError, match=budget.VARIABLE):
        budget.budget()


@given(st.binary(max_size=5000))
def test_a_memory_comes_back_as_it_was(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("m") / "node1.memory"
    path.write_bytes(data)
    packed = memory.compress(path)
    assert not path.exists()
    with os.fdopen(memory.open_memory(packed), "rb") as read:
        assert read.read() == data


def test_whoever_stops_reading_does_not_end_the_program(tmp_path: Path) -> None:
    path = tmp_path / "node1.memory"
    path.write_bytes(bytes(range(256)) * 50_000)
    with os.fdopen(memory.open_memory(memory.compress(path)), "rb") as read:
        assert read.read(10) == bytes(range(10))


@pytest.mark.parametrize("name", ["", "Über", "a/b", "..", "-x", "a" * 42, "with space"])
def test_a_name_is_a_word(name: str) -> None:
    with pytest.raises(InputError, match="not a valid name for a snapshot"):
        check_snapshot_name(name)


def test_the_list_says_what_runs_and_what_cannot_be_restored() -> None:
    one = Snapshot("before-lunch", "own", NOW - timedelta(minutes=90), 1_200_000_000, ("web", "shop"))
    other = Snapshot("odd", "step", NOW - timedelta(days=3), 5_000_000, unfit="is of another swarm")
    lines = listing.list_lines((other, one), NOW)
    assert lines[0].split() == ["NAME", "KIND", "SIZE", "AGE", "RUNS"]
    assert "before-lunch  yours          1.2 GB  1 h" in lines[2]
    assert lines[2].endswith("web, shop")
    assert "cannot be restored: it is of another swarm" in lines[1]
    assert lines[-1] == "1.2 GB in all"
    assert listing.list_lines((), NOW) == ["There are no snapshots. swarmlab snapshot NAME makes one."]


def test_a_kill_while_one_takes_the_place_of_another_loses_neither(parent: Path) -> None:
    old = saved(parent, record("mine", age=1))
    old.replace(parent / ".old-mine")  # killed between the two renames
    half = store.begin(parent)
    store.delete_unfinished(parent)
    assert names(parent) == ["mine"]
    assert not half.exists()
    saved(parent, record("mine"))
    (parent / ".old-mine").mkdir()  # killed before the old one was deleted
    store.delete_unfinished(parent)
    assert [path.name for path in parent.iterdir()] == ["mine"]


def test_only_a_machine_that_was_saved_with_a_fault_is_asked_to_end_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, str]] = []

    class Asked:
        def __init__(self, node: str) -> None:
            self.node = node

        def send(self, word: str, value: str = "") -> None:
            asked.append((self.node, word))

        def await_done(self, word: str) -> None:
            asked.append((self.node, f"done {word}"))

    monkeypatch.setattr("lab.cluster.vm.agent.connect", lambda folder: nullcontext(Asked(folder.name)))
    monkeypatch.setattr(memory, "resume_all", lambda folders: asked.append((str(len(folders)), "go on")))
    restore.go_on({tmp_path / "node1": False, tmp_path / "node2": True})
    assert asked == [
        ("node1", "clock"),
        ("node2", "clock"),
        ("node2", "mend"),
        ("2", "go on"),
        ("node1", "done clock"),
        ("node2", "done mend"),
    ]


def test_a_record_of_an_earlier_version_may_hold_a_fault() -> None:
    assert NodeRecord.model_validate({"name": "node1", "on": True, "cut": False}).broken
