"""The load generator against small local servers: what it sends, counts and names."""

from __future__ import annotations

import math
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.cluster.model import Endpoint
from lab.errors import InputError
from lab.watch.load import LoadMaker
from lab.watch.tally import Pace, Tally
from lab.world.entries import Entry, LoadMoved
from lab.world.journal import Journal
from lab.world.load import Load, Wish
from lab.world.world import World

PORT = 8080
BOUND = 60.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
PLAIN = Wish(100, port=PORT, https=False)

Serve = Callable[[socket.socket], None]


def request(stream: socket.socket) -> bytes:
    """Read one request; nothing when the other side closed."""
    came = b""
    while not came.endswith(b"\r\n\r\n"):
        part = stream.recv(4096)
        if not part:
            return b""
        came += part
    return came


def answers(answer: bytes, asked: list[bytes] | None = None) -> Serve:
    """Answer once, and close."""

    def serve(stream: socket.socket) -> None:
        came = request(stream)
        if came:
            if asked is not None:
                asked.append(came)
            stream.sendall(answer)

    return serve


class Server:
    """A thread that accepts, and one for each connection."""

    def __init__(self, serve: Serve, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self._serve, self._tls = serve, tls
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._open: set[socket.socket] = set()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Close all."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for stream in tuple(self._open):
            stream.close()

    def _accept(self) -> None:
        while True:
            try:
                stream, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(stream)
            threading.Thread(target=self._one, args=(stream,), daemon=True).start()

    def _one(self, stream: socket.socket) -> None:
        try:
            if self._tls is None:
                self._serve(stream)
            else:
                with self._tls.wrap_socket(stream, server_side=True) as wrapped:
                    self._serve(wrapped)
        except OSError:
            pass
        finally:
            stream.close()


@contextmanager
def server(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    it = Server(serve, tls)
    try:
        yield it
    finally:
        it.close()


def nodes(*ports: int) -> list[Endpoint]:
    """One node per local port."""
    return [
        Endpoint(f"node{n}", "manager", "tcp://127.0.0.1:1", published={PORT: ("127.0.0.1", port)})
        for n, port in enumerate(ports, 1)
    ]


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


class Told:
    """A load maker, its journal, and all that it reported."""

    def __init__(self, endpoints: list[Endpoint], bound: float = BOUND) -> None:
        self.journal = Journal()
        self.reports: list[tuple[float, LoadMoved]] = []
        self.journal.read(self._keep)
        self.maker = LoadMaker(self.journal, endpoints, bound=bound)

    def _keep(self, entry: Entry, _: World) -> None:
        if isinstance(entry.fact, LoadMoved):
            self.reports.append((entry.at, entry.fact))

    @property
    def load(self) -> Load:
        return self.journal.world.load

    def until(self, holds: Callable[[Load], bool]) -> None:
        assert self.journal.wait(lambda world: holds(world.load), BOUND), self.load

    def ended(self) -> Load:
        """Stop; the load with its whole numbers, which must agree with each other."""
        self.maker.stop()
        facts = [fact for _, fact in self.reports]
        assert [fact.running for fact in facts] == [True] * (len(facts) - 1) + [False]
        assert self.load.sent == self.load.good + self.load.bad
        assert self.load.in_flight == 0
        for fact in facts:
            assert sum(fact.counts) == fact.good
            assert sum(fact.bad_counts) == fact.bad
            assert len(fact.failures) <= min(20, fact.bad)
            assert all(0 <= failure.ago <= fact.seconds + 0.001 for failure in fact.failures)
        return self.load

    def errors(self) -> set[tuple[str, int, str]]:
        return {(f.node, f.status, f.error) for _, f in self.load.failures}


@pytest.fixture
def told() -> Iterator[Callable[..., Told]]:
    with ExitStack() as stack:

        def make(endpoints: list[Endpoint], bound: float = BOUND) -> Told:
            it = Told(endpoints, bound)
            stack.callback(it.maker.close)
            return it

        yield make


Make = Callable[..., Told]


def test_every_node_is_asked_in_turn_and_the_numbers_agree(told: Make) -> None:
    asked: list[bytes] = []
    with server(answers(OK, asked)) as one, server(answers(OK)) as two:
        it = told(nodes(one.port, two.port))
        it.maker.start(replace(PLAIN, host="node-app.localhost", path="/who?x=1"))
        assert it.maker.wish == replace(PLAIN, host="node-app.localhost", path="/who?x=1")
        it.until(lambda load: load.running and load.good >= 60)
        load = it.ended()
        assert it.maker.wish is None
        assert (load.running, load.rate, load.bad) == (False, 0.0, 0)
        assert load.target == "http://node-app.localhost/who?x=1"
        assert abs(one.connections - two.connections) <= 1
        assert one.connections + two.connections == load.sent
    head = asked[0].decode().lower()
    assert head.startswith("get /who?x=1 http/1.1\r\n")
    assert "\r\nhost: node-app.localhost\r\n" in head
    assert "\r\nconnection: close\r\n" in head


def test_as_many_are_sent_as_were_due(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, rate=50))
        it.until(lambda load: load.sent >= 50)
        seconds = sum(fact.seconds for _, fact in it.reports)
        assert 25 * seconds <= it.load.sent <= 50 * seconds + 1
        assert it.ended().bad == 0


def test_the_rate_changes_while_it_runs(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, rate=0))
        it.until(lambda load: load.running and len(load.ticks) >= 2)
        assert it.load.sent == 0
        it.maker.start(replace(PLAIN, rate=200))
        it.until(lambda load: load.rate == 200 and load.good >= 50)
        it.maker.start(replace(PLAIN, rate=0.001))
        it.until(lambda load: load.rate == 0.001 and load.in_flight == 0 and load.ticks[-1][1].sent == 0)
        assert it.ended().bad == 0


def test_a_change_as_soon_as_it_starts(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(one.port))
        for rate in (1.0, 2.0, 100.0):
            it.maker.start(replace(PLAIN, rate=rate))
        it.until(lambda load: load.rate == 100 and load.good >= 20)
        assert it.ended().bad == 0


def test_another_target_while_it_runs(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(one.port))
        it.maker.start(PLAIN)
        it.until(lambda load: load.good > 0)
        it.maker.start(replace(PLAIN, port=9999))
        it.until(lambda load: load.bad > 0)
        assert it.ended().target == "port 9999 /"
        assert it.errors() == {("node1", 0, "port 9999 of node1 is not reached from this machine")}


def test_kept_connections_are_used_again(told: Make) -> None:
    def serve(stream: socket.socket) -> None:
        # Three answers a connection, and then the server is gone: the client has to find that out by itself.
        for _ in range(3):
            if not request(stream):
                return
            stream.sendall(OK)

    with server(serve) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, fresh=False))
        it.until(lambda load: load.good >= 60)
        load = it.ended()
        assert (load.bad, it.errors()) == (0, set())
        assert one.connections < load.sent


def test_a_kept_connection_may_be_closed_without_a_word(told: Make) -> None:
    def serve(stream: socket.socket) -> None:
        if request(stream):
            stream.sendall(OK)
            request(stream)

    with server(serve) as one:
        it = told(nodes(one.port))
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
def test_a_bad_answer_is_named(told: Make, answer: bytes, status: int, error: str) -> None:
    with server(answers(answer)) as one:
        it = told(nodes(one.port))
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
def test_a_good_answer_is_good(told: Make, answer: bytes) -> None:
    with server(answers(answer)) as one:
        it = told(nodes(one.port))
        it.maker.start(PLAIN)
        it.until(lambda load: load.good >= 20)
        it.ended()
        assert it.errors() == set()


def test_what_is_no_http_is_named(told: Make) -> None:
    with server(answers(b"SSH-2.0-OpenSSH\r\n\r\n")) as one:
        it = told(nodes(one.port))
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.ended().good == 0
        assert all(error.startswith("no HTTP: ") for _, _, error in it.errors())


def test_a_port_that_refuses_and_one_that_answers(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(closed_port(), one.port))
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad >= 20 and load.good >= 20)
        load = it.ended()
        assert abs(load.good - load.bad) <= 1
        assert it.errors() == {("node1", 0, "connection refused")}


def test_a_connection_that_is_reset_is_named(told: Make) -> None:
    def serve(stream: socket.socket) -> None:
        request(stream)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with server(serve) as one:
        it = told(nodes(one.port))
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, "reset")}


def test_no_answer_within_the_bound(told: Make) -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    with server(never) as one:
        it = told(nodes(one.port), bound=0.2)
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.ended().good == 0
        assert it.errors() == {("node1", 0, "no answer in 0.2 s")}
        assert all(failure.ms >= 200 for _, failure in it.load.failures)


def test_a_stop_gives_up_on_what_is_never_answered(told: Make) -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    with server(never) as one:
        it = told(nodes(one.port), bound=600.0)
        it.maker.start(replace(PLAIN, rate=20))
        it.until(lambda load: load.in_flight > 0)
        load = it.ended()
        assert (load.good, load.bad) == (0, load.sent)
        assert it.errors() == {("node1", 0, "no answer before the load was stopped")}


def test_no_more_are_in_flight_than_memory_allows(told: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(stream: socket.socket) -> None:
        request(stream)
        request(stream)

    monkeypatch.setattr("lab.watch.load_run.IN_FLIGHT", 5)
    with server(never) as one:
        it = told(nodes(one.port), bound=600.0)
        it.maker.start(PLAIN)
        it.until(lambda load: load.bad > 0)
        assert it.load.in_flight == 5
        assert it.errors() == {("node1", 0, "too many in flight")}
        load = it.ended()
        assert one.connections == 5 < load.sent


def test_a_stop_is_idempotent_and_a_start_follows_it(told: Make) -> None:
    with server(answers(OK)) as one:
        it = told(nodes(one.port))
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
        assert it.maker.wish is None
        assert len(it.reports) == count
        assert it.load.sent == it.load.good + it.load.bad


@pytest.mark.parametrize("rate", [-1.0, math.nan, math.inf, 1e9])
def test_a_rate_that_is_none_is_refused(told: Make, rate: float) -> None:
    it = told(nodes(1))
    with pytest.raises(InputError, match="cannot be made"):
        it.maker.start(replace(PLAIN, rate=rate))
    assert it.maker.wish is None


@pytest.mark.parametrize("wish", [replace(PLAIN, path="/a b\r\nX: y"), replace(PLAIN, host="a..b"), PLAIN])
def test_what_no_request_can_bear_is_told(told: Make, wish: Wish) -> None:
    it = told([] if wish == PLAIN else nodes(1))
    it.maker.start(wish)
    it.until(lambda load: load.bad > 0)
    assert it.ended().good == 0
    ((_, _, error),) = it.errors()
    assert error.startswith("no request can bear") or error == "the cluster has no node to ask"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's context with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("fresh", [True, False])
def test_https_bears_the_name_and_judges_no_certificate(told: Make, tls: ssl.SSLContext, fresh: bool) -> None:
    names: list[str | None] = []
    resumed: list[bool | None] = []

    def seen(stream: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        names.append(name)

    def serve(stream: socket.socket) -> None:
        assert isinstance(stream, ssl.SSLSocket)
        resumed.append(stream.session_reused)
        while request(stream):
            stream.sendall(OK)

    tls.sni_callback = seen
    with server(serve, tls) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, https=True, host="node-app.localhost", rate=40, fresh=fresh))
        it.until(lambda load: load.good >= 20)
        load = it.ended()
        assert it.errors() == set()
        assert set(names) == {"node-app.localhost"}
        assert set(resumed) == {False}
        assert (one.connections == load.sent) if fresh else (one.connections < load.sent)


@pytest.mark.parametrize(
    ("serve", "error"),
    [
        (lambda stream: stream.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "TLS: wrong version number"),
        (lambda stream: stream.recv(4096), "TLS: closed in the handshake"),
    ],
)
def test_a_failed_handshake_is_named(told: Make, serve: Serve, error: str) -> None:
    def once(stream: socket.socket) -> None:
        serve(stream)
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(4096):
            pass

    with server(once) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, https=True))
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, error)}


def test_tls_that_closes_without_an_answer_is_named(told: Make, tls: ssl.SSLContext) -> None:
    def serve(stream: socket.socket) -> None:
        request(stream)

    with server(serve, tls) as one:
        it = told(nodes(one.port))
        it.maker.start(replace(PLAIN, https=True, rate=20))
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, "closed without an answer")}


rates = st.floats(0.5, 1000)


@settings(deadline=None)
@given(st.lists(st.tuples(rates, st.floats(0, 20)), min_size=1, max_size=6))
def test_a_pace_owes_what_its_rates_make(parts: list[tuple[float, float]]) -> None:
    pace, now, owed, number = Pace(100.0, parts[0][0]), 100.0, 0.0, 0
    for rate, seconds in parts:
        pace = pace.changed(now, rate)
        now, owed = now + seconds, owed + rate * seconds
        while pace.due(number) <= now:
            number += 1
        assert owed - 0.01 <= number <= owed + 1.01


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from([0, 200, 302, 404, 502]), st.floats(0, 1e5)), max_size=60))
def test_a_tally_adds_up(ends: list[tuple[int, float]]) -> None:
    tally = Tally(0.0)
    for status, seconds in ends:
        tally.send(0.0)
        tally.end(seconds, 0.0, "node1", status)
    fact = tally.report(1e5, running=True, rate=1.0, target="", in_flight=0)
    assert fact.sent == len(ends) == fact.good + fact.bad
    assert (sum(fact.counts), sum(fact.bad_counts)) == (fact.good, fact.bad)
    assert len(fact.failures) == min(20, fact.bad)
