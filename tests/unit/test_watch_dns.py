"""The source of the lab's DNS: nodes that answer, a name that leads to them, and clients that go there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.dns.client import resolve
from lab.dns.server import LOOPBACK, NameServer
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from lab.watch.dns import clients
from lab.watch.dns.source import DnsSource
from lab.world.dns import Caching
from lab.world.entries import LessonOpened
from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles.https import Answer, Asked, http_server
from tests.doubles.tls import sign

BOUND, HOST = 60.0, "node-app.localhost"
NOWHERE = ("127.0.0.1", 1)


def reply(asked: Asked) -> Answer:
    return Answer("hello", 200 if asked.host == HOST else 404)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "PERIOD", 0.2)


def free_port() -> int:
    server = NameServer(0, lambda query: None)
    server.close()
    return server.port


@contextmanager
def watched(tmp_path: Path, *, dead: tuple[str, ...] = ("node2",)) -> Iterator[tuple[Journal, int]]:
    """Two nodes, of which those that are dead answer nobody; checked five times a second."""
    journal, port = Journal(), free_port()
    with http_server(reply) as plain, http_server(reply, sign("somebody else"), tmp_path) as tls:
        places = {name: {80: NOWHERE, 443: NOWHERE} if name in dead else {80: plain, 443: tls} for name in NODES}
        nodes = tuple(Endpoint(n, "manager", "", lan_address=NODES[n], published=places[n]) for n in NODES)
        source = DnsSource(journal, nodes, "localhost", port, 5.0, interval=0.2)
        source.start()
        try:
            yield journal, port
        finally:
            source.close()


NODES = {"node1": "10.77.0.11", "node2": "10.77.0.12"}


def answered(world: World) -> list[str]:
    return [record.node for record in world.dns.answers]


def test_a_name_leads_to_the_healthy_nodes_only_whoever_issued_their_certificate(tmp_path: Path) -> None:
    with watched(tmp_path) as (journal, port):
        assert journal.wait(lambda world: answered(world) == ["node1"], BOUND)
        assert resolve(HOST, (LOOPBACK, port), BOUND).addresses == ("10.77.0.11",)
        world = journal.world
    zone = world.dns.zone
    assert zone is not None and zone.names == (HOST, "traefik.localhost", "viz.localhost")
    assert world.dns.health["node1"].healthy and world.dns.checks["node2"].last[-1][1].status == 0
    assert journal.world.dns.zone is not None and journal.world.dns.zone.state == "off"
    with pytest.raises(LabError):
        resolve(HOST, (LOOPBACK, port), 0.5)


def test_each_kind_of_client_does_with_the_answer_what_it_is_named_for(tmp_path: Path) -> None:
    def seen(world: World, caching: Caching, node: str) -> tuple[int, int, int]:
        """How many requests the node answered, how many failed there, and how many another one answered."""
        went = [went for _, row in world.dns.rows(caching) for went in row.went if went[0] == node]
        return sum(w[1] for w in went), sum(w[2] for w in went), sum(w[3] for w in went)

    with watched(tmp_path) as (journal, _):
        assert journal.wait(lambda world: all(any(seen(world, "forever", node)) for node in NODES), BOUND)
        assert journal.wait(lambda world: seen(world, "next", "node2")[2] > 0, BOUND)
        world = journal.world
    assert seen(world, "forever", "node1")[0] and seen(world, "forever", "node1")[1:] == (0, 0)
    assert seen(world, "forever", "node2")[1] and seen(world, "forever", "node2")[::2] == (0, 0)
    assert seen(world, "next", "node2")[:2] == (0, 0), "the next address has answered"
    row = next(row for _, row in world.dns.rows("forever"))
    assert dict(row.believe).keys() <= NODES.keys()


def test_who_opens_a_lesson_meets_clients_that_have_not_been_there(tmp_path: Path) -> None:
    def age(world: World) -> float:
        """The age of the oldest answer in the last report; 0 before the first."""
        return [0.0, *(row.age for _, row in world.dns.rows("forever"))][-1]

    with watched(tmp_path, dead=()) as (journal, _):
        assert journal.wait(lambda world: age(world) > 2, BOUND)
        oldest = age(journal.world)  # it only grows, as long as the same clients ask
        journal.write(LessonOpened("edge-failover"))
        assert journal.wait(lambda world: 0 < age(world) < oldest, BOUND)


def test_a_taken_port_is_told_and_the_checks_go_on(tmp_path: Path) -> None:
    blocker = NameServer(0, lambda query: None)
    journal = Journal()
    source = DnsSource(
        journal, (Endpoint("node1", "manager", "", published={443: NOWHERE}),), "localhost", blocker.port, 5.0
    )
    source.start()
    try:
        assert journal.wait(lambda world: world.dns.zone is not None and world.dns.zone.state == "taken", BOUND)
        assert journal.wait(lambda world: "node1" in world.dns.checks, BOUND)
        assert f"port {blocker.port}" in journal.world.changes[0].text
        blocker.close()
        assert journal.wait(lambda world: world.dns.zone is not None and world.dns.zone.state == "live", BOUND)
    finally:
        source.close()
