"""One request's way between the nodes: which exchanges are its hops, and how they are drawn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.appearance import Appearance
from lab.tui.panes.wire import view as pane
from lab.tui.panes.wire.hops import find_way
from lab.tui.spans import plain, width
from lab.world.entries import Fact, Hit, SwarmChanged
from lab.world.swarm import Port, Service, ServiceSpec, Task
from lab.world.wire import Exchange, WireSeen
from lab.world.world import World
from tests.tui.fake import FakeStage
from tests.tui.pictures import Compare, app_on
from tests.tui.pictures import after as run_before
from tests.tui.swarm_worlds import ASKED, FLOWS, NAMES, NETWORKS, WHOLE, entries, world

EDGE, PAGE = "e" * 64, "b" * 64
SERVICES = (
    Service("s1", "web", ServiceSpec("nginx:1.26", ports=(Port(8080, 80),)), 1),
    Service("s2", "edge_traefik", ServiceSpec("traefik", ports=(Port(443, 443),)), 1),
    Service("s3", "app_backend", ServiceSpec("backend:1"), 1),
)
TASKS = (
    Task("t1", "s1", 1, "n4", "running", "running", 1.0, 2.0, container="3f1c" * 16, addresses=("10.0.0.9",)),
    Task("t2", "s2", 1, "n4", "running", "running", 1.0, 2.0, container=EDGE, addresses=("10.0.0.8", "10.0.1.8")),
    Task("t3", "s3", 1, "n2", "running", "running", 1.0, 2.0, container=PAGE, addresses=("10.0.1.5",)),
)
HIT = Hit("node1", 8080, "/", 200, "3f1c" * 3, 80.0)
HOST = Hit("node1", 443, "/", 200, PAGE[:12], 80.0, host="node-app.localhost", protocol="https")
TO_EDGE = replace(ASKED, address="10.0.0.8", port=443)
TO_PAGE = Exchange(
    0.24,
    "node4",
    "node2",
    4097,
    "10.0.1.8",
    50_000,
    "10.0.1.5",
    8000,
    99,
    asked=0.001,
    answered=0.02,
    sent=200,
    got=900,
)
OUTER = replace(
    ASKED,
    ago=0.251,
    source="node3",
    target="node1",
    network=0,
    client="10.77.0.13",
    address="10.77.0.11",
    accepted=0.0038,
    answered=0.0494,
)


def facts(*exchanges: Exchange, hit: Hit | None = None, unread: int = 0) -> tuple[Fact, ...]:
    """The facts of a world in which these were read, and the lab got this answer."""
    return (
        *WHOLE,
        SwarmChanged("node1", services=SERVICES, tasks=TASKS, named=NETWORKS),
        *((hit,) if hit else (SwarmChanged("node1"),)),
        WireSeen(3.0, FLOWS, exchanges, unread),
    )


def after(*exchanges: Exchange, hit: Hit | None = None, unread: int = 0) -> World:
    return world(*facts(*exchanges, hit=hit, unread=unread))


def hops(*exchanges: Exchange, hit: Hit | None = HIT) -> list[str]:
    now = after(*exchanges, hit=hit)
    way = find_way(now, now.at)
    if way is None:
        return []
    return ["local"] if way.local else [f"{h.exchange.source} {h.exchange.target} {h.others}" for h in way.hops]


def drawn(now: World, room: int = 76) -> str:
    return plain(pane.lines(now, room, 60, now.at)).partition("One request's way")[2]


def test_the_labs_request_is_told_down_and_up() -> None:
    text = drawn(after(ASKED, hit=HIT))
    assert "node1  port 8080 /" in text
    assert "└▶ node1 → node4 ingress 10.0.0.2 → 10.0.0.9:8080 web.1" in text
    assert "78 B   0.0 ms" in text
    assert "◀┘ node4 → node1 accepted after 2.1 ms" in text
    assert "1.2 kB  47.4 ms" in text
    assert "node1 was asked from outside of this network." in text
    assert "What a node does inside is not seen" in " ".join(text.split())


def test_a_request_between_nodes_is_told_from_its_client_to_the_task_and_back() -> None:
    now = after(OUTER, ASKED, hit=HIT)
    way = find_way(now, now.at)
    assert way is not None
    assert way.hit is None
    assert [(hop.exchange.source, hop.exchange.target, hop.same) for hop in way.hops] == [
        ("node3", "node1", False),
        ("node1", "node4", True),
    ]
    lines = drawn(now, 118).splitlines()
    assert lines[1].startswith("node3 asks node1  port 8080")
    assert "└▶ node3 → node1 published port 10.77.0.13:41234 → 10.77.0.11:8080" in lines[2]
    assert "  └▶ node1 → node4 VXLAN 4096 ingress 10.0.0.2:41234 → 10.0.0.9:8080 web.1" in lines[3]
    assert "(the same connection)" in lines[3]
    assert lines[3].endswith("1.0 ms")
    assert lines[4].startswith("  ◀┘ node4 → node1")
    assert lines[5].startswith("◀┘ node1 → node3")


def test_a_proxys_own_connection_is_the_next_hop_and_the_way_ends_at_the_task_that_answered() -> None:
    assert hops(TO_EDGE, TO_PAGE, hit=HOST) == ["node1 node4 0", "node4 node2 0"]
    beyond = replace(TO_PAGE, ago=0.23, source="node2", target="node3", client="10.0.1.5", sequence=7)
    assert hops(TO_EDGE, TO_PAGE, beyond, hit=HOST) == ["node1 node4 0", "node4 node2 0"]
    assert hops(TO_EDGE, TO_PAGE, beyond, hit=replace(HOST, replica="")) == [
        "node1 node4 0",
        "node4 node2 0",
        "node2 node3 0",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        replace(TO_PAGE, ago=1.0),
        replace(TO_PAGE, ago=0.1),
        replace(TO_PAGE, source="node3"),
        replace(TO_PAGE, client="10.0.1.77", address="10.0.1.78"),
        replace(TO_PAGE, client="10.0.0.9"),
    ],
    ids=["before", "after the answer", "elsewhere", "somebody else", "another task"],
)
def test_what_a_proxy_did_not_ask_for_this_request_is_no_hop(changed: Exchange) -> None:
    assert hops(TO_EDGE, changed, hit=HOST) == ["node1 node4 0"]
    text = " ".join(drawn(after(TO_EDGE, changed, hit=HOST)).split())
    assert "How it got on to app_backend.1 on node2 was not seen" in text


def test_a_proxy_on_the_node_that_was_asked_begins_the_way_between_nodes() -> None:
    at_home = replace(HOST, node="node4")
    way = find_way(now := after(TO_PAGE, hit=at_home), now.at)
    assert way is not None
    assert way.hit == at_home
    assert [hop.task for hop in way.hops] == ["app_backend.1"]
    other = replace(TO_EDGE, source="node4", target="node3", address="10.0.0.77")
    assert hops(other, TO_PAGE, hit=at_home) == ["node4 node2 0"], "somebody else's, over the mesh"
    way = find_way(now := after(replace(TO_PAGE, address="10.0.1.6"), hit=at_home), now.at)
    assert way is not None
    assert way.hit is None, "to another task: not the request's"


def test_behind_a_virtual_ip_the_node_asks_and_the_task_that_answered_is_known() -> None:
    assert hops(TO_EDGE, replace(TO_PAGE, client="10.0.1.77"), hit=HOST) == ["node1 node4 0", "node4 node2 0"]


def test_a_connection_that_was_kept_is_a_hop_and_is_said_to_be_open_before() -> None:
    kept = replace(TO_PAGE, turn=3)
    assert hops(TO_EDGE, kept, hit=HOST) == ["node1 node4 0", "node4 node2 0"]
    assert "the connection was open before" in " ".join(drawn(after(TO_EDGE, kept, hit=HOST)).split())


def test_all_that_was_said_over_a_requests_own_connection_is_its_hop() -> None:
    shook = replace(TO_EDGE, answered=0.01, got=3000, sent=300)
    then = replace(shook, ago=0.23, turn=1, accepted=None, asked=0.0, answered=0.04, ended=0.05, sent=100, got=500)
    now = after(shook, then, TO_PAGE, hit=HOST)
    way = find_way(now, now.at)
    assert way is not None
    whole = way.hops[0].exchange
    assert (whole.sent, whole.got, whole.accepted) == (400, 3500, ASKED.accepted)
    assert whole.answered == pytest.approx(0.06)
    assert whole.ended == pytest.approx(0.07)
    assert len(way.hops) == 2


def test_a_hop_that_may_be_another_requests_says_so() -> None:
    other = replace(ASKED, ago=0.2, client_port=41_235)
    assert hops(ASKED, other) == ["node1 node4 1"]
    assert "(or one of 1 more at that time)" in " ".join(drawn(after(ASKED, other, hit=HIT), 198).split())


def test_what_is_not_the_labs_request_is_not_told_as_its() -> None:
    for other in (
        replace(ASKED, ago=2.0),
        replace(ASKED, port=9090),
        replace(ASKED, source="node2"),
        replace(ASKED, address="10.0.0.8"),
        replace(ASKED, turn=1),
    ):
        now = after(other, hit=HIT)
        way = find_way(now, now.at)
        assert way is None or way.hit is None
    assert hops(ASKED, hit=replace(HIT, status=0, error="refused")) == ["node1 node4 0"]
    assert "port 8080, asked from elsewhere" in drawn(after(ASKED))


def test_a_task_on_the_node_that_was_asked_is_told() -> None:
    assert hops(hit=replace(HIT, node="node4")) == ["local"]
    assert hops(hit=replace(HIT, node="node2")) == []


def test_without_a_request_of_the_labs_a_containers_is_told() -> None:
    assert hops(TO_PAGE, hit=None) == ["node4 node2 0"]
    assert "edge_traefik.1 on node4" in drawn(after(TO_PAGE))
    assert "a container on node4" in drawn(after(replace(TO_PAGE, client="10.0.1.77")))


def test_what_was_not_read_is_said() -> None:
    silent = replace(ASKED, accepted=None, asked=None, answered=None, got=0)
    text = drawn(after(silent, hit=HIT, unread=100))
    assert "no answer was read" in text
    assert "Only a sample was read: hops may be missing" in " ".join(text.split())
    assert "None was seen yet" in drawn(after())


ADDRESSES = st.sampled_from(("10.0.0.2", "10.0.0.8", "10.0.0.9", "10.0.1.5", "10.0.1.8", "10.77.0.12", ""))
TIMES = st.none() | st.floats(0, 1e10) | st.floats(0, 0.2)
EXCHANGES = st.builds(
    Exchange,
    st.floats(0, 5) | st.floats(0, 1e10),
    st.sampled_from(NAMES),
    st.sampled_from((*NAMES, "", "stranger")),
    st.sampled_from((0, 4096, 4097, 77)),
    ADDRESSES,
    st.integers(0, 65_535),
    ADDRESSES,
    st.sampled_from((80, 443, 8000, 8080)),
    st.sampled_from((0, 1, 2)),
    st.integers(0, 3),
    TIMES,
    TIMES,
    TIMES,
    TIMES,
    st.integers(0, 10**15),
    st.integers(0, 10**15),
)


@given(st.lists(EXCHANGES, max_size=12), st.sampled_from((HIT, HOST, None)), st.sampled_from((30, 56, 76, 118, 198)))
def test_any_exchanges_are_drawn_and_a_way_goes_on_where_it_led(
    exchanges: list[Exchange], hit: Hit | None, room: int
) -> None:
    now = after(*exchanges, hit=hit)
    assert all(width(line) <= room for line in pane.lines(now, room, 20, now.at))
    way = find_way(now, now.at)
    if way is not None:
        for one, other in zip(way.hops, way.hops[1:], strict=False):
            assert other.exchange.source == one.exchange.target
        assert len({hop.exchange.connection for hop in way.hops}) == len(way.hops)


@pytest.mark.parametrize(
    ("size", "theme"),
    [((80, 24), "light"), ((120, 40), "dark"), ((200, 60), "light")],
    ids=lambda each: f"{each[0]}x{each[1]}" if isinstance(each, tuple) else each,
)
def test_a_way_of_two_hops(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    stage = FakeStage()
    shown = run_before(
        stage, words=("One request's way", "node3 asks"), entries=entries(facts(OUTER, ASKED)), view="wire"
    )
    assert snap_compare(app_on(stage, appearance=Appearance(theme)), terminal_size=size, run_before=shown)
