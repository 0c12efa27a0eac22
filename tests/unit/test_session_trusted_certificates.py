"""Which host names a checkpoint's stacks are served for, and which of them have no certificate yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.engine.endpoint import Endpoint
from lab.lesson.checkpoint import Checkpoint, checkpoint_before
from lab.session.trusted_certificates import list_certified_hosts, list_untrusted
from tests.course import LESSONS
from tests.doubles.https import Answer, http_server
from tests.doubles.load import closed_port
from tests.doubles.tls import Authority, TlsServer, sign, tls_server

NOW, FORMER = Authority("1"), Authority("2")
HOST, OTHER = "node-app.localhost", "traefik.localhost"


def start_of(lesson: str) -> Checkpoint:
    return checkpoint_before(next(each for each in LESSONS if each.id == lesson), None)


def test_the_hosts_are_those_that_the_stacks_are_routed_by() -> None:
    env = {"ACME_DIR": "/nowhere", "DOMAIN": "example.org"}
    assert list_certified_hosts(start_of("failed-update"), env) == ("node-app.example.org", "traefik.example.org")
    assert list_certified_hosts(start_of("scaling"), env) == ()


def _node(name: str, published: dict[int, tuple[str, int]]) -> Endpoint:
    return Endpoint(name, "manager", "tcp://unused", published=published)


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[TlsServer, tuple[Endpoint, ...]]]:
    """A node that is off, and one with Pebble and a server."""
    with (
        http_server(lambda _: Answer(NOW.root.pem), sign("pebble"), tmp_path) as pebble,
        tls_server(tmp_path, {}) as server,
    ):
        refused = ("127.0.0.1", closed_port())
        yield (
            server,
            (_node("node1", {443: refused, 15000: refused}), _node("node2", {443: server.address, 15000: pebble})),
        )


def test_a_host_is_waited_for_until_the_present_authority_vouches_for_it(
    nodes: tuple[TlsServer, tuple[Endpoint, ...]],
) -> None:
    server, endpoints = nodes
    server.shown[HOST] = (sign("TRAEFIK DEFAULT CERT"),)
    server.shown[OTHER] = (FORMER.issue(OTHER), FORMER.between)
    first, second = list_untrusted(endpoints, (HOST, OTHER))
    assert first.startswith(f"{HOST} is served no trusted certificate yet (Traefik made it for itself")
    assert second.startswith(f"{OTHER} is served no trusted certificate yet (its chain ends at")
    server.shown[HOST] = (NOW.issue(HOST), NOW.between)
    server.shown[OTHER] = (NOW.issue(OTHER), NOW.between)
    assert list_untrusted(endpoints, (HOST, OTHER)) == []


def test_nothing_is_trusted_while_the_authority_or_every_node_is_silent(
    nodes: tuple[TlsServer, tuple[Endpoint, ...]],
) -> None:
    _, (off, on) = nodes
    assert list_untrusted((off,), (HOST,)) == ["the ACME server does not answer"]
    (why,) = list_untrusted((off, _node("node2", {15000: on.published[15000]})), (HOST,))
    assert why.startswith(f"{HOST} is served no trusted certificate yet (")
