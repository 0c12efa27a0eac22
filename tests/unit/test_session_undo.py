"""A step taken back: which snapshot that takes, what it forgets, when the cluster is saved, and a replay's way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from lab.cluster.snapshot import Kind, Snapshot
from lab.errors import BusyError, InputError
from lab.session import step_snapshots
from lab.session.cluster_driver import ClusterDriver
from lab.session.replay import ReplayStage
from lab.session.step_snapshots import (
    BEGUN,
    SWARM,
    find_under_way,
    find_undo,
    fingerprint,
    forget_from,
    name_before,
    take_back,
)
from lab.wait import wait_until
from lab.world.entries import ActDone, CommandBegan, CommandEnded, Entry, ManagerLink, SwarmChanged
from lab.world.journal import Journal
from lab.world.world import World, fold, fold_all
from tests.builders import first_look, service, task
from tests.course import LESSONS

LESSON = next(lesson for lesson in LESSONS if len(lesson.steps) > 3)
FIRST, SECOND, THIRD = (step.id for step in LESSON.steps[:3])
BOTH = {FIRST, SECOND}
NOW = datetime.now(UTC)
WORLD = fold_all([Entry(0.0, ManagerLink("live", "node1")), Entry(0.0, first_look(service()))])
STILL = fold_all(
    [Entry(0.0, ManagerLink("live", "node1")), Entry(0.0, first_look(service(desired=1), tasks=[task(1)]))]
)
CHANGED = fold_all([Entry(0.0, ManagerLink("live", "node1")), Entry(0.0, first_look(service(desired=5)))])


class Kept:
    """A cluster's snapshots, in memory."""

    def __init__(self, *found: Snapshot) -> None:
        self.found = list(found)

    def all(self) -> tuple[Snapshot, ...]:
        return tuple(self.found)

    def pack(self, name: str) -> None:
        pass

    def remove(self, name: str) -> None:
        self.found = [each for each in self.found if each.name != name]


def before(
    step: str, age: float, *, lesson: str = LESSON.id, kind: Kind = "step", unfit: str = "", swarm: World = WORLD
) -> Snapshot:
    about = {"lesson": lesson, "step": step, SWARM: fingerprint(swarm)}
    return Snapshot(name_before(lesson, step), kind, NOW - timedelta(minutes=age), 1, about=about, unfit=unfit)


def driver(*found: Snapshot, world: World = WORLD) -> Any:
    kept = Kept(*found)
    restored: list[str] = []
    return SimpleNamespace(
        cluster=SimpleNamespace(snapshots=kept, provider="vm", name="default"),
        restored=restored,
        restore=restored.append,
        look=lambda: None,
        kept=kept,
        journal=Journal(world=world),
    )


def test_it_takes_the_newest_from_before_that_step() -> None:
    one = driver(before(FIRST, 9), before(SECOND, 5), before(THIRD, 1))
    assert find_undo(cast(ClusterDriver, one), LESSON, BOTH).step == SECOND
    assert find_undo(cast(ClusterDriver, one), LESSON, {FIRST}).step == FIRST


def test_where_that_one_is_missing_it_goes_further_back_and_never_forward() -> None:
    one = driver(before(FIRST, 9), before(SECOND, 5, unfit="is of another swarm"), before(THIRD, 1))
    assert find_undo(cast(ClusterDriver, one), LESSON, BOTH).step == FIRST


@pytest.mark.parametrize(
    "found",
    [(), (before(THIRD, 1),), (before(FIRST, 1, lesson="another"),), (before(FIRST, 1, kind="own"),)],
    ids=["none", "later", "of another lesson", "somebody's own"],
)
def test_what_does_not_reach_back_is_told_with_the_way_by_a_reset(found: tuple[Snapshot, ...]) -> None:
    with pytest.raises(InputError, match="cannot be taken back") as caught:
        find_undo(cast(ClusterDriver, driver(*found)), LESSON, BOTH)
    assert f"swarmlab reset --to {LESSON.id}:{SECOND}" in caught.value.remedy


def test_what_was_changed_by_hand_is_taken_back_first_and_then_the_step() -> None:
    one = driver(before(FIRST, 9), before(SECOND, 5), world=CHANGED)
    one.journal.write(CommandBegan(1, "node1", "docker service scale web=5", ""))
    by_hand = find_undo(cast(ClusterDriver, one), LESSON, {FIRST})
    assert (by_hand.step, by_hand.by_hand) == (SECOND, True)
    assert by_hand.sentence == "before `docker service scale web=5`"
    one.journal.write(CommandBegan(2, "node1", "docker service ls", ""))
    assert find_undo(cast(ClusterDriver, one), LESSON, {FIRST}).command == "docker service scale web=5", (
        "the first since"
    )
    back = driver(before(FIRST, 9), before(SECOND, 5))
    step = find_undo(cast(ClusterDriver, back), LESSON, {FIRST})
    assert (step.step, step.by_hand, step.sentence) == (FIRST, False, f"before the step {FIRST}")


def test_several_changes_by_hand_before_one_step_are_taken_back_one_by_one() -> None:
    every = (before(FIRST, 9), replace(before(FIRST, 5, swarm=CHANGED), name=name_before(LESSON.id, FIRST, 2)))
    at_second = driver(*every, world=CHANGED)
    assert find_undo(cast(ClusterDriver, at_second), LESSON, ()).snapshot == every[0]
    with pytest.raises(InputError, match="nothing was changed"):
        find_undo(cast(ClusterDriver, driver(*every[:1])), LESSON, ())


def test_a_step_out_of_order_is_taken_back_by_what_was_saved_before_it() -> None:
    """What was saved later, before a step that comes earlier, has it in it."""
    third_done = replace(before(SECOND, 1), about={**before(SECOND, 1).about, BEGUN: f"{FIRST},{THIRD}"})
    one = driver(before(FIRST, 9), before(SECOND, 5), third_done)
    undo = find_undo(cast(ClusterDriver, one), LESSON, {FIRST, THIRD})
    assert (undo.snapshot.about.get(BEGUN), undo.taken) == (None, (THIRD,))


def test_what_another_lesson_did_is_not_taken_back_as_done_by_hand() -> None:
    one = driver(before(FIRST, 9), before(FIRST, 1, lesson="another"), world=CHANGED)
    with pytest.raises(InputError, match="nothing was changed"):
        find_undo(cast(ClusterDriver, one), LESSON, ())


def test_a_step_done_by_two_commands_is_taken_back_one_by_one_and_says_so() -> None:
    amidst = replace(before(FIRST, 5, swarm=CHANGED), name=name_before(LESSON.id, FIRST, 2))
    undo = find_undo(cast(ClusterDriver, driver(before(FIRST, 9), amidst, world=CHANGED)), LESSON, {FIRST})
    assert (undo.snapshot, undo.by_hand, undo.taken) == (amidst, True, (FIRST,))


def test_the_fingerprint_is_of_what_people_change_and_not_of_tasks() -> None:
    more = fold_all([Entry(0.0, first_look(service(), tasks=[task(1)]))])
    assert fingerprint(more) == fingerprint(WORLD) != fingerprint(CHANGED)


def test_taking_back_forgets_what_came_after_and_keeps_ones_own() -> None:
    mine = replace(before(THIRD, 0.5, kind="own"), name="mine")
    one = driver(before(FIRST, 9), before(SECOND, 5), before(THIRD, 1), mine)
    take_back(cast(ClusterDriver, one), find_undo(cast(ClusterDriver, one), LESSON, BOTH))
    assert one.restored == [name_before(LESSON.id, SECOND)]
    assert [each.name for each in one.kept.all()] == [name_before(LESSON.id, s) for s in (FIRST, SECOND)] + ["mine"]


def test_a_lesson_that_begins_anew_at_a_step_forgets_what_was_saved_from_there_on() -> None:
    one = driver(before(FIRST, 9), before(SECOND, 5), before(THIRD, 1), before(THIRD, 1, lesson="another"))
    forget_from(cast(ClusterDriver, one), LESSON, SECOND)
    assert [(each.about["lesson"], each.about["step"]) for each in one.kept.all()] == [
        (LESSON.id, FIRST),
        ("another", THIRD),
    ]
    forget_from(cast(ClusterDriver, one), LESSON)
    assert [each.about["lesson"] for each in one.kept.all()] == ["another"]


def test_the_cluster_is_saved_only_when_nothing_is_under_way() -> None:
    still = fold_all(
        [
            Entry(0.0, ManagerLink("live", "node1")),
            Entry(1.0, first_look(service(), tasks=[task(n) for n in (1, 2, 3)])),
        ],
        World(),
    )
    assert list(find_under_way(still)) == []
    assert list(find_under_way(World())) == ["no manager answers"]
    typed = fold(still, Entry(2.0, CommandBegan(1, "node1", "docker ps", "")))
    assert list(find_under_way(typed)) == ["a command runs"]
    assert list(find_under_way(fold(typed, Entry(3.0, CommandEnded(1, 0, 1.0, ""))))) == []
    fewer = fold_all([Entry(0.0, ManagerLink("live", "node1")), Entry(1.0, first_look(service(), tasks=[task(1)]))])
    assert "1 of 3 tasks of web run" in next(find_under_way(fewer))


def test_it_is_saved_before_a_step_and_again_after_each_change_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    one, turns = driver(world=STILL), iter([BusyError("another is at work"), None])

    @contextmanager
    def at_work(name: str, what: str) -> Iterator[None]:
        if (busy := next(turns, None)) is not None:
            raise busy
        yield

    def save(driver: Any, name: str, kind: Kind, *, about: dict[str, str]) -> Snapshot:
        made = Snapshot(name, kind, datetime.now(UTC), 1, about=about, stood_still=0.4)
        one.kept.found.append(made)
        return made

    monkeypatch.setattr("lab.cluster.api.at_work", at_work)
    monkeypatch.setattr(step_snapshots, "save", save)
    monkeypatch.setattr(step_snapshots, "QUIET", 0.03)
    saver = step_snapshots.StepSaver(one, nullcontext, pause=0.01)
    saver.start()
    try:
        saver.want(LESSON.id, FIRST)
        wait_until("a snapshot, after another swarmlab was at work", 20, lambda: "" if one.kept.found else "none")
        one.journal.write(SwarmChanged("node1", services=(service(desired=1, env=("A=1",)),), tasks=()))
        wait_until("another", 20, lambda: "" if len(one.kept.found) > 1 else "one", pause=0.01)
        assert [each.name for each in one.kept.found] == [name_before(LESSON.id, FIRST, n) for n in (1, 2)]
        one.journal.write(ActDone("nothing that changes the swarm"))
        saver.want(LESSON.id, SECOND)
        wait_until("the next step's", 20, lambda: "" if len(one.kept.found) > 2 else "two", pause=0.01)
        assert one.kept.found[2].name == name_before(LESSON.id, SECOND)
    finally:
        saver.close()


def test_a_replay_winds_back_to_the_step_before() -> None:
    stage = ReplayStage(speed=None)
    lesson = stage.lessons()[0]
    stage.open(lesson.id)
    with pytest.raises(InputError, match="nothing to take back"):
        stage.undo()
    first, second = (step.id for step in lesson.steps[:2])
    stage.play(first)
    stage.play(second)
    assert second in stage.undo()
    steps = stage.journal.world.lesson.steps
    assert (lesson.id, first) in steps and (lesson.id, second) not in steps
