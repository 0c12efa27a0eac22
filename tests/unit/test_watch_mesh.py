"""The mesh prober: what it asks for, and that every answer and failure is in the journal."""

from __future__ import annotations

from pathlib import Path

from lab.engine.endpoint import Endpoint
from lab.watch.mesh import MeshSource, requests
from lab.watch.source import PollInterval
from lab.world.entries import SwarmChanged
from lab.world.journal import Journal
from lab.world.request import Request
from lab.world.swarm import Port, Service, ServiceSpec
from lab.world.world import World
from tests.doubles.https import Answer, Asked, http_server
from tests.doubles.tls import sign

APP, BOUND = "node-app.localhost", 60.0
EDGE = (Port(80, 80), Port(443, 443), Port(9000, 9000))


def service(name: str, image: str, *ports: Port) -> Service:
    return Service(f"svc-{name}", name, ServiceSpec(image, ports=ports), 1)


def a_world(*services: Service) -> World:
    journal = Journal()
    journal.write(SwarmChanged("node1", services=services, first=True))
    return journal.world


def test_the_services_ports_and_the_hosts_through_traefik() -> None:
    world = a_world(
        service("traefik", "traefik:3.7", *EDGE),
        service("web", "nginx:1.26", Port(8080, 80), Port(8081, 81, mode="host"), Port(5353, 53, "udp"), Port(0, 80)),
        service("pebble", "pebble:2.6", Port(15000, 15000)),
        service("viz", "node:20", Port(8090, 80)),
        service("hidden", "nginx:1.26"),
    )
    assert requests(world, (APP,)) == (Request(8080), Request(8090), Request(443, host=APP, protocol="https"))


def test_port_80_is_a_services_own_where_it_is_not_traefiks() -> None:
    assert requests(a_world(service("web", "nginx:1.26", Port(80, 80))), ()) == (Request(80),)
    for image in ("docker.io/library/traefik:3.7", "traefik", "traefik@sha256:00"):
        assert requests(a_world(service("edge", image, Port(80, 80))), ()) == ()


def test_without_something_that_listens_for_https_no_host_is_asked_for() -> None:
    assert requests(a_world(service("app", "nginx:1.26")), (APP,)) == ()


def all_asked(world: World) -> bool:
    """Every place is asked, and more than once over."""
    asked = {(hit.node, hit.port) for _, hit in world.hits}
    return asked == {("node1", 8080), ("node2", 8080), ("node1", 443)} and len(world.hits) > 6


def test_answers_and_failures_are_written(tmp_path: Path) -> None:
    def plain(asked: Asked) -> Answer:
        return Answer("hello", headers={"X-Replica": "web-1"})

    def edge(asked: Asked) -> Answer:
        return (
            Answer("hello", headers={"X-Replica": "app-2", "X-Frontend": "nginx-1"}) if asked.host == APP else Answer()
        )

    journal = Journal()
    with http_server(plain) as web, http_server(edge, sign("x"), tmp_path) as traefik:
        nodes = (
            Endpoint("node1", "manager", "", published={8080: web, 443: traefik}),
            Endpoint("node2", "worker", "", published={8080: ("127.0.0.1", 1)}),
        )
        source = MeshSource(journal, nodes, lambda world: (APP,), interval=PollInterval(0.05, 0.05, 0.05, 0.01))
        source.start()
        source.look(BOUND)
        assert journal.world.count == 0
        journal.write(
            SwarmChanged(
                "node1",
                services=(service("web", "nginx:1.26", Port(8080, 80)), service("traefik", "traefik:3.7", *EDGE)),
                first=True,
            )
        )
        assert journal.wait(all_asked, BOUND)
        source.close()
    seen = {(hit.node, hit.port, hit.host, hit.status, hit.replica, hit.front) for _, hit in journal.world.hits}
    assert seen == {
        ("node1", 8080, "", 200, "web-1", ""),
        ("node2", 8080, "", 0, "", ""),
        ("node1", 443, APP, 200, "app-2", "nginx-1"),
    }
