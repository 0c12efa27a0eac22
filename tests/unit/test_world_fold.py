"""Laws of the world: it is what its entries say, however they came."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from lab.world.entries import (
    Captured,
    CommandBegan,
    CommandEnded,
    EngineEvent,
    Entry,
    Fact,
    LessonOpened,
    StepMoved,
    SwarmChanged,
)
from lab.world.swarm_state import KEEP_ATTEMPTS
from lab.world.world import KEEP_CHANGES, KEEP_COMMANDS, World, fold, fold_all
from tests.builders import NODES, crash, first_look, service, task
from tests.strategies import entries, swarm_changes

changes = st.lists(swarm_changes, max_size=8).map(lambda facts: tuple(Entry(float(i), f) for i, f in enumerate(facts)))


def whole(world: World) -> SwarmChanged:
    """All that a world knows, as a first look would tell it."""
    nodes, services = tuple(world.swarm.nodes.values()), tuple(world.swarm.services.values())
    return SwarmChanged(
        "node1", nodes, services, tuple(world.swarm.tasks.values()), tuple(world.swarm.objects.values()), first=True
    )


@given(entries)
def test_the_same_entries_make_the_same_world(told: tuple[Entry, ...]) -> None:
    assert fold_all(told) == fold_all(told)
    half = len(told) // 2
    assert fold_all(told[half:], fold_all(told[:half])) == fold_all(told)


@given(entries, st.randoms())
def test_time_never_goes_back(told: tuple[Entry, ...], chance: random.Random) -> None:
    world, mixed = World(), list(told)
    chance.shuffle(mixed)
    for entry in mixed:
        after = fold(world, entry)
        assert after.at >= world.at and after.count == world.count + 1
        world = after


@given(changes)
def test_counts_kept_by_and_by_are_the_counts_anew(told: tuple[Entry, ...]) -> None:
    world = fold_all(told)
    live = [t for t in world.swarm.tasks.values() if t.state == "running" and t.desired == "running"]
    assert dict(world.swarm.running) == Counter(t.service for t in live)
    by_slot: dict[tuple[str, str], set[str]] = {}
    for t in world.swarm.tasks.values():
        by_slot.setdefault((t.service, t.key), set()).add(t.id)
    assert {slot: set(ids) for slot, ids in world.swarm.attempts.items()} == by_slot
    assert {(s, key) for s, keys in world.swarm.slots.items() for key in keys} == set(by_slot)
    assert all(world.swarm.slots.values())
    for ids in world.swarm.attempts.values():
        assert len(ids) <= KEEP_ATTEMPTS
        made = [world.swarm.tasks[t].created for t in ids]
        assert made == sorted(made, reverse=True)
    assert set(world.swarm.died) <= set(world.swarm.tasks)
    for s in world.swarm.slots:
        assert {t.id for t in world.swarm.tasks_of(s)} == {t.id for t in world.swarm.tasks.values() if t.service == s}


@given(changes)
def test_a_first_look_at_what_is_known_changes_nothing(told: tuple[Entry, ...]) -> None:
    world = fold_all(told)
    again = fold(world, Entry(world.at, whole(world)))
    for name in ("nodes", "services", "tasks", "objects", "attempts", "slots", "running"):
        assert getattr(again.swarm, name) == getattr(world.swarm, name), name
    assert again.changes == world.changes


@given(changes, swarm_changes)
def test_a_first_look_replaces_all_that_was_known(told: tuple[Entry, ...], look: SwarmChanged) -> None:
    first = SwarmChanged(look.by, look.nodes, look.services, look.tasks, look.named, first=True)
    after = fold(fold_all(told), Entry(99.0, first))
    fresh = fold(World(), Entry(99.0, first))
    for name in ("nodes", "services", "objects", "running"):
        assert getattr(after.swarm, name) == getattr(fresh.swarm, name), name
    assert set(after.swarm.tasks) == set(fresh.swarm.tasks)


@given(changes, swarm_changes)
def test_what_differs_is_dirty(told: tuple[Entry, ...], look: SwarmChanged) -> None:
    before = fold_all(told)
    after = fold(before, Entry(99.0, look))
    assert {f"node:{i}" for i in differing(before.swarm.nodes, after.swarm.nodes)} <= after.dirty
    assert {f"service:{i}" for i in differing(before.swarm.services, after.swarm.services)} <= after.dirty
    assert {f"service:{i}" for i in differing(before.swarm.running, after.swarm.running)} <= after.dirty
    assert differing(before.swarm.attempts, after.swarm.attempts) <= after.dirty
    touched = {
        (t.service, t.key)
        for w in (before, after)
        for i in differing(before.swarm.tasks, after.swarm.tasks)
        if (t := w.swarm.tasks.get(i))
    }
    assert touched <= after.dirty


def differing(one: Map, other: Map) -> set:  # type: ignore[type-arg]
    return {key for key in {*one, *other} if one.get(key) != other.get(key)}


def test_histories_are_bounded() -> None:
    world = fold_all(Entry(float(i), CommandBegan(i, "node1", f"echo {i}")) for i in range(1000))
    assert (len(world.commands), len(world.changes)) == (KEEP_COMMANDS, KEEP_CHANGES)
    assert world.commands[-1].id == 999
    world = fold_all(Entry(float(i), first_look(tasks=[task(1, i)])) for i in range(20))
    assert len(world.swarm.tasks) == 1
    world = fold_all(Entry(float(i), SwarmChanged("node1", tasks=(task(1, i),))) for i in range(20))
    assert world.swarm.attempts[("s-web", "1")] == tuple(f"t-web.1.{i}" for i in range(19, 13, -1))
    assert world.swarm.running["s-web"] == KEEP_ATTEMPTS


def test_a_command_runs_and_ends() -> None:
    world = fold_all([Entry(1, CommandBegan(1, "node1", "ls", "step")), Entry(2, CommandBegan(2, "node1", "ps"))])
    assert [c.status for c in world.commands] == [None, None]
    world = fold(world, Entry(3, CommandEnded(1, 2, 1.5, "out")))
    assert [(c.status, c.seconds, c.output, c.step) for c in world.commands] == [
        (2, 1.5, "out", "step"),
        (None, None, "", ""),
    ]


def test_a_lesson_begins_anew_when_it_is_opened() -> None:
    told: list[Fact] = [
        LessonOpened("a"),
        StepMoved("a", "x", "begun"),
        Captured("n", "1"),
        StepMoved("a", "x", "passed"),
    ]
    world = fold_all(Entry(float(i), fact) for i, fact in enumerate(told))
    step = world.lesson.steps[("a", "x")]
    assert (step.state, step.began, step.ended, world.lesson.step) == ("passed", 1.0, 3.0, "x")
    again = fold(world, Entry(9, LessonOpened("b")))
    assert (again.lesson.id, again.lesson.step, len(again.lesson.steps), len(again.lesson.captured)) == ("b", "", 0, 0)


def test_the_crash_as_a_world() -> None:
    world = fold_all(crash())
    web = world.swarm.service("web")
    assert web and world.swarm.running[web.id] == 3 and world.swarm.converged
    assert [t.id for t in world.swarm.tasks_of(web.id)] == ["t-web.1.1", "t-web.2.1", "t-web.3.2", "t-web.3.1"]
    assert [world.swarm.task_name(t) for t in world.swarm.live_tasks(web.id)] == ["web.1", "web.2", "web.3"]
    assert world.swarm.died == Map({"t-web.3.1": 1.9})
    assert world.swarm.node("node4") == NODES[3] and world.swarm.node_name("n9") == "n9"
    assert not fold(world, Entry(9, SwarmChanged("node1", services=(service(desired=5),)))).swarm.converged


def test_an_engine_tells_of_a_death_once_and_only_of_what_should_run() -> None:
    died = EngineEvent("node1", "container", "die", "c", task="t-web.1.1", exit=137)
    world = fold_all([Entry(0, first_look(service(), tasks=[task(1)])), Entry(1, died)])
    assert world.changes[-1].text == "web.1: its container died on node1 (exit 137)"
    assert world.dirty == {("s-web", "1")}
    stopped = fold_all([Entry(0, first_look(service(), tasks=[task(1, desired="shutdown")])), Entry(1, died)])
    assert stopped.changes == ()
