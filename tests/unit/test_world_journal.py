"""The journal: one order, from any thread."""

from __future__ import annotations

import threading

from hypothesis import given

from lab.world.entries import ActDone, Entry, LessonOpened
from lab.world.journal import Journal
from lab.world.world import World, fold_all
from tests.builders import crash
from tests.strategies import entries


def test_writers_on_many_threads_make_one_order() -> None:
    journal, seen = Journal(), list[tuple[Entry, World]]()
    journal.read(lambda entry, world: seen.append((entry, world)))
    threads = [
        threading.Thread(target=lambda n=n: [journal.write(ActDone(f"{n}.{i}")) for i in range(50)]) for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10.0)
    assert [world.count for _, world in seen] == list(range(1, 201))
    times = [entry.at for entry, _ in seen]
    assert times == sorted(times)
    assert journal.world == seen[-1][1] == fold_all(entry for entry, _ in seen)


@given(entries)
def test_entries_that_have_their_time_make_the_world_of_their_fold(told: tuple[Entry, ...]) -> None:
    journal = Journal(clock=lambda: 0.0)
    journal.put_all(told)
    assert journal.world == fold_all(told)
    assert journal.now() == journal.world.at


def test_an_entry_from_the_past_counts_as_now() -> None:
    journal = Journal(clock=lambda: 0.0)
    journal.put(Entry(5.0, ActDone("a")))
    assert journal.put(Entry(3.0, ActDone("b"))).at == 5.0
    assert journal.write(ActDone("c")).at == 5.0


def test_a_reader_can_go() -> None:
    journal, seen = Journal(), list[str]()
    stop = journal.read(lambda entry, _: seen.append(entry.fact.kind))
    journal.write(ActDone("a"))
    stop()
    stop()
    journal.write(ActDone("b"))
    assert seen == ["act"]


def test_waiting_ends_when_it_is_so_or_at_the_bound() -> None:
    journal = Journal()
    threading.Timer(0.02, lambda: journal.write(LessonOpened("a"))).start()
    assert journal.wait(lambda world: world.lesson.id == "a", 5.0)
    assert not journal.wait(lambda world: world.lesson.id == "b", 0.01)


def test_beginning_anew_forgets_everything_and_says_what_to_draw() -> None:
    clock = [10.0]
    journal, seen = Journal(clock=lambda: clock[0]), list[World]()
    journal.put_all(crash())
    journal.read(lambda _, world: seen.append(world))
    clock[0] = 50.0
    journal.restart()
    assert journal.now() == 0.0 and not journal.world.changes and not journal.world.swarm.tasks
    assert seen[0].dirty == {
        *(f"node:n{i}" for i in range(1, 5)),
        "service:s-web",
        *(("s-web", str(i)) for i in range(1, 4)),
    }
    journal.put_all(crash())
    assert journal.world == fold_all(crash())
