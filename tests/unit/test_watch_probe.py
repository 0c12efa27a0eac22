"""Requests to published ports: each is a Hit, whatever came of it."""

from __future__ import annotations

import base64
import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.engine.endpoint import Endpoint
from lab.wait import wait_until
from lab.watch.probe import LONGEST, ProbeRound, find_refusing, probe_node, probe_nodes
from lab.world.entries import Hit
from lab.world.request import Request
from tests.doubles.https import Answer, Asked, http_server
from tests.doubles.tls import listening, sign

HOST = "node-app.localhost"
LOGIN = ("admin", "s3cret")


def replica(asked: Asked) -> Answer:
    """Answers as the lessons' images do."""
    told = {"X-Replica": "3f1c9a7be2d4"} if asked.path != "/plain" else {}
    return Answer("hello from somewhere\nsecond line", 503 if asked.path == "/else" else 200, told)


def edge(asked: Asked) -> Answer:
    """Answers as Traefik and the application behind it do."""
    if asked.host != HOST:
        return Answer("404 page not found\n", 404)
    if asked.path == "/moved":
        return Answer("Temporary Redirect", 307, {"Location": f"https://{HOST}/"})
    if asked.path == "/dashboard":
        right = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()
        return Answer("dashboard") if asked.login == right else Answer("401 Unauthorized\n", 401)
    return Answer("hello", headers={"X-Replica": "backend-1", "X-Frontend": "nginx-2", "X-Version": "2"})


@pytest.fixture
def port() -> Iterator[int]:
    with http_server(replica) as (_, port):
        yield port


@pytest.fixture
def https(tmp_path: Path) -> Iterator[int]:
    with http_server(edge, sign("TRAEFIK DEFAULT CERT"), tmp_path) as (_, port):
        yield port


def nodes(port: int, published: int = 8080) -> list[Endpoint]:
    reached = {published: ("127.0.0.1", port)}
    return [Endpoint(f"node{n}", "manager", "tcp://127.0.0.1:1", published=reached) for n in (1, 2)]


def through(https: int, path: str = "/", **more: str) -> Hit:
    request = Request(443, path, protocol="https", **{"host": HOST, **more})  # type: ignore[arg-type]
    hit, other = probe_nodes(nodes(https, 443), request, password=LOGIN)
    assert (hit.status, hit.body) == (other.status, other.body)
    return hit


def test_every_node_is_asked_so_many_times(port: int) -> None:
    hits = probe_nodes(nodes(port), Request(8080), times=3)
    assert [h.node for h in hits] == ["node1"] * 3 + ["node2"] * 3
    assert {(h.status, h.replica, h.error) for h in hits} == {(200, "3f1c9a7be2d4", "")}
    assert {(h.host, h.protocol, h.login) for h in hits} == {("", "http", "")}
    assert all(h.ms > 0 for h in hits)


def test_a_bad_status_is_a_hit(port: int) -> None:
    assert {h.status for h in probe_nodes(nodes(port), Request(8080, "/else"))} == {503}


def test_without_the_header_the_first_line_tells_who(port: int) -> None:
    assert {h.replica for h in probe_nodes(nodes(port), Request(8080, "/plain"))} == {"hello from somewhere"}


def test_nobody_there_is_a_hit_with_the_reason(port: int) -> None:
    closed = nodes(1)[:1]
    (hit,) = probe_nodes(closed, Request(8080))
    assert hit.status == 0
    assert "Connect" in hit.error
    (unpublished,) = probe_nodes(nodes(port)[:1], Request(9999))
    assert unpublished.status == 0
    assert "9999 of node1 is not reached" in unpublished.error


def test_no_node_no_hit() -> None:
    assert probe_nodes([], Request(8080)) == []


def test_a_host_is_asked_for_by_its_name_over_https(https: int) -> None:
    hit = through(https)
    assert (hit.status, hit.replica, hit.front, hit.version) == (200, "backend-1", "nginx-2", "2")
    assert (hit.host, hit.protocol, hit.port) == (HOST, "https", 443)


def test_a_host_that_no_router_has_is_no_replica(https: int) -> None:
    hit = through(https, host="else.localhost")
    assert (hit.status, hit.replica, hit.body) == (404, "", "404 page not found\n")


def test_a_redirect_is_not_followed(https: int) -> None:
    hit = through(https, "/moved")
    assert (hit.status, hit.location) == (307, f"https://{HOST}/")


@pytest.mark.parametrize(("login", "status"), [("", 401), ("wrong", 401), ("right", 200)])
def test_the_password_right_wrong_and_none(https: int, login: str, status: int) -> None:
    hit = through(https, "/dashboard", login=login)
    assert (hit.status, hit.login) == (status, login)


def test_a_login_without_a_password_sends_nothing(https: int) -> None:
    (hit, _) = probe_nodes(nodes(https, 443), Request(443, host=HOST, protocol="https", login="right"))
    assert hit.status == 0
    assert "no user and password" in hit.error


def test_plain_http_where_https_is_spoken_is_told(port: int) -> None:
    (hit, _) = probe_nodes(nodes(port, 443), Request(443, host=HOST, protocol="https"))
    assert (hit.status, hit.host, hit.protocol) == (0, HOST, "https")
    assert hit.error


def test_an_answer_without_an_end_is_read_to_a_bound() -> None:
    def talk(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            stream.sendall(b"x" * LONGEST)

    with listening(talk) as (_, port):
        (hit, _) = probe_nodes(nodes(port), Request(8080))
    assert (hit.status, hit.body) == (200, "x" * 200)


def test_a_node_that_does_not_answer_gets_no_more_of_the_same_requests() -> None:
    (hit,) = probe_nodes(nodes(1)[:1], Request(8080), times=5)
    assert hit.status == 0


def test_in_a_round_a_node_that_hangs_delays_no_other(port: int) -> None:
    told: list[Hit] = []
    let_go = threading.Event()
    with listening(lambda stream: let_go.wait(60)) as (_, silent):
        hangs = Endpoint("node9", "worker", "", published={8080: ("127.0.0.1", silent)})
        sent = ProbeRound([hangs, *nodes(port)], {Request(8080): 2, Request(8080, "/else"): 1}, None, told.append)
        wait_until("the others' answers", 60, lambda: "" if len(sent.hits) == 6 else "missing")
        assert not sent.ended
        let_go.set()
        wait_until("the end", 60, lambda: "" if sent.ended and len(told) == 8 else "not yet")
    assert [hit.status for hit in sent.hits if hit.node == "node1"] == [200, 200, 503]
    assert [hit.node for hit in sent.hits[6:]] == ["node9"] * 2, "one answer to each request is missing"


def test_a_line_over_tcp_is_answered_by_a_line() -> None:
    def talk(stream: socket.socket) -> None:
        said = stream.makefile("rb").readline()
        stream.sendall(b"backend-3 heard " + said + b"and more")

    with listening(talk) as (_, port):
        (hit, _) = probe_nodes(nodes(port, 9000), Request(9000, protocol="tcp", says="hello"))
    assert (hit.status, hit.body, hit.replica) == (200, "backend-3 heard hello", "backend-3 heard hello")
    assert (hit.protocol, hit.error) == ("tcp", "")


def test_tcp_that_is_closed_with_no_word() -> None:
    with listening(lambda stream: None) as (_, port):
        (hit, _) = probe_nodes(nodes(port, 9000), Request(9000, protocol="tcp"))
    assert (hit.status, hit.protocol) == (0, "tcp")
    assert hit.error


def test_a_published_port_that_is_closed_or_dropped_refuses() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = server.getsockname()[1]
    talks: dict[str, Callable[[socket.socket], object]] = {
        "waits": lambda stream: stream.recv(1),
        "speaks": lambda stream: stream.sendall(b"220 hello"),
        "drops": lambda stream: None,
    }
    with contextlib.ExitStack() as servers:
        ports = {name: servers.enter_context(listening(talk))[1] for name, talk in talks.items()}
        where = {**ports, "closed": closed}
        asked = [Endpoint(name, "worker", "", published={80: ("127.0.0.1", port)}) for name, port in where.items()]
        assert find_refusing([*asked, Endpoint("not reached", "worker", "")], 80) == ["drops", "closed"]


@pytest.mark.parametrize(
    ("charset", "body", "text"),
    [
        ("nope", b"hi", "hi"),
        ("base64", b"aGk=", "aGk="),
        ("rot13", b"hi", "hi"),
        ("undefined", b"hi", "hi"),
        ("idna", b"xn--a.b", "xn--a.b"),
        ("x" * 5000, b"hi", "hi"),
        ("utf-7", b"hi+2AA-", "hi?"),
        ("unicode_escape", b"hi\\ud800", "hi?"),
        ("latin-1", b"caf\xe9", "café"),
        ("utf-8", b"caf\xe9", "caf\ufffd"),
    ],
)
def test_any_charset_is_a_hit(charset: str, body: bytes, text: str) -> None:
    with http_server(lambda _: Answer(body, headers={"Content-Type": f"text/plain; charset={charset}"})) as (_, port):
        hit = probe_node(Endpoint("node1", "manager", "", published={80: ("127.0.0.1", port)}), Request(80))
    assert (hit.status, hit.body, hit.error) == (200, text, "")


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "nope"])
def test_a_packed_answer_is_not_unpacked(coding: str) -> None:
    with http_server(lambda _: Answer(b"\x1f\x8b\x00", headers={"Content-Encoding": coding})) as (_, port):
        hit = probe_node(Endpoint("node1", "manager", "", published={80: ("127.0.0.1", port)}), Request(80))
    assert (hit.status, hit.error) == (200, "")


def test_headers_of_any_length_are_cut() -> None:
    told = {"X-Replica": "r" * 9000, "X-Version": "v" * 9000, "Location": "/" * 9000}
    with http_server(lambda _: Answer("", headers=told)) as (_, port):
        hit = probe_node(Endpoint("node1", "manager", "", published={80: ("127.0.0.1", port)}), Request(80))
    assert (len(hit.replica), len(hit.version), len(hit.location)) == (200, 200, 200)


@pytest.mark.parametrize("path", ["/\n", "/\ud800", "/ \x00", "//[", "\u2028"])
def test_a_path_that_no_request_can_carry_is_a_hit_with_the_reason(path: str) -> None:
    hit = probe_node(Endpoint("node1", "manager", "", published={80: ("127.0.0.1", 1)}), Request(80, path=path))
    assert hit.status == 0
    assert hit.error
