"""The swarm itself: its quorum, its machines and who reaches whom, as plain text and as pictures."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.appearance import Appearance
from lab.tui.panes.swarm import view as pane
from lab.tui.panes.swarm.quorum import Quorum, find_quorum
from lab.tui.spans import plain, width
from lab.world.entries import Fact, ManagerLink, PeersSeen, PeerView, SwarmChanged
from lab.world.world import World
from tests.tui.fake import FakeStage
from tests.tui.pictures import Compare, after, app_on
from tests.tui.swarm_worlds import CUT, DEAD, LISTED, NAMES, NO_QUORUM, WHOLE, entries, view, world

ROOMS = (30, 56, 76, 118, 198)


def drawn(now: World, room: int = 76) -> str:
    return plain(pane.lines(now, room, 20, now.at))


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("facts", [WHOLE, DEAD, CUT, NO_QUORUM, (), WHOLE[:2]])
def test_it_fits_wherever_it_is(facts: tuple[Fact, ...], room: int) -> None:
    assert all(width(line) <= room for line in pane.lines(world(*facts), room, 20, 3.0))


def test_a_whole_swarm_may_lose_one() -> None:
    text = drawn(world(*WHOLE))
    assert "3 of 3; one may be lost" in text
    assert "log committed to 43" in text
    assert "✘" not in text.replace("✘ not reached", "")
    assert text.count("follows node1") == 2


def test_with_one_lost_another_one_would_be_too_many() -> None:
    text = drawn(world(*DEAD))
    assert "2 of 3; one more lost and nothing can be changed" in text
    assert "silent" in text
    assert "░ node3" in text


def test_a_cut_is_seen_from_both_sides() -> None:
    text = drawn(world(*CUT))
    assert "node3 reaches nobody, and nobody reaches it" in text
    assert "no leader" in text, "what the manager that is cut off says itself"
    assert "2 of 3" in text


def test_without_a_quorum_nothing_can_be_changed() -> None:
    now = world(*NO_QUORUM)
    assert find_quorum(now) == Quorum(("node1", "node2", "node3"), frozenset({"node1"}), led=False)
    text = drawn(now)
    assert "1 of 3: no quorum" in text
    assert "as they were listed last" in text
    assert "★" not in text, "nobody leads"
    assert "nobody reaches node2" in text


def test_managers_that_are_on_but_all_apart_have_no_quorum() -> None:
    apart = tuple(
        view(name, "no-leader", *(n for n in NAMES if n != name)) if name != "node4" else view(name, "worker")
        for name in NAMES
    )
    now = world(*WHOLE, ManagerLink("stale"), PeersSeen(apart))
    assert find_quorum(now).spare == -1
    together = tuple(view(name, "no-leader") for name in NAMES[:3])
    now = world(*WHOLE, ManagerLink("stale"), PeersSeen(together))
    assert (find_quorum(now).spare, find_quorum(now).sentence) == (1, "3 of 3: enough for a quorum, and no leader yet")
    untold = tuple(view(name, "no-leader", told=False) for name in NAMES[:2])
    assert len(find_quorum(world(*WHOLE, ManagerLink("stale"), PeersSeen(untold))).there) == 2


def test_one_way_is_told_from_both_ways() -> None:
    views = (view("node1", "leads", "node2"), view("node2", "follows"), view("node3", "follows", "node4"),
             view("node4", "worker", "node3"))  # fmt: skip
    text = drawn(world(*WHOLE, PeersSeen(views)))
    assert "node1 does not reach node2, and node2 reaches node1" in text
    assert "node3 and node4 do not reach each other" in text


def test_a_single_manager_is_the_quorum() -> None:
    now = world(ManagerLink("live", "node1"), SwarmChanged("node1", nodes=(LISTED[0], LISTED[3]), first=True))
    assert "1 of 1; this one lost and nothing can be changed" in drawn(now)


def test_a_manager_that_a_new_cluster_has_dropped_does_not_count() -> None:
    dropped = tuple(replace(node, state="down", reachability="") for node in LISTED[1:3])
    now = world(ManagerLink("live", "node1"), SwarmChanged("node1", nodes=(LISTED[0], *dropped), first=True))
    assert find_quorum(now) == Quorum(("node1",), frozenset({"node1"}), led=True)


def test_before_anybody_has_told() -> None:
    assert "Nothing has been seen" in drawn(World())
    assert "no machine has told yet" in drawn(world(*WHOLE[:2]))


@given(
    st.lists(st.sampled_from(LISTED), max_size=4),
    st.lists(
        st.builds(
            PeerView,
            st.sampled_from((*NAMES, "stranger")),
            st.sampled_from(["leads", "follows", "no-leader", "worker", "silent", "out"]),
            leader=st.sampled_from(NAMES),
            reaches=st.lists(st.sampled_from(NAMES)).map(tuple),
            misses=st.lists(st.sampled_from(NAMES)).map(tuple),
        ),
        max_size=5,
    ),
    st.sampled_from(["live", "stale", "none"]),
    st.sampled_from(ROOMS),
)
def test_any_views_are_drawn(nodes: list[object], views: list[PeerView], state: str, room: int) -> None:
    link = ManagerLink(state)  # type: ignore[arg-type]
    now = world(SwarmChanged("node1", nodes=tuple(nodes), first=True), link, PeersSeen(tuple(views)))  # type: ignore[arg-type]
    assert all(width(line) <= room for line in pane.lines(now, room, 20, 3.0))
    quorum = find_quorum(now)
    assert quorum.there <= {*quorum.managers}


def test_many_nodes_have_room() -> None:
    nodes = tuple(replace(LISTED[0], id=f"m{n}", name=f"machine-{n}", leader=n == 1) for n in range(1, 8))
    now = world(ManagerLink("live", "machine-1"), SwarmChanged("machine-1", nodes=nodes, first=True))
    assert "7 of 7; 3 may be lost" in drawn(now)
    assert all(width(line) <= 76 for line in pane.lines(now, 76, 20, 3.0))


SIZES = [(80, 24), (120, 40), (200, 60)]
PICTURES = {
    "whole": (WHOLE, "one may be lost"),
    "dead": (DEAD, "one more lost"),
    "cut": (CUT, "reaches nobody"),
    "no-quorum": (NO_QUORUM, "no quorum"),
}


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("name", PICTURES)
def test_the_swarm(snap_compare: Compare, name: str, size: tuple[int, int]) -> None:
    facts, words = PICTURES[name]
    stage = FakeStage()
    before = after(stage, words=(words,), entries=entries(facts), view="swarm")
    theme = "light" if name == "cut" else "dark"
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=before)
