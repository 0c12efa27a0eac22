"""The fold of the lab's DNS: whose address is answered, what the timeline says, and when all begins anew."""

from __future__ import annotations

from dataclasses import replace

from lab.world.dns import AddressRecord, ClientsRow, ClientsSeen, EndpointChecked, ZoneServed
from lab.world.entries import Entry, Fact, LessonOpened, Restored
from lab.world.world import World, fold_all

RECORDS = tuple(AddressRecord(f"node{n}", f"10.77.0.{10 + n}") for n in (1, 2, 3))
ZONE = ZoneServed("live", 20053, ("node-app.localhost",), RECORDS, 10.0, 10.0, "https://node-app.localhost/")


def world(*facts: Fact) -> World:
    return fold_all(Entry(float(at), fact) for at, fact in enumerate(facts))


def checked(node: str, passed: bool) -> EndpointChecked:
    return EndpointChecked(node, passed, 200 if passed else 0, 20.0, "" if passed else "connection refused")


def down(*nodes: str) -> list[Fact]:
    return [checked(node, False) for node in nodes for _ in range(3)]


def answered(seen: World) -> list[str]:
    return [record.node for record in seen.dns.answers]


def told(seen: World) -> list[str]:
    return [change.text for change in seen.changes]


def test_before_anything_is_served_nothing_is_answered() -> None:
    assert answered(world()) == [] and not world().dns.fails_open


def test_a_node_is_left_out_after_three_failed_checks_and_comes_back_after_three_good_ones() -> None:
    facts: list[Fact] = [ZONE, checked("node3", False), checked("node3", False)]
    assert answered(world(*facts)) == ["node1", "node2", "node3"]
    facts.append(checked("node3", False))
    assert answered(world(*facts)) == ["node1", "node2"]
    facts += [checked("node3", True), checked("node3", True)]
    assert answered(world(*facts)) == ["node1", "node2"]
    facts.append(checked("node3", True))
    assert answered(world(*facts)) == ["node1", "node2", "node3"]
    assert told(world(*facts)) == [
        "DNS: the lab answers for 1 names on port 20053",
        "DNS: node3 is unhealthy (connection refused)",
        "DNS: node3 is healthy again",
    ]


def test_when_no_node_is_healthy_all_are_answered() -> None:
    seen = world(ZONE, *down("node1", "node2", "node3"))
    assert seen.dns.fails_open
    assert answered(seen) == ["node1", "node2", "node3"]
    assert told(seen)[-1] == "DNS: no node is healthy, so all are answered"


def test_a_lesson_and_a_restored_cluster_begin_with_healthy_nodes_and_new_clients() -> None:
    report = ClientsSeen(4.0, (ClientsRow("ttl", (("node1", 1, 0, 0),), (("node1", 4),)),))
    for fact in (LessonOpened("edge-failover"), Restored("start")):
        seen = world(ZONE, *down("node3"), report, fact)
        assert answered(seen) == ["node1", "node2", "node3"]
        assert seen.dns.reports == () and seen.dns.zone == ZONE


def test_when_it_ends_it_is_seen_as_it_was_and_begins_anew() -> None:
    seen = world(ZONE, *down("node3"), ZoneServed("off"))
    assert answered(seen) == ["node1", "node2"] and told(seen)[-1] == "DNS: off"
    assert seen.dns.zone == replace(ZONE, state="off")
    assert answered(world(ZONE, *down("node3"), ZoneServed("off"), ZONE)) == ["node1", "node2", "node3"]
