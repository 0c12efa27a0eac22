"""The load generator against small local servers: what it sends, counts and names."""

from __future__ import annotations

import math
import socket
from dataclasses import replace

import pytest

from lab.errors import InputError
from lab.world.load import LoadSpec
from tests.doubles.load import OK, PLAIN, answers, closed_port, nodes, request, server, told


def test_every_node_is_asked_in_turn_and_the_numbers_agree() -> None:
    asked: list[bytes] = []
    with server(answers(OK, asked)) as one, server(answers(OK)) as two, told(nodes(one.port, two.port)) as it:
        it.maker.start(replace(PLAIN, host="node-app.localhost", path="/who?x=1"))
        assert it.maker.load_spec == replace(PLAIN, host="node-app.localhost", path="/who?x=1")
        it.until(lambda load: load.running and load.good >= 60)
        load = it.ended()
        assert it.maker.load_spec is None
        assert (load.running, load.rate, load.bad) == (False, 0.0, 0)
        assert load.target == "http://node-app.localhost/who?x=1"
        assert abs(one.connections - two.connections) <= 1
        assert one.connections + two.connections == load.sent
    head = asked[0].decode().lower()
    assert head.startswith("get /who?x=1 http/1.1\r\n")
    assert "\r\nhost: node-app.localhost\r\n" in head
    assert "\r\nconnection: close\r\n" in head


def test_as_many_are_sent_as_were_due() -> None:
    with server(answers(OK)) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, rate=50))
        it.until(lambda load: load.sent >= 50)
        seconds = sum(fact.seconds for _, fact in it.reports)
        assert 10 * seconds <= it.load.sent <= 50 * seconds + 1
        assert it.ended().bad == 0


def test_the_rate_changes_while_it_runs() -> None:
    with server(answers(OK)) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, rate=0))
        it.until(lambda load: load.running and len(load.ticks) >= 2)
        assert it.load.sent == 0
        it.maker.start(replace(PLAIN, rate=200))
        it.until(lambda load: load.rate == 200 and load.good >= 50)
        it.maker.start(replace(PLAIN, rate=0.001))
        it.until(lambda load: load.rate == 0.001 and load.in_flight == 0 and load.ticks[-1][1].sent == 0)
        assert it.ended().bad == 0


def test_a_change_as_soon_as_it_starts() -> None:
    with server(answers(OK)) as one, told(nodes(one.port)) as it:
        for rate in (1.0, 2.0, 100.0):
            it.maker.start(replace(PLAIN, rate=rate))
        it.until(lambda load: load.rate == 100 and load.good >= 20)
        assert it.ended().bad == 0


def test_another_target_while_it_runs() -> None:
    with server(answers(OK)) as one, told(nodes(one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.good > 0)
        it.maker.start(replace(PLAIN, port=9999))
        it.until(lambda load: load.bad > 0)
        assert it.ended().target == "port 9999 /"
        assert it.errors() == {("node1", 0, "port 9999 of node1 is not reached from this machine")}


def test_one_node_gets_all_requests_when_it_is_named() -> None:
    with server(answers(OK)) as one, server(answers(OK)) as other, told(nodes(one.port, other.port)) as it:
        it.maker.start(replace(PLAIN, node="node2"))
        it.until(lambda load: load.good >= 10)
        assert it.load.target == "port 8080 / of node2"
        it.maker.start(replace(PLAIN, node="node9"))
        it.until(lambda load: load.bad > 0)
        assert it.ended().bad
        assert it.errors() == {("node9", 0, "the cluster has no node node9")}
    assert (one.connections, other.connections >= 10) == (0, True)


def test_kept_connections_are_used_again() -> None:
    def serve(stream: socket.socket) -> None:
        # Three answers a connection, and then the server is gone: the client has to find that out by itself.
        for _ in range(3):
            if not request(stream):
                return
            stream.sendall(OK)

    with server(serve) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, fresh=False))
        it.until(lambda load: load.good >= 60)
        load = it.ended()
        assert (load.bad, it.errors()) == (0, set())
        assert one.connections < load.sent


def test_a_kept_connection_may_be_closed_without_a_word() -> None:
    def serve(stream: socket.socket) -> None:
        if request(stream):
            stream.sendall(OK)
            request(stream)

    with server(serve) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, fresh=False))
        it.until(lambda load: load.good >= 60)
        it.ended()
        assert it.errors() == set()


@pytest.mark.parametrize(
    ("answer", "status", "error"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", 502, ""),
        (b"HTTP/1.1 404 Not Found\r\n\r\nno length: it ends with the connection", 404, ""),
        (b"", 0, "closed without an answer"),
        (b"HTTP/1.1 200 O", 0, "closed without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nyes", 0, "closed in the middle of the answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n", 0, "closed in the middle of the answer"),
    ],
)
def test_a_bad_answer_is_named(answer: bytes, status: int, error: str) -> None:
    with server(answers(answer)) as one, told(nodes(one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad >= 30)
        assert it.ended().good == 0
        assert it.errors() == {("node1", status, error)}


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nno length: it ends with the connection",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\n\r\n",
    ],
)
def test_a_good_answer_is_good(answer: bytes) -> None:
    with server(answers(answer)) as one, told(nodes(one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.good >= 20)
        it.ended()
        assert it.errors() == set()


def test_what_is_no_http_is_named() -> None:
    with server(answers(b"SSH-2.0-OpenSSH\r\n\r\n")) as one, told(nodes(one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.ended().good == 0
        assert all(error.startswith("no HTTP: ") for _, _, error in it.errors())


def test_a_port_that_refuses_and_one_that_answers() -> None:
    with server(answers(OK)) as one, told(nodes(closed_port(), one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad >= 20 and load.good >= 20)
        load = it.ended()
        assert abs(load.good - load.bad) <= 1
        assert it.errors() == {("node1", 0, "connection refused")}


def test_a_connection_that_is_reset_is_named() -> None:
    def serve(stream: socket.socket) -> None:
        request(stream)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with server(serve) as one, told(nodes(one.port)) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, "reset")}


def test_no_answer_within_the_bound() -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    with server(never) as one, told(nodes(one.port), bound=0.2) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.ended().good == 0
        assert it.errors() == {("node1", 0, "no answer in 0.2 s")}
        assert all(failure.ms >= 200 for _, failure in it.load.failures)


def test_a_stop_gives_up_on_what_is_never_answered() -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    with server(never) as one, told(nodes(one.port), bound=600.0) as it:
        it.maker.start(replace(PLAIN, rate=20))
        it.until(lambda load: load.in_flight > 0)
        load = it.ended()
        assert (load.good, load.bad) == (0, load.sent)
        assert it.errors() == {("node1", 0, "no answer before the load was stopped")}


def test_no_more_are_in_flight_than_memory_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    monkeypatch.setattr("lab.watch.load.load_run.IN_FLIGHT", 5)
    with server(never) as one, told(nodes(one.port), bound=600.0) as it:
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.load.in_flight == 5
        assert it.errors() == {("node1", 0, "too many in flight")}
        load = it.ended()
        assert one.connections == 5 < load.sent


def test_a_stop_is_idempotent_and_a_start_follows_it() -> None:
    with server(answers(OK)) as one, told(nodes(one.port)) as it:
        it.maker.stop()
        assert it.reports == []
        it.maker.start(PLAIN)
        it.maker.stop()
        it.maker.stop()
        assert [fact.running for _, fact in it.reports if not fact.running] == [False]
        it.maker.start(PLAIN)
        it.until(lambda load: load.running and load.good >= 10)
        it.maker.close()
        it.maker.close()
        assert not it.load.running
        count = len(it.reports)
        it.maker.start(PLAIN)
        assert it.maker.load_spec is None
        assert len(it.reports) == count
        assert it.load.sent == it.load.good + it.load.bad


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf, 1e9])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with told(nodes(1)) as it:
        with pytest.raises(InputError, match="cannot be made"):
            it.maker.start(replace(PLAIN, rate=rate))
        assert it.maker.load_spec is None


@pytest.mark.parametrize("load_spec", [replace(PLAIN, path="/a b\r\nX: y"), replace(PLAIN, host="a..b"), PLAIN])
def test_what_no_request_can_bear_is_told(load_spec: LoadSpec) -> None:
    with told([] if load_spec == PLAIN else nodes(1)) as it:
        it.maker.start(load_spec)
        it.until(lambda load: load.bad > 0)
        assert it.ended().good == 0
        ((_, _, error),) = it.errors()
        assert error.startswith("no request can carry") or error == "the cluster has no node to ask"


def test_a_load_for_one_node_asks_no_other() -> None:
    with server(answers(OK)) as one, told(nodes(one.port, closed_port())) as it:
        it.maker.start(replace(PLAIN, node="node1"))
        it.until(lambda load: load.good >= 20)
        load = it.ended()
        assert (load.bad, load.target) == (0, "port 8080 / of node1")
