"""Traefik's own view, over a double of its API: what is written, and what of each way that it can fail."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.watch import traefik_api
from lab.watch.source import PollInterval
from lab.watch.traefik import LONGEST, TraefikSource
from lab.world.entries import Entry, RoutesSeen
from lab.world.journal import Journal
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic
from lab.world.world import World
from tests.doubles.https import Answer, http_server
from tests.doubles.tls import sign
from tests.doubles.traefik import HOST, LOGIN, METRICS, Traefik, router

BOUND = 60.0


@dataclass
class Watched:
    journal: Journal
    traefik: Traefik
    source: TraefikSource
    entries: list[Entry] = field(default_factory=list)

    def routes(self, state: str) -> RoutesSeen:
        """What is written next of that state."""
        self.source.wake()
        found = self.journal.wait(lambda w: w.edge.routes is not None and w.edge.routes.state == state, BOUND)
        assert found, self.journal.world.edge.routes
        routes = self.journal.world.edge.routes
        assert routes is not None
        return routes

    def count(self, kind: str) -> int:
        return sum(entry.fact.kind == kind for entry in self.entries)


def endpoint(node: str, port: int) -> Endpoint:
    return Endpoint(node, "manager", "tcp://127.0.0.1:1", published={443: ("127.0.0.1", port)})


@pytest.fixture
def traefik() -> Traefik:
    return Traefik()


@pytest.fixture
def watch(tmp_path: Path, traefik: Traefik) -> Iterator[Callable[..., Watched]]:
    """Begin to watch; nothing looks but what is woken."""
    sources: list[TraefikSource] = []
    with http_server(traefik.answer, sign("TRAEFIK DEFAULT CERT"), tmp_path) as (_, port):

        def begin(host: str = HOST, login: tuple[str, str] | None = LOGIN, dead: int = 0) -> Watched:
            journal = Journal()
            nodes = (*(endpoint(f"dead{n}", 1) for n in range(dead)), endpoint("node1", port))
            source = TraefikSource(journal, nodes, lambda world: host, login, interval=PollInterval(300, 300, 300))
            it = Watched(journal, traefik, source)
            journal.read(lambda entry, _: it.entries.append(entry))
            sources.append(source)
            source.start()
            return it

        yield begin
        for source in sources:
            source.close()


def test_the_whole_view(watch: Callable[..., Watched]) -> None:
    seen = watch().routes("live")
    assert (seen.version, seen.why) == ("3.7.15", "")
    assert seen.entrypoints == (EntryPoint("tcp", ":9000"), EntryPoint("web", ":80"), EntryPoint("websecure", ":443"))
    assert [r.name for r in seen.routers] == ["app@swarm", "broken@swarm", "edge-dashboard@swarm", "echo@swarm"]
    app, broken, _, echo = seen.routers
    assert app == Router(
        "app@swarm",
        "http",
        "Host(`node-app.localhost`)",
        "app",
        ("websecure",),
        ("again@swarm",),
        tls=True,
        resolver="le",
    )
    assert (broken.status, broken.errors) == ("disabled", ('the service "nowhere@swarm" does not exist',))
    assert (echo.protocol, echo.tls, echo.entrypoints) == ("tcp", False, ("tcp",))
    assert seen.balancers == (
        Balancer("api@internal", "http"),
        Balancer(
            "app@swarm", "http", (("http://10.0.1.7:80", "UP"), ("http://10.0.1.8:80", "UP")), type="loadbalancer"
        ),
        Balancer("echo@swarm", "tcp", (("10.0.1.9:7000", "UP"),), type="loadbalancer"),
    )
    assert seen.middlewares == (
        Middleware("again@swarm", "http", "retry"),
        Middleware("edge-users@swarm", "http", "basicauth"),
    )
    begins = datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp()
    issuer = "Pebble Intermediate CA 28cc4a"
    assert seen.certificates == (
        Certificate("ab" * 32, "", issuer, ("node-app.localhost",), "EC P-256", "ff", begins, begins + 3600),
    )


def test_the_counts(watch: Callable[..., Watched]) -> None:
    watched = watch()
    assert watched.journal.wait(lambda w: "service:app@swarm" in w.edge.traffic, BOUND)
    rows = {key: row for key, ((_, row),) in watched.journal.world.edge.traffic.items()}
    assert rows == {
        "service:app@swarm": Traffic("app@swarm", "service", good=38, bad=2),
        "entrypoint:websecure": Traffic("websecure", "entrypoint", good=42, open=3),
        "entrypoint:tcp": Traffic("tcp", "entrypoint", open=1),
    }
    watched.traefik.requests = 39
    watched.source.look(BOUND)
    told = watched.journal.world.edge.traffic
    assert [row.good for _, row in told["service:app@swarm"]] == [38, 39]
    assert len(told["entrypoint:websecure"]) == 1


def test_only_what_changed_is_written(watch: Callable[..., Watched]) -> None:
    watched = watch()
    watched.source.look(BOUND)
    watched.source.look(BOUND)
    assert (watched.count("routes"), watched.count("traffic")) == (1, 1)
    watched.traefik.lists["http/routers"][0]["status"] = "warning"
    watched.source.look(BOUND)
    assert (watched.count("routes"), watched.count("traffic")) == (2, 1)


def test_a_list_of_many_pages_is_read_whole(watch: Callable[..., Watched], traefik: Traefik) -> None:
    traefik.lists["http/routers"] = [router(f"r{n:03}@swarm", f"Host(`r{n}.localhost`)", "app") for n in range(250)]
    seen = watch().routes("live")
    assert len([r for r in seen.routers if r.protocol == "http"]) == 250
    assert sum("http/routers" in path for path in traefik.asked) == 3


def test_through_the_first_node_that_answers(watch: Callable[..., Watched]) -> None:
    assert watch(dead=2).routes("live").version == "3.7.15"


def test_no_traefik_is_said_once(watch: Callable[..., Watched]) -> None:
    watched = watch(host="")
    watched.source.look(BOUND)
    watched.source.look(BOUND)
    assert watched.routes("none") == RoutesSeen("none")
    assert watched.count("routes") == 1


@pytest.mark.parametrize("login", [None, ("admin", "wrong")])
def test_the_password_is_refused(watch: Callable[..., Watched], login: tuple[str, str] | None) -> None:
    assert "refuses the user and password (status 401)" in watch(login=login).routes("refused").why


def test_no_router_for_the_host(watch: Callable[..., Watched]) -> None:
    why = watch(host="else.localhost").routes("unreachable").why
    assert "/api/version was answered with status 404" in why
    assert "no router" in why
    assert "else.localhost" in why


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateways_error_is_told_by_its_number(watch: Callable[..., Watched], traefik: Traefik, status: int) -> None:
    traefik.instead["/api/version"] = Answer("Bad Gateway", status)
    assert f"status {status}" in watch().routes("unreachable").why


def test_nobody_there() -> None:
    journal = Journal()
    source = TraefikSource(journal, (endpoint("node1", 1),), lambda world: HOST, LOGIN)
    source.start()
    assert journal.wait(lambda w: w.edge.routes is not None, BOUND)
    source.close()
    routes = journal.world.edge.routes
    assert routes is not None
    assert (routes.state, routes.why) == ("unreachable", "node1: refused")


def test_no_node_publishes_it() -> None:
    journal = Journal()
    source = TraefikSource(journal, (Endpoint("node1", "manager", ""),), lambda world: HOST, LOGIN)
    source.start()
    assert journal.wait(lambda w: w.edge.routes is not None, BOUND)
    source.close()
    routes = journal.world.edge.routes
    assert routes is not None
    assert (routes.state, routes.why) == ("unreachable", "port 443 is reached on no node from this machine")


@pytest.mark.parametrize(
    ("path", "answer", "said"),
    [
        ("/api/http/routers", Answer("<html>\n<h1>hello</h1>"), "not JSON: <html> <h1>hello</h1>"),
        ("/api/version", Answer(""), "not JSON: it is empty"),
        ("/api/version", Answer("{}"), "an object with a Version was expected, but this came: {}"),
        ("/api/version", Answer("moved", 302), "status 302"),
        ("/api/tcp/services", Answer('{"a": 1}'), "a list was expected"),
        ("/api/http/middlewares", Answer("[1]"), "a list of objects was expected, but this came: 1"),
        ("/api/entrypoints", Answer('[{"address": ":80"}]'), "name is missing"),
        ("/api/http/routers", Answer('[{"name": "app@swarm", "rule": 7}]'), "app@swarm: rule is 7 and not a text"),
        ("/api/certificates", Answer('[{"name": "ab", "notBefore": "soon", "notAfter": "late"}]'), "soon"),
        ("/api/http/services", Answer('[{"name": "s", "loadBalancer": 3}]'), "s: "),
        ("/api/http/services", Answer(b"\xff\xfe\x00"), "not JSON"),
        ("/api/http/services", Answer("[" * 100_000), "not JSON"),
    ],
)
def test_an_answer_of_another_shape_is_told_with_its_path(
    watch: Callable[..., Watched], traefik: Traefik, path: str, answer: Answer, said: str
) -> None:
    traefik.instead[path] = answer
    why = watch().routes("unreadable").why
    assert path in why
    assert said in why


def test_an_odd_object_costs_that_object_only(watch: Callable[..., Watched], traefik: Traefik) -> None:
    for kind in ("http/routers", "http/services", "http/middlewares", "entrypoints", "certificates"):
        traefik.lists[kind].append({"name": 7})
    odd: Any = "a text"
    traefik.lists["tcp/services"].append(odd)
    seen = watch().routes("live")
    assert len(seen.routers) == 4
    assert seen.entrypoints
    assert seen.certificates
    assert len(seen.balancers) == 3
    assert "has not the API's shape: ?: name is 7 and not a text (and 5 more)" in seen.why


@pytest.mark.parametrize("field", ["name", "keyType", "serialNumber"])
def test_a_text_that_no_recording_could_hold_costs_its_object_only(field: str) -> None:
    good: dict[str, Any] = {
        "name": "ab",
        "keyType": "ECDSA",
        "keySize": 256,
        "serialNumber": "7",
        "notBefore": "2026-01-01T00:00:00Z",
        "notAfter": "2026-02-01T00:00:00Z",
    }
    odd = {**good, field: "9" * 400}
    found = traefik_api.certificates("/api/certificates", [good, odd])
    assert [one.fingerprint for one in found.values] == ["ab"]
    assert len(found.odd) == 1
    assert "at most 256 characters" in found.odd[0]


CHARSETS = {"/api/http/routers": "base64", "/metrics": "rot13", "/api/version": "nope"}
"""Each path with a charset; every other pair is costly."""


@pytest.mark.parametrize(
    ("path", "charset"),
    [
        pytest.param(path, charset, marks=() if charset == own else pytest.mark.costly)
        for path, own in CHARSETS.items()
        for charset in CHARSETS.values()
    ],
)
def test_any_charset_is_passed_over(watch: Callable[..., Watched], traefik: Traefik, path: str, charset: str) -> None:
    traefik.instead[path] = Answer("x", headers={"Content-Type": f"text/plain; charset={charset}"})
    watched = watch()
    if path == "/metrics":
        assert watched.routes("live").why.startswith("no counts: ")
    else:
        assert f"{path} is not JSON: x" in watched.routes("unreadable").why
    assert watched.source.running
    traefik.instead.clear()
    assert watched.journal.wait(
        lambda w: w.edge.routes is not None and w.edge.routes.state == "live" and not w.edge.routes.why, BOUND
    )


def test_an_answer_without_an_end_is_not_read_to_it(watch: Callable[..., Watched], traefik: Traefik) -> None:
    traefik.instead["/api/http/routers"] = Answer(b" " * (LONGEST + 1))
    assert "/api/http/routers was answered with more than can be read" in watch().routes("unreadable").why


@pytest.mark.parametrize("value", ["1e999", "NaN", "-1", "1e30"])
def test_a_count_that_is_none_is_told(watch: Callable[..., Watched], traefik: Traefik, value: str) -> None:
    traefik.instead["/metrics"] = Answer(f'traefik_open_connections{{entrypoint="web"}} {value}\n')
    assert watch().routes("live").why.startswith("no counts: ")


def test_a_look_that_nobody_foresaw_to_fail_is_told_and_tried_again() -> None:
    wrong = [True]

    def host(_: World) -> str:
        if wrong:
            raise RecursionError("so deep")
        return ""

    journal = Journal()
    source = TraefikSource(journal, (), host, LOGIN)
    source.start()
    try:
        assert journal.wait(lambda w: w.edge.routes is not None, BOUND)
        assert journal.world.edge.routes == RoutesSeen("unreadable", "RecursionError: so deep")
        wrong.clear()
        assert journal.wait(lambda w: w.edge.routes is not None and w.edge.routes.state == "none", BOUND)
    finally:
        source.close()


def test_it_comes_back(watch: Callable[..., Watched], traefik: Traefik) -> None:
    traefik.instead["/api/version"] = Answer("Bad Gateway", 502)
    watched = watch()
    watched.routes("unreachable")
    traefik.instead.clear()
    assert watched.routes("live").routers


@pytest.mark.parametrize("answer", [Answer("404 page not found", 404), Answer("traefik_open_connections{ what")])
def test_without_counts_the_routes_are_still_told(
    watch: Callable[..., Watched], traefik: Traefik, answer: Answer
) -> None:
    traefik.instead["/metrics"] = answer
    seen = watch().routes("live")
    assert seen.why.startswith("no counts: ")
    assert seen.routers


def test_an_older_traefik_lists_no_certificates(watch: Callable[..., Watched], traefik: Traefik) -> None:
    del traefik.lists["certificates"]
    assert watch().routes("live").certificates == ()


def test_one_that_hangs_up_is_unreachable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        journal = Journal()
        source = TraefikSource(journal, (endpoint("node1", port),), lambda world: HOST, LOGIN)
        source.start()
        assert journal.wait(lambda w: w.edge.routes is not None and w.edge.routes.state == "unreachable", BOUND)
        source.close()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "rule", "error", "loadBalancer", "servers", "url", "tls", "serverStatus", "sans"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.lists(JSON, max_size=3) | JSON)
def test_any_json_is_read_or_refused_with_a_sentence(raw: Any) -> None:
    for read in (traefik_api.routers, traefik_api.balancers, traefik_api.middlewares):
        try:
            read("/api/x", raw, "http")
        except EngineError as error:
            assert "/api/x" in error.sentence
    for plain in (traefik_api.entrypoints, traefik_api.certificates, traefik_api.version):
        try:
            plain("/api/x", raw)
        except EngineError as error:
            assert "/api/x" in error.sentence


def test_half_a_character_in_the_metrics_reaches_no_recording() -> None:
    text = 'traefik_entrypoint_requests_total{code="200",entrypoint="a\ud800b"} 1\n'
    (row,) = traefik_api.traffic("/metrics", text)
    assert row.name == "a?b"


def test_metrics_that_are_none() -> None:
    with pytest.raises(EngineError, match="/metrics cannot be read"):
        traefik_api.traffic("/metrics", METRICS.replace("%d", "NaN"))
    assert traefik_api.traffic("/metrics", "") == ()
