"""What was passed and what was made: kept whole, read however damaged."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab import json_store
from lab.errors import LabError
from lab.lesson import progress
from lab.lesson.checkpoint import Patch
from lab.lesson.course import load_course
from lab.reset import ownership
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Service, ServiceSpec, SwarmObject
from lab.world.world import World, fold

LESSON = load_course()[0]
IDS = [step.id for step in LESSON.steps]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    return tmp_path


def test_it_picks_up_where_you_were() -> None:
    assert progress.passed_steps("lab", LESSON) == ()
    assert progress.last_lesson("lab") == ""
    progress.record_opened("lab", LESSON.id)
    progress.pass_step("lab", LESSON, IDS[1])
    progress.pass_step("lab", LESSON, IDS[0])
    progress.pass_step("lab", LESSON, "a-step-that-is-no-more")
    assert progress.passed_steps("lab", LESSON) == (IDS[0], IDS[1])
    assert progress.last_lesson("lab") == LESSON.id
    assert progress.passed_steps("other", LESSON) == ()
    progress.forget_step("lab", LESSON, IDS[1])
    assert progress.passed_steps("lab", LESSON) == (IDS[0],)
    progress.forget_step("lab", LESSON)
    assert progress.passed_steps("lab", LESSON) == ()
    for id in IDS:
        progress.pass_step("lab", LESSON, id)
    assert progress.passed_steps("lab", LESSON) == tuple(IDS)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    raw=st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b"[]", b"{", b'{"passed": 3, "last": []}', b'{"passed": {"first-service": 1}}', b"[" * 9999]),
    )
)
def test_damage_is_read_as_nothing_and_mended_by_the_next_write(raw: bytes) -> None:
    path = json_store.store_path("progress", "lab")
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(raw)
    assert progress.passed_steps("lab", LESSON) == ()
    assert progress.last_lesson("lab") == ""
    progress.pass_step("lab", LESSON, IDS[0])
    assert progress.passed_steps("lab", LESSON) == (IDS[0],)


def test_a_damaged_file_is_kept_beside() -> None:
    path = json_store.store_path("progress", "lab")
    path.parent.mkdir()
    path.write_text("half of a fi")
    progress.record_opened("lab", LESSON.id)
    assert path.with_suffix(".damaged").read_text() == "half of a fi"


def test_two_writers_lose_nothing() -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda id: progress.pass_step("lab", LESSON, id), IDS * 4))
    assert progress.passed_steps("lab", LESSON) == tuple(IDS)
    assert sorted(p.name for p in json_store.store_path("progress", "lab").parent.iterdir()) == ["lab.json", "lab.lock"]


def test_a_folder_that_cannot_be_written_is_told(state: Path) -> None:
    (state / "progress").write_text("a file where the folder should be")
    with pytest.raises(LabError, match="cannot be made"):
        progress.record_opened("lab", LESSON.id)


def test_the_ledger_has_what_a_step_made_and_says_it_leaves() -> None:
    since = fold(
        World(), Entry(0, SwarmChanged("n", services=(Service("old", "web", ServiceSpec("x"), 1),), first=True))
    )
    new = (Service("new", "api", ServiceSpec("x"), 1), Service("theirs", "other", ServiceSpec("x"), 1))
    world = fold(since, Entry(1, SwarmChanged("n", services=new, named=(SwarmObject("secret", "k", "KEY"),))))
    leaves = Patch.model_validate({"services": {"api": {"image": "x"}, "web": {}}, "secrets": {"KEY": {"text": "x"}}})
    assert ownership.created_ids(since, world, leaves) == ("new", "k")
    assert ownership.created_ids(since, world, None) == ()
    ownership.record_ids("lab", ("new", "k"))
    ownership.record_ids("lab", ("k", "more"))
    ownership.record_ids("lab", ())
    assert ownership.owned_ids("lab") == {"new", "k", "more"}
    assert ownership.owned_ids("other") == frozenset()


def test_what_was_done_and_the_hints_that_were_taken_survive_a_reset() -> None:
    progress.pass_step("lab", LESSON, IDS[0], "monday")
    for hint in ("0", "pointer", "0"):
        progress.take_hint("lab", LESSON, IDS[1], hint)
    progress.take_hint("lab", LESSON, "a-step-that-is-no-more", "0")
    progress.forget_step("lab", LESSON)
    record = progress.read_record("lab", LESSON)
    assert record == progress.Record(frozenset(), frozenset(IDS[:1]), {IDS[1]: ("0", "pointer")}, "monday")
    progress.record_cluster("lab", LESSON, "tuesday")
    assert progress.read_record("lab", LESSON).cluster == "tuesday"
    assert progress.read_record("lab", LESSON.model_copy(update={"version": 2})) == progress.Record()


def test_a_file_from_before_more_was_kept_is_read() -> None:
    path = json_store.store_path("progress", "lab")
    path.parent.mkdir()
    path.write_text(json.dumps({"last": LESSON.id, "passed": {LESSON.id: IDS[:2]}}))
    record = progress.read_record("lab", LESSON)
    assert record == progress.Record(frozenset(IDS[:2]), frozenset(IDS[:2]))


def test_progress_in_another_version_of_a_lesson_is_not_progress_in_this_one() -> None:
    progress.pass_step("lab", LESSON, IDS[0])
    other = LESSON.model_copy(update={"version": 2})
    assert progress.passed_steps("lab", other) == ()
    progress.pass_step("lab", other, IDS[1])
    assert progress.passed_steps("lab", other) == (IDS[1],)
    assert progress.passed_steps("lab", LESSON) == ()


def test_progress_from_before_versions_were_kept_is_of_the_first() -> None:
    path = json_store.store_path("progress", "lab")
    path.parent.mkdir(exist_ok=True)
    path.write_text(f'{{"last": "{LESSON.id}", "passed": {{"{LESSON.id}": ["{IDS[0]}"]}}}}')
    assert progress.passed_steps("lab", LESSON) == (IDS[0],)
    assert progress.passed_steps("lab", LESSON.model_copy(update={"version": 2})) == ()
    progress.pass_step("lab", LESSON, IDS[1])
    assert progress.passed_steps("lab", LESSON) == (IDS[0], IDS[1])
