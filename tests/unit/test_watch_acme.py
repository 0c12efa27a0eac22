"""What Traefik's log tells of an order, and following that log through everything that may happen to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import docker
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.endpoint import Endpoint
from lab.watch.acme import AcmeSource, parse_log_line
from lab.watch.source import PollInterval
from lab.world.entries import AcmeTold, ManagerLink, SwarmChanged
from lab.world.journal import Journal
from lab.world.swarm import Service, ServiceSpec
from lab.world.world import World
from tests.doubles.logs import Logs, line, logging_engine

APP, BOUND = "node-app.localhost", 60.0
ISSUED = line("Server responded with a certificate.", domains=APP, lib="lego")
ACCESS = '{"ClientAddr":"10.0.0.2:4","DownstreamStatus":200,"RequestPath":"/","level":"info","msg":"","time":"now"}'


@pytest.mark.parametrize(
    ("text", "stage", "hosts"),
    [
        (line("Obtaining bundled SAN certificate.", domains=APP, lib="lego"), "ordering", (APP,)),
        (line("Register...", providerName="acme.acme"), "ordering", ()),
        (line("Trying to solve TLS-ALPN-01.", domain=APP, lib="lego"), "proving", (APP,)),
        (line("The server validated our request.", domain=APP), "proving", (APP,)),
        (
            line("Validations succeeded; requesting certificates.", domains="a.org, b.org"),
            "proving",
            ("a.org", "b.org"),
        ),
        (line("Waiting for certificates.", domains="traefik.localhost", lib="lego"), "proving", ("traefik.localhost",)),
        (ISSUED, "issued", (APP,)),
        (line("Renewing ACME certificate: {Main:node-app.localhost SANs:[]}"), "renewing", (APP,)),
        (
            line("Renewing certificate from LE : {Main:a.org SANs:[b.org c.org]}"),
            "renewing",
            ("a.org", "b.org", "c.org"),
        ),
        (line("Error renewing ACME certificate: {node-app.localhost []}", error="no"), "failed", (APP,)),
    ],
)
def test_a_line_about_an_order(text: str, stage: str, hosts: tuple[str, ...]) -> None:
    fact = parse_log_line(text)
    assert fact is not None
    assert (fact.stage, fact.hosts) == (stage, hosts)
    assert fact.text.startswith(json.loads(text)["message"])


def test_a_failure_says_why() -> None:
    why = (
        "unable to generate a certificate for the domains [x.localhost]: error: one or more domains had a problem:\n no"
    )
    fact = parse_log_line(
        line(
            "Unable to obtain ACME certificate for domains",
            level="error",
            providerName="acme.acme",
            domains=["x.localhost"],
            error=why,
        )
    )
    assert fact is not None
    assert (fact.stage, fact.hosts) == ("failed", ("x.localhost",))
    assert fact.text == f"Unable to obtain ACME certificate for domains: {' '.join(why.split())}"


@pytest.mark.parametrize(
    "text",
    [
        ACCESS,
        "",
        "plain words about certificates",
        line("Testing certificate renew...", providerName="acme.acme"),
        line("Configuration loaded from flags."),
        '{"message": 3}',
        '["message"]',
        '{"message": "Server responded with a certificate."',
        '"message"' + "[" * 100_000,
    ],
)
def test_everything_else_tells_nothing(text: str) -> None:
    assert parse_log_line(text) is None


VALUES = st.none() | st.integers() | st.text() | st.lists(st.none() | st.text())


@given(st.dictionaries(st.sampled_from(["domains", "domain", "error", "level"]), VALUES))
def test_any_fields_beside_the_message_are_borne(more: dict[str, Any]) -> None:
    fact = parse_log_line(json.dumps({**more, "message": "Server responded with a certificate."}))
    assert fact is not None
    assert all(host and isinstance(host, str) for host in fact.hosts)


def connect(endpoint: Endpoint, timeout: float) -> docker.DockerClient:
    return docker.DockerClient(base_url=endpoint.url, version="1.44", timeout=int(timeout))


def runs(id: str) -> SwarmChanged:
    return SwarmChanged("node1", services=(Service(id, "edge_traefik", ServiceSpec("traefik:3.7"), 1),), first=True)


def traefik(world: World) -> str:
    return next(iter(world.swarm.services), "")


class Watched:
    def __init__(self, *endpoints: Endpoint) -> None:
        self.journal = Journal()
        self.source = AcmeSource(
            self.journal, endpoints, connect, traefik, interval=PollInterval(0.05, 300, 0.05, 0.01)
        )

    def texts(self) -> list[str]:
        return [fact.text for _, fact in self.journal.world.edge.acme]

    def wait(self, *texts: str) -> None:
        assert self.journal.wait(lambda w: len(w.edge.acme) >= len(texts), BOUND), self.texts()
        assert self.texts() == list(texts)


@pytest.fixture
def logs() -> Logs:
    return Logs()


@pytest.fixture
def watched(logs: Logs) -> Iterator[Watched]:
    with logging_engine(logs) as endpoint:
        it = Watched(endpoint)
        it.source.start()
        yield it
        it.source.close()


FIRST, SECOND, THIRD = (line("Server responded with a certificate.", domains=f"{n}.org", n=n) for n in "abc")
SAID = "Server responded with a certificate."


def hosts(watched: Watched) -> list[str]:
    return [fact.hosts[0] for _, fact in watched.journal.world.edge.acme]


def test_what_was_said_and_what_is_said_then(watched: Watched, logs: Logs) -> None:
    logs.say("svc-1", ACCESS, FIRST)
    watched.journal.write(runs("svc-1"))
    watched.wait(SAID)
    logs.say("svc-1", ACCESS, SECOND)
    watched.wait(SAID, SAID)
    assert hosts(watched) == ["a.org", "b.org"]
    assert all(isinstance(fact, AcmeTold) for _, fact in watched.journal.world.edge.acme)


def test_a_log_that_breaks_is_opened_again_and_tells_nothing_twice(watched: Watched, logs: Logs) -> None:
    logs.say("svc-1", FIRST)
    watched.journal.write(runs("svc-1"))
    watched.wait(SAID)
    logs.cut()
    assert logs.wait_opened(2, BOUND)
    logs.say("svc-1", SECOND)
    watched.wait(SAID, SAID)
    assert hosts(watched) == ["a.org", "b.org"]


def test_another_service_is_followed_when_the_first_is_gone(watched: Watched, logs: Logs) -> None:
    logs.say("svc-1", FIRST)
    logs.say("svc-2", SECOND)
    watched.journal.write(runs("svc-1"))
    watched.wait(SAID)
    watched.journal.write(SwarmChanged("node1", gone=("svc-1",)))
    watched.journal.write(runs("svc-2"))
    watched.wait(SAID, SAID)
    assert hosts(watched) == ["a.org", "b.org"]
    assert logs.opened == ["svc-1", "svc-2"]


def test_a_service_that_the_engine_does_not_know_yet(watched: Watched, logs: Logs) -> None:
    watched.journal.write(runs("svc-1"))
    logs.say("svc-1", FIRST)
    watched.wait(SAID)


def test_another_manager_is_read_through_when_the_world_is_linked_to_it(logs: Logs) -> None:
    others = Logs()
    logs.say("svc-1", FIRST)
    others.say("svc-1", FIRST, SECOND)
    with logging_engine(logs) as one, logging_engine(others, "node2") as two:
        watched = Watched(one, two)
        watched.journal.write(ManagerLink("live", "node1"))
        watched.journal.write(runs("svc-1"))
        watched.source.start()
        watched.wait(SAID)
        watched.journal.write(ManagerLink("live", "node2"))
        watched.wait(SAID, SAID)
        watched.source.close()
    assert hosts(watched) == ["a.org", "b.org"]


def test_it_ends_while_a_log_is_open_or_none_is(watched: Watched, logs: Logs) -> None:
    logs.say("svc-1", FIRST)
    watched.journal.write(runs("svc-1"))
    watched.wait(SAID)
    watched.source.close()
    assert not watched.source.running
    idle = Watched()
    idle.source.start()
    idle.source.close()
    assert not idle.source.running
