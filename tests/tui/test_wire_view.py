"""The nodes' own network: rates between the nodes, what is carried, and one request's way; as text and as pictures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.appearance import Appearance
from lab.tui.panes.wire import view as pane
from lab.tui.panes.wire.rates import WINDOW, find_rates
from lab.tui.spans import plain, width
from lab.world.entries import Fact, SwarmChanged
from lab.world.wire import Flow, WireSeen
from lab.world.world import World
from tests.tui.fake import FakeStage
from tests.tui.pictures import Compare, after, app_on
from tests.tui.swarm_worlds import FLOWS, NAMES, WEB, WHOLE, WIRE, entries, world

ROOMS = (30, 56, 76, 118, 198)


def drawn(now: World, room: int = 76) -> str:
    return plain(pane.lines(now, room, 20, now.at))


@pytest.mark.parametrize("room", ROOMS)
@pytest.mark.parametrize("facts", [WIRE, WHOLE, (), (WireSeen(0.0),), (WireSeen(5e-324, FLOWS),), (WireSeen(3.0),)])
def test_it_fits_wherever_it_is(facts: tuple[Fact, ...], room: int) -> None:
    assert all(width(line) <= room for line in pane.lines(world(*facts), room, 20, 3.0))


def test_rates_are_by_pair_and_by_what_is_carried() -> None:
    rates = find_rates(world(*WIRE), 3.0)
    assert rates.pairs["node1", "node4"].frames == pytest.approx(125 / 3)
    assert rates.carried["vxlan", 4096].frames == pytest.approx(238 / 3)
    assert rates.carried["esp", 0].size == pytest.approx(8000)
    assert rates.pairs["node1", "node3"].lost == pytest.approx(20 / 3)
    text = drawn(world(*WIRE))
    for said in ("VXLAN 4096 ingress", "VXLAN 4097 app_inside", "ESP, encrypted", "gossip :7946", "management :2377"):
        assert said in text
    assert "clear-text-4711 was in clear in 4 frames" in text


def test_above_the_bound_a_sample_stands_for_all() -> None:
    now = world(WireSeen(2.0, (Flow("node1", "node2", "vxlan", 100, 10_000, 4096),), unread=300))
    rates = find_rates(now, now.at)
    assert (rates.total.frames, rates.total.size, rates.sampled) == (200, 20_000, 0.25)
    assert "25 % of the frames were read" in drawn(now)


def test_old_reports_do_not_count() -> None:
    now = world(*WIRE)
    assert find_rates(now, now.at + WINDOW + 10).seconds == 0
    assert "Nothing was read" in plain(pane.lines(now, 76, 20, now.at + 60))


@given(
    st.lists(
        st.builds(
            Flow,
            st.sampled_from(NAMES),
            st.sampled_from((*NAMES, "", "stranger")),
            st.sampled_from(["vxlan", "esp", "gossip", "management", "arp", "other"]),
            st.integers(0, 10**9),
            st.integers(0, 10**12),
            st.integers(0, 1 << 24),
            st.integers(0, 5),
        ),
        max_size=12,
    ),
    st.floats(0, 10),
    st.integers(0, 10**9),
    st.sampled_from(ROOMS),
)
def test_any_report_is_drawn(flows: list[Flow], seconds: float, unread: int, room: int) -> None:
    now = world(*WHOLE, SwarmChanged("node1", tasks=(WEB,)), WireSeen(seconds, tuple(flows), unread=unread))
    assert all(width(line) <= room for line in pane.lines(now, room, 20, now.at))


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_the_wire(snap_compare: Compare, size: tuple[int, int]) -> None:
    stage = FakeStage()
    words = ("VXLAN 4096", "One request's way")
    before = after(stage, words=words, entries=entries(WIRE), view="wire")
    assert snap_compare(app_on(stage, appearance=Appearance("dark")), terminal_size=size, run_before=before)
