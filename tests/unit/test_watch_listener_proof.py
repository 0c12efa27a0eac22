"""Who gets a password: a listener of our own, and nobody else, seen from what a listener is sent."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lab.engine.endpoint import Endpoint
from lab.watch import http
from lab.watch.listener_proof import Guard, Unproven, find_listeners, is_local, prove_listener
from lab.watch.probe import probe_node
from lab.watch.traefik import TraefikSource
from lab.world.journal import Journal
from lab.world.request import Request
from tests.doubles.https import Answer, Asked, http_server
from tests.doubles.tls import Signed, sign
from tests.processes import ended

LOGIN = ("admin", "the-labs-password")
BOUND = 60.0
HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"


def row(place: str, state: str = "0A", user: int = 1000, inode: int = 77) -> str:
    return f"   0: {place} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {user:5} 0 {inode} 1 0 100 0\n"


def kernel(address: str) -> str:
    """An address as this machine's kernel writes it."""
    raw = socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    words = [raw[at : at + 4] for at in range(0, len(raw), 4)]
    return b"".join(word[::-1] if sys.byteorder == "little" else word for word in words).hex().upper()


@pytest.mark.parametrize(
    ("listens", "state", "found"),
    [
        ("127.0.0.1", "0A", True),
        ("0.0.0.0", "0A", True),
        ("::", "0A", True),
        ("::ffff:127.0.0.1", "0A", True),
        ("::ffff:0.0.0.0", "0A", True),
        ("127.0.0.2", "0A", False),
        ("::1", "0A", False),
        ("127.0.0.1", "01", False),
        ("127.0.0.1", "06", False),
    ],
)
def test_the_listeners_at_an_address(listens: str, state: str, found: bool) -> None:
    table = HEAD + row(f"{kernel(listens)}:01BB", state) + row(f"{kernel(listens)}:01BC", state, 5, 6)
    assert find_listeners(table, "127.0.0.1", 443) == ({(1000, 77)} if found else set())


def test_a_table_that_is_none() -> None:
    assert find_listeners("", "127.0.0.1", 443) == set()
    for text in (HEAD + "   0: 0100", HEAD + row("nothex:01BB"), HEAD + row(f"{kernel('127.0.0.1')}:port")):
        with pytest.raises(ValueError):
            find_listeners(text, "127.0.0.1", 443)


def test_a_loopback_address_is_local_and_a_name_is_not() -> None:
    assert [is_local(host) for host in ("127.0.0.1", "127.9.9.9", "::1")] == [True] * 3
    assert [is_local(host) for host in ("localhost", "10.0.0.1", "", "127.0.0.1.example.org")] == [False] * 4


def test_a_port_is_ours_only_if_every_listener_is(tmp_path: Path) -> None:
    table, mine = tmp_path / "tcp", os.geteuid()
    place = f"{kernel('127.0.0.1')}:01BB"
    table.write_text(HEAD + row(place, user=mine, inode=5))
    assert prove_listener("127.0.0.1", 443, (table,)) == {5}
    assert prove_listener("127.0.0.1", 444, (table,)) == set()
    table.write_text(HEAD + row(place, user=mine) + row(f"{kernel('0.0.0.0')}:01BB", user=mine + 1))
    with pytest.raises(Unproven, match=rf"held by another user \(uid {mine + 1}\)"):
        prove_listener("127.0.0.1", 443, (table,))


def test_where_the_tables_cannot_be_read_nothing_is_proven(tmp_path: Path) -> None:
    damaged = tmp_path / "tcp"
    damaged.write_text(HEAD + "   0:")
    for table in (tmp_path / "nowhere", damaged):
        with pytest.raises(Unproven, match="cannot be told on this machine"):
            prove_listener("127.0.0.1", 443, (table,))


@contextmanager
def listening() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A listener that answers nothing, and all that it was sent once it is asked."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.settimeout(BOUND)
                    heard.append(connection.recv(65536))

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], lambda: b"".join(heard)
        server.shutdown(socket.SHUT_RDWR)


def node(port: int) -> Endpoint:
    return Endpoint("node1", "manager", "", published={443: ("127.0.0.1", port), 80: ("127.0.0.1", port)})


_OTHERS = """
import os, socket, sys
os.setgid(65534); os.setuid(65534)
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1], flush=True)
while True:
    connection, _ = server.accept()
    connection.settimeout(20)
    print(connection.recv(65536)[:200], flush=True)
    connection.close()
"""


@contextmanager
def somebody_elses() -> Iterator[tuple[int, Callable[[], bytes]]]:
    """A listener of another user, where this one may become it; what it was sent."""
    command = [sys.executable, "-c", _OTHERS]
    with ended(subprocess.Popen(command, stdout=subprocess.PIPE)) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())

        def heard() -> bytes:
            process.kill()
            assert process.stdout is not None
            return process.stdout.read()

        yield port, heard


@contextmanager
def called_somebody_elses(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Callable[[], bytes]]]:
    """The same to a user who may not become another: it is this one that is taken for another."""
    mine = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: mine + 1)
    with listening() as found:
        yield found


@pytest.fixture
def theirs(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[int, Callable[[], bytes]]]:
    with somebody_elses() if os.geteuid() == 0 else called_somebody_elses(monkeypatch) as found:
        yield found


@pytest.mark.parametrize("login", ["right", "wrong"])
def test_another_users_listener_is_sent_nothing(theirs: tuple[int, Callable[[], bytes]], login: str) -> None:
    port, heard = theirs
    hit = probe_node(node(port), Request(80, login=login), LOGIN)  # type: ignore[arg-type]  # a parameter is a plain text
    assert hit.status == 0
    assert "the password was not sent" in hit.error
    assert "another user" in hit.error
    assert b"Authorization" not in heard()


def test_the_dashboard_is_not_asked_where_another_user_listens(theirs: tuple[int, Callable[[], bytes]]) -> None:
    port, heard = theirs
    journal = Journal()
    source = TraefikSource(journal, (node(port),), lambda _: "traefik.localhost", LOGIN)
    source.start()
    try:
        assert journal.wait(lambda w: w.edge.routes is not None, BOUND)
    finally:
        source.close()
    routes = journal.world.edge.routes
    assert routes is not None
    assert routes.state == "unreachable"
    assert "the password was not sent: port" in routes.why
    assert heard() == b""


def test_without_a_password_anybody_may_be_asked(theirs: tuple[int, Callable[[], bytes]]) -> None:
    port, heard = theirs
    hit = probe_node(node(port), Request(80), None, bound=5.0)
    assert "password" not in hit.error
    assert b"GET /" in heard()


def test_our_own_listener_gets_the_password() -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer("ok")

    with http_server(answer) as (_, port):
        hit = probe_node(node(port), Request(80, login="right"), LOGIN)
    assert (hit.status, hit.error) == (200, "")
    assert asked[0].login.startswith("Basic ")


def test_a_listener_that_changes_hands_on_the_way_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    inodes = iter(({1}, {2}))
    monkeypatch.setattr("lab.watch.listener_proof.prove_listener", lambda *_: frozenset(next(inodes)))
    with listening() as (port, heard):
        hit = probe_node(node(port), Request(80, login="right"), LOGIN)
        assert "it is not certain which program took the connection" in hit.error
    assert b"Authorization" not in heard()


def test_one_that_begins_to_listen_on_the_way_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = iter((frozenset[int](), frozenset({2})))
    monkeypatch.setattr("lab.watch.listener_proof.prove_listener", lambda *_: next(seen))
    with listening() as (port, heard):
        assert "password was not sent" in probe_node(node(port), Request(80, login="right"), LOGIN).error
    assert b"Authorization" not in heard()


def test_off_this_machine_a_password_goes_only_where_tls_has_verified(tmp_path: Path) -> None:
    """A name is not known to be this machine, whatever it stands for."""
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer("ok")

    def fetch(scheme: str, port: int, trusted: Signed | None) -> int:
        client = http.make_client(10.0, ("localhost", port), LOGIN)
        if trusted is not None:
            context = ssl.create_default_context(cadata=trusted.pem.decode())
            client = http.Client(verify=context, trust_env=False, auth=LOGIN, hooks=[Guard()])
        with client:
            return http.get(client, f"{scheme}://localhost:{port}/", longest=100).status

    with http_server(answer) as (_, port), pytest.raises(Unproven, match="no certificate proves"):
        fetch("http", port, None)
    shown = sign("localhost", names=("localhost",))
    with http_server(answer, shown, tmp_path) as (_, port):
        with pytest.raises(httpx.ConnectError):
            fetch("https", port, None)
        assert not asked
        assert fetch("https", port, shown) == 200
    assert asked[0].login.startswith("Basic ")
