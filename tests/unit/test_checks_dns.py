"""Checks on the lab's DNS: where a name leads, and what became of the clients that go by it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from lab.checks.base import Baseline, Outcome
from lab.checks.check import Check
from lab.world.dns import Caching, ClientsRow, ClientsSeen, EndpointChecked, ZoneServed
from lab.world.entries import ActDone, Entry, Fact
from lab.world.world import World, fold
from tests.tui.dns import NAMES, ZONE

HOST = NAMES[0]


def check(**plain: Any) -> Check:
    return Check.model_validate(plain, strict=False)


def find(plain: dict[str, Any], world: World, since: World = World()) -> Outcome:  # noqa: B008
    return check(**plain).evaluate(world, Baseline(since=since, asked=since))


def world(*facts: Fact, base: World | None = None) -> World:
    now = base or World()
    for fact in facts:
        now = fold(now, Entry(now.at + 1, fact))
    return now


def fails(node: str, times: int = 3) -> list[Fact]:
    return [EndpointChecked(node, False, 0, 1.0, "connection refused")] * times


def went(*counts: tuple[str, int, int, int], believe: str = "node1", caching: Caching = "ttl") -> ClientsSeen:
    return ClientsSeen(4.0, (ClientsRow(caching, counts, ((believe, 1),), 5.0),))


START = world(ZONE)


def test_where_a_name_leads() -> None:
    four = {"host": HOST, "nodes": ["node4", "node1", "node2", "node3"]}
    assert find({"resolves": four}, START).ok
    three = {"resolves": {"host": HOST, "nodes": ["node1", "node2", "node3"]}}
    assert find(three, START).why == f"{HOST} leads to node1, node2, node3, node4"
    doubted = find(three, world(*fails("node4", 2), base=START))
    assert not doubted.ok and doubted.why.endswith("; node4 is healthy, but has failed 2 of 3 checks")
    gone = world(*fails("node4"), base=START)
    assert find(three, gone) == Outcome(True, f"{HOST} leads to node1, node2, node3; node4 is unhealthy")
    back = world(EndpointChecked("node4", True, 200), base=gone)
    assert "node4 is unhealthy, but has passed 1 of 3 checks" in find({"resolves": four}, back).why


def test_when_it_fails_open_the_nodes_are_not_where_it_leads_because_they_are_healthy() -> None:
    none = world(*(fact for n in (1, 2, 3, 4) for fact in fails(f"node{n}")), base=START)
    assert find({"resolves": {"host": HOST, "fails_open": True}}, none).ok
    assert not find({"resolves": {"host": HOST, "fails_open": True}}, START).ok
    assert not find({"resolves": {"host": HOST, "nodes": ["node1", "node2", "node3", "node4"]}}, none).ok


def test_what_is_not_served_leads_nowhere() -> None:
    ask = {"resolves": {"host": "blog.localhost", "nodes": ["node1"]}}
    assert find(ask, World()) == Outcome(False, "the lab serves no DNS yet")
    assert "no name blog.localhost" in find(ask, START).why
    assert find(ask, world(ZoneServed("taken", why="port 53 is taken"))).why == "port 53 is taken"


def test_clients_leave_a_node_once_they_have_failed_there_and_none_would_go_there() -> None:
    leave = {"clients": {"caching": "ttl", "leave": "node4"}}
    assert find(leave, START).why == "nothing is known of clients that obey the TTL yet"
    fine = world(went(("node4", 1, 0, 0), believe="node4"), base=START)
    assert not find(leave, fine, START).ok, "they have never failed there"
    failed = world(went(("node4", 0, 1, 0), believe="node4"), base=fine)
    assert find(leave, failed, fine).why == (
        "of clients that obey the TTL 1 request failed at node4, and 1 of them still would go there"
    )
    late = world(went(("node4", 0, 1, 0)), base=failed)
    assert not find(leave, late, fine).ok, "a last request was on its way"
    assert find(leave, world(went(("node1", 1, 0, 0)), base=late), fine).ok


def test_only_what_happened_since_the_step_began_counts() -> None:
    before = world(went(("node4", 0, 1, 0)), base=START)
    now = world(went(("node1", 1, 0, 0)), base=before)
    assert find({"clients": {"caching": "ttl", "fail_at": "node4"}}, now, START).ok
    assert not find({"clients": {"caching": "ttl", "fail_at": "node4"}}, now, before).ok
    assert not find({"clients": {"caching": "forever", "fail_at": "node4"}}, now, START).ok


def test_clients_reach_a_node_that_answers_them_itself() -> None:
    reach = {"clients": {"caching": "next", "reach": "node4"}}
    elsewhere = world(went(("node4", 0, 0, 1), caching="next"), base=START)
    assert not find(reach, elsewhere, START).ok
    assert find(reach, world(went(("node4", 1, 0, 0), caching="next"), base=elsewhere), START).ok


def test_answers_without_a_failure_and_a_failure_ends_the_wait() -> None:
    answered = {"clients": {"caching": "next", "answered": 3}}
    some = world(went(("node1", 1, 0, 0), ("node4", 0, 0, 1), caching="next"), base=START)
    assert find(answered, some, START) == Outcome(False, "0 of 2 requests of clients that try the next address failed")
    assert find(answered, world(went(("node1", 1, 0, 0), caching="next"), base=some), START).ok
    bad = world(went(("", 0, 1, 0), caching="next"), base=some)
    assert not find(answered, bad, START).ok
    condition = check(**answered).condition
    assert condition.is_lost(bad, Baseline(START)) and not condition.is_lost(some, Baseline(START))


def test_what_is_measured_is_how_many_failed_and_when_the_last_one_went_there() -> None:
    acted = world(ActDone("the lab powered node4 off", "node4"), base=START)
    ended = world(went(("node4", 0, 1, 0)), went(("node4", 0, 1, 0)), went(("node1", 1, 0, 0)), base=acted)
    (leave,) = check(clients={"caching": "ttl", "leave": "node4"}).condition.measure(ended, Baseline(START))
    assert leave == (
        "Of the clients that obey the TTL 2 of 3 requests failed; the last one went to node4 about 2 s after the lab "
        "powered node4 off"
    )
    (stay,) = check(clients={"caching": "ttl", "fail_at": "node4"}).condition.measure(ended, Baseline(START))
    assert stay.endswith("2 of 3 requests failed; they still do")
    assert not [*check(clients={"caching": "ttl", "reach": "node4"}).condition.measure(ended, Baseline(START))]


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({"resolves": {"host": HOST, "nodes": ["node1", "node2"]}}, f"{HOST} leads to node1, node2"),
        ({"resolves": {"host": HOST, "fails_open": True}}, f"{HOST} leads to all nodes, as none is healthy"),
        (
            {"clients": {"caching": "ttl", "leave": "node4"}},
            "clients that obey the TTL fail at node4, and go there no more",
        ),
        ({"clients": {"caching": "forever", "fail_at": "node4"}}, "clients that cache for ever fail at node4"),
        ({"clients": {"caching": "next", "reach": "node4"}}, "clients that try the next address are answered by node4"),
        ({"clients": {"caching": "ttl", "answered": 1}}, "clients that obey the TTL get 1 answer and no failure"),
    ],
)
def test_every_check_asks_in_words(plain: dict[str, Any], words: str) -> None:
    assert check(**plain).sentence == words


@pytest.mark.parametrize(
    "plain",
    [
        {"clients": {"caching": "ttl"}},
        {"clients": {"caching": "ttl", "leave": "a", "reach": "b"}},
        {"resolves": {"host": "a"}},
    ],
)
def test_a_check_asks_one_thing(plain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="exactly one of"):
        check(**plain)
