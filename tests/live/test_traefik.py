"""The real Traefik keeps the contract that the double of `tests/doubles/traefik.py` is written to: the same look at
both, through TraefikSource, and the same things are found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lab.cluster import edge_settings
from lab.cluster.model import Cluster
from lab.engine.endpoint import Endpoint
from lab.session.cluster_driver import ClusterDriver
from lab.watch.traefik import TraefikSource
from lab.world.entries import RoutesSeen
from lab.world.journal import Journal
from lab.world.traefik import Certificate
from lab.world.traefik_services import dashboard_host
from lab.world.world import World
from tests.doubles.https import http_server
from tests.doubles.tls import sign
from tests.doubles.traefik import HOST, LOGIN, Traefik
from tests.live.conftest import Say, swarmlab

pytestmark = pytest.mark.timeout(3000)
BOUND = 600.0


def test_the_double_keeps_the_real_traefiks_contract(
    cluster: Cluster, driver: ClusterDriver, lab_name: str, tmp_path: Path, say: Say
) -> None:
    ran = swarmlab("reset", "--to", "certificates:renew", "--json", "--name", lab_name)
    assert ran.code == 0, ran.err[-4000:]
    driver.look()
    host = dashboard_host(driver.journal.world)
    assert host == f"traefik.{edge_settings.read_settings(cluster).domain}"
    with _watched(cluster.endpoints(), host, edge_settings.read_settings(cluster).login) as journal:
        real = _whole(journal)
        say(f"the real Traefik {real.version}: {len(real.routers)} routers, {len(real.certificates)} certificates")
        _keeps(real, host, "real")
    with http_server(Traefik().answer, sign("TRAEFIK DEFAULT CERT"), tmp_path) as address:
        node = Endpoint("node1", "manager", "", published={443: address})
        with _watched((node,), HOST, LOGIN) as journal:
            _keeps(_whole(journal), HOST, "double")


@contextmanager
def _watched(endpoints: tuple[Endpoint, ...], host: str, login: tuple[str, str]) -> Iterator[Journal]:
    """A journal of its own, into which a TraefikSource writes."""
    journal = Journal()
    source = TraefikSource(journal, endpoints, lambda world: host, login)
    source.start()
    try:
        yield journal
    finally:
        source.close()


def _whole(journal: Journal) -> RoutesSeen:
    """Traefik's view, once a certificate was issued and requests were counted."""

    def told(world: World) -> bool:
        found = world.edge.routes is not None and any(_issued(one) for one in world.edge.routes.certificates)
        return found and "entrypoint:websecure" in world.edge.traffic

    assert journal.wait(told, BOUND), journal.world.edge.routes
    routes = journal.world.edge.routes
    assert routes is not None
    return routes


def _keeps(seen: RoutesSeen, host: str, by: str) -> None:
    assert (seen.state, seen.why) == ("live", ""), by
    assert seen.version.startswith("3.7"), by
    places = {one.name: one.address for one in seen.entrypoints}
    assert {name: places.get(name) for name in ("web", "websecure", "tcp")} == {
        "web": ":80",
        "websecure": ":443",
        "tcp": ":9000",
    }, by

    router = next(one for one in seen.routers if one.name == "edge-dashboard@swarm")
    assert router.rule == f"Host(`{host}`)", by
    assert (router.protocol, router.service, router.middlewares) == (
        "http",
        "api@internal",
        ("edge-headers@file", "edge-users@swarm"),
    ), by
    assert (router.entrypoints, router.tls, router.resolver) == (("websecure",), True, "le"), by
    assert (router.status, router.errors) == ("enabled", ()), by
    middleware = next(one for one in seen.middlewares if one.name == "edge-users@swarm")
    assert (middleware.protocol, middleware.type, middleware.status) == ("http", "basicauth", "enabled"), by
    balancer = next(one for one in seen.balancers if one.name == router.service)
    assert (balancer.protocol, balancer.servers, balancer.status) == ("http", (), "enabled"), by

    for one in seen.certificates:
        assert len(one.fingerprint) == 64, by
        assert set(one.fingerprint) <= set("0123456789abcdef"), by
        assert int(one.serial, 16) > 0, by
        assert 0 < one.not_before < one.not_after, by
    issued = [one for one in seen.certificates if _issued(one)]
    assert issued, (by, seen.certificates)
    assert all(one.names and one.key == "EC P-256" for one in issued), by
    assert all(one.not_after - one.not_before <= 7200 for one in issued), by


def _issued(one: Certificate) -> bool:
    """By Pebble: Traefik may also list the certificate that it made for itself."""
    return one.issuer.startswith("Pebble Intermediate CA")
