"""One exchange has one bound, however little at a time an answer brings, and a program that ends waits for none."""

from __future__ import annotations

import itertools
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from lab.engine.endpoint import Endpoint
from lab.watch import http, probe, threads
from lab.world.request import Request
from tests.doubles.tls import listening, server_context, sign

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"


@contextmanager
def dripping(start: bytes, drop: bytes, wrap: Callable[[socket.socket], socket.socket] | None = None) -> Iterator[int]:
    """A server that says `start` and then `drop` for ever, more often than any read's own bound is long; the port."""
    over = threading.Event()

    def talk(stream: socket.socket) -> None:
        with suppress(OSError), wrap(stream) if wrap else stream as line:
            line.recv(4096)
            line.sendall(start)
            while not over.wait(0.05):
                line.sendall(drop)

    with listening(talk) as (_, port):
        yield port
        over.set()


def fetch(url: str, *, whole: bool = True) -> http.Answer:
    with http.make_client(5.0, ("127.0.0.1", 0)) as client:
        return http.get(client, url, longest=100_000, bound=0.5, whole=whole)


@pytest.mark.parametrize(
    ("start", "drop"),
    [
        pytest.param(b"H", b"H", id="a status line without an end"),
        pytest.param(HEAD, b"X-More: a\r\n", id="headers without an end"),
        pytest.param(HEAD + b"X-Long: ", b"a", id="a header without an end"),
        pytest.param(HEAD + b"\r\n", b"a", id="a body without an end"),
        pytest.param(HEAD + b"Content-Length: 50000\r\n\r\n", b"a", id="a body that takes too long"),
    ],
)
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
def test_an_answer_that_drips_has_a_bound(tmp_path: Path, start: bytes, drop: bytes, tls: bool) -> None:
    context = server_context(tmp_path, (sign("drip"),)) if tls else None

    def wrap(stream: socket.socket) -> socket.socket:
        assert context is not None
        return context.wrap_socket(stream, server_side=True)

    with (
        dripping(start, drop, wrap if tls else None) as port,
        pytest.raises((httpx.ReadTimeout, httpx.RemoteProtocolError)),
    ):
        fetch(f"{'https' if tls else 'http'}://127.0.0.1:{port}/")


def test_the_start_of_a_body_that_drips_is_an_answer_where_it_need_not_be_whole() -> None:
    with dripping(HEAD + b"\r\nhello", b".") as port:
        answer = fetch(f"http://127.0.0.1:{port}/", whole=False)
        assert answer.status == 200
        assert answer.text.startswith("hello.")


def test_a_client_goes_on_after_an_exchange_that_was_late() -> None:
    ways = itertools.count()

    def talk(stream: socket.socket) -> None:
        with suppress(OSError), stream:
            stream.recv(4096)
            if next(ways):
                stream.sendall(HEAD + b"Content-Length: 2\r\n\r\nok")
            stream.recv(1)

    with listening(talk) as (_, port), http.make_client(5.0, ("127.0.0.1", port)) as client:
        with pytest.raises(httpx.ReadTimeout, match="no end in 0 s"):
            http.get(client, f"http://127.0.0.1:{port}/", longest=100, bound=0.3)
        assert http.get(client, f"http://127.0.0.1:{port}/", longest=100, bound=30).body == b"ok"


def test_a_line_that_drips_is_a_hit_that_failed() -> None:
    with dripping(b"a", b"a") as port:
        endpoint = Endpoint("node1", "manager", "tcp://127.0.0.1:1", published={9000: ("127.0.0.1", port)})
        hit = probe.probe_node(endpoint, Request(9000, protocol="tcp", says="hello"), bound=0.5)
        assert hit.status == 0
        assert hit.error.startswith("TimeoutError")


def test_results_come_in_order_and_errors_are_raised() -> None:
    assert threads.run_side_by_side(lambda number: number * 2, range(20)) == [number * 2 for number in range(20)]
    with pytest.raises(ZeroDivisionError):
        threads.run_side_by_side(lambda number: 1 // number, [1, 0])


def test_a_program_that_ends_waits_for_no_answer() -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-c",
            "import threading\nfrom lab.watch import threads\nthreads.start_thread(threading.Event().wait, None)",
        ],
        timeout=60,
        check=False,
    )
    assert ended.returncode == 0
