"""The certificates as every node serves them, in the journal; and the authority that Pebble hands out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from lab.engine.endpoint import Endpoint
from lab.watch import certificates
from lab.watch.certificates import CertificateSource
from lab.watch.pebble import LONGEST, pebble_roots
from lab.watch.source import PollInterval
from lab.world.entries import AcmeTold, Entry
from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles.https import Answer, http_server
from tests.doubles.tls import Authority, TlsServer, listening, sign, tls_server

APP, VIZ = "node-app.localhost", "viz.localhost"
BOUND = 60.0


@dataclass
class Watched:
    journal: Journal
    server: TlsServer
    source: CertificateSource
    authority: Authority
    entries: list[Entry] = field(default_factory=list)

    def verdict(self, host: str, node: str = "node1") -> str:
        return self.journal.world.edge.certificates[host, node][1].verdict

    def wait(self, until: Callable[[World], bool]) -> None:
        assert self.journal.wait(until, BOUND), self.journal.world.edge.certificates


def endpoint(node: str, address: tuple[str, int] | None = None) -> Endpoint:
    return Endpoint(node, "manager", "tcp://127.0.0.1:1", published={443: address} if address else {})


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    authority, journal = Authority(), Journal()
    with tls_server(tmp_path, {}) as server:
        endpoints = (endpoint("node1", server.address), endpoint("node2", server.address), endpoint("node3"))
        # So slow that only what wakes it makes it look.
        source = CertificateSource(
            journal, endpoints, lambda world: (APP, VIZ), lambda: (authority.root.pem,), interval=PollInterval(300, 300)
        )
        it = Watched(journal, server, source, authority)
        journal.read(lambda entry, _: it.entries.append(entry))
        server.shown[APP] = (authority.issue(APP), authority.between)
        source.start()
        yield it
        source.close()


def test_every_host_is_looked_at_on_every_node_that_is_reached(watched: Watched) -> None:
    watched.source.look(BOUND)
    assert set(watched.journal.world.edge.certificates) == {(h, n) for h in (APP, VIZ) for n in ("node1", "node2")}
    assert (watched.verdict(APP), watched.verdict(VIZ)) == ("good", "unreachable")


def test_what_does_not_change_is_not_written_again(watched: Watched) -> None:
    watched.source.look(BOUND)
    before = len(watched.entries)
    watched.source.look(BOUND)
    watched.source.look(BOUND)
    assert len(watched.entries) == before == 4


def test_a_renewal_is_seen_when_the_order_tells_of_it(watched: Watched) -> None:
    watched.source.look(BOUND)
    first = watched.journal.world.edge.certificates[APP, "node1"][1].certificate
    watched.server.shown[APP] = (watched.authority.issue(APP), watched.authority.between)
    watched.journal.write(AcmeTold((APP,), "issued", "Server responded with a certificate."))
    watched.wait(lambda w: w.edge.certificates[APP, "node1"][1].certificate != first)
    assert watched.verdict(APP) == "good"


def test_a_node_that_goes_is_unreachable_and_its_certificate_forgotten(watched: Watched) -> None:
    watched.source.look(BOUND)
    del watched.server.shown[APP]
    watched.source.look(BOUND)
    seen = watched.journal.world.edge.certificates[APP, "node2"][1]
    assert (seen.verdict, seen.certificate) == ("unreachable", None)


def test_without_hosts_nothing_is_written() -> None:
    journal = Journal()
    source = CertificateSource(journal, (endpoint("node1", ("127.0.0.1", 1)),), lambda world: (), lambda: ())
    source.start()
    source.look(BOUND)
    source.close()
    assert journal.world.count == 0


def test_a_node_that_says_nothing_delays_no_other(tmp_path: Path) -> None:
    authority, journal = Authority(), Journal()

    def silent(stream: object) -> None:
        assert journal.wait(lambda w: (APP, "node1") in w.edge.certificates, BOUND)

    with tls_server(tmp_path, {APP: (authority.issue(APP), authority.between)}) as server, listening(silent) as mute:
        nodes = (endpoint("node2", mute), endpoint("node1", server.address))
        source = CertificateSource(journal, nodes, lambda world: (APP,), lambda: (authority.root.pem,))
        source.start()
        assert journal.wait(lambda w: len(w.edge.certificates) == 2, BOUND)
        source.close()
    assert journal.world.edge.certificates[APP, "node1"][1].verdict == "good"
    assert journal.world.edge.certificates[APP, "node2"][1].verdict == "unreachable"


def pebble(address: tuple[str, int], node: str = "node1") -> Endpoint:
    return Endpoint(node, "manager", "tcp://127.0.0.1:1", published={15000: address})


def test_pebbles_root_comes_from_whichever_node_answers(tmp_path: Path) -> None:
    root = Authority().root.pem

    def answer(asked: object) -> Answer:
        return Answer(root, headers={"Content-Type": "application/pem-certificate-chain; charset=utf-8"})

    with http_server(answer, sign("pebble"), tmp_path) as address:
        assert pebble_roots((pebble(("127.0.0.1", 1)), pebble(address, "node2"))) == (root,)


@pytest.mark.parametrize(
    "answer",
    [
        Answer('{"type": "urn:ietf:params:acme:error:malformed"}'),
        Answer(""),
        Answer("-----BEGIN CERTIFICATE-----"),
        Answer("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        Answer(b"\xff" * 9, headers={"Content-Type": "text/plain; charset=base64"}),
        Answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}),
        # A root, and then more than is read.
        Answer(sign("Pebble Root CA 1", authority=True).pem + b"\n" * LONGEST),
    ],
)
def test_what_is_no_root_gives_none(tmp_path: Path, answer: Answer) -> None:
    with http_server(lambda asked: answer, sign("pebble"), tmp_path) as address:
        assert pebble_roots((pebble(address),)) == ()


def test_no_pebble_gives_none(tmp_path: Path) -> None:
    with http_server(lambda asked: Answer("404", 404), sign("pebble"), tmp_path) as address:
        assert pebble_roots((pebble(address),)) == ()
    assert pebble_roots((pebble(("127.0.0.1", 1)),)) == ()
    assert pebble_roots((endpoint("node1"),)) == ()


def test_the_last_known_authority_stays_known_while_pebble_is_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(certificates, "KEEP", 0.0)
    authority, journal = Authority(), Journal()
    given = iter([(authority.root.pem,)])
    with tls_server(tmp_path, {APP: (authority.issue(APP), authority.between)}) as server:
        nodes = (endpoint("node1", server.address),)
        source = CertificateSource(journal, nodes, lambda world: (APP,), lambda: next(given, ()))
        source.start()
        source.look(BOUND)
        source.look(BOUND)
        source.close()
    assert journal.world.edge.certificates[APP, "node1"][1].verdict == "good"


def test_a_look_that_fails_leaves_no_certificate_that_seems_to_be_served_still(tmp_path: Path) -> None:
    authority, journal, wrong = Authority(), Journal(), list[bool]()

    def hosts(_: World) -> tuple[str, ...]:
        if wrong:
            raise RecursionError("so deep")
        return (APP,)

    with tls_server(tmp_path, {APP: (authority.issue(APP), authority.between)}) as server:
        endpoints = (endpoint("node1", server.address),)
        source = CertificateSource(
            journal, endpoints, hosts, lambda: (authority.root.pem,), interval=PollInterval(0.1, 0.1, 0.5)
        )
        source.start()

        def verdict(world: World) -> str:
            found = world.edge.certificates.get((APP, "node1"))
            return found[1].verdict if found else ""

        try:
            assert journal.wait(lambda w: verdict(w) == "good", BOUND)
            wrong.append(True)
            assert journal.wait(lambda w: verdict(w) == "unreachable", BOUND)
            assert journal.world.edge.certificates[APP, "node1"][1].why == "RecursionError: so deep"
            wrong.clear()
            assert journal.wait(lambda w: verdict(w) == "good", BOUND)
        finally:
            source.close()
