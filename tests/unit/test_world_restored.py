"""A cluster that was put back to a snapshot: one mark, and then what is so now, which is no news."""

from __future__ import annotations

from lab.world.entries import Entry, Hit, Restored, SwarmChanged
from lab.world.world import World, fold, fold_all
from tests.builders import service, task


def test_the_first_look_after_it_is_no_news_and_what_was_seen_before_is_gone() -> None:
    web, shop = service("web"), service("shop")
    world = fold_all(
        [
            Entry(1.0, SwarmChanged("node1", services=(web,), tasks=(task(1),), first=True)),
            Entry(2.0, SwarmChanged("node1", services=(shop,))),
            Entry(2.5, Hit("node1", 80, "/", 200, "x", 0.1)),
        ],
        World(),
    )
    told = len(world.changes)
    world = fold(world, Entry(3.0, Restored("before-lunch")))
    assert world.changes[-1].text == "the cluster was put back to before-lunch"
    assert (world.hits, world.restored) == ((), True)
    world = fold(world, Entry(4.0, SwarmChanged("node1", services=(web,), tasks=(task(1),), first=True)))
    assert {s.name for s in world.swarm.services.values()} == {"web"}
    assert (len(world.changes), world.restored) == (told + 1, False)
    world = fold(world, Entry(5.0, SwarmChanged("node1", gone=(web.id,))))
    assert world.changes[-1].text.startswith("service web was removed")
