"""Requests to published ports: each is a Hit, whatever came of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.cluster.model import Endpoint
from lab.watch.hits import ask


class Replica(BaseHTTPRequestHandler):
    """Answers as the lessons' images do."""

    def do_GET(self) -> None:
        status = 200 if self.path == "/" else 503
        self.send_response(status)
        if self.path != "/plain":
            self.send_header("X-Replica", "3f1c9a7be2d4")
        self.end_headers()
        self.wfile.write(b"hello from somewhere\nsecond line")

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    yield server.server_address[1]
    server.shutdown()
    server.server_close()


def nodes(port: int) -> list[Endpoint]:
    reached = {8080: ("127.0.0.1", port)}
    return [Endpoint(f"node{n}", "manager", "tcp://127.0.0.1:1", published=reached) for n in (1, 2)]


def test_every_node_is_asked_so_many_times(port: int) -> None:
    hits = ask(nodes(port), 8080, "/", times=3)
    assert [h.node for h in hits] == ["node1"] * 3 + ["node2"] * 3
    assert {(h.status, h.replica, h.error) for h in hits} == {(200, "3f1c9a7be2d4", "")}
    assert all(h.ms > 0 for h in hits)


def test_a_bad_status_is_a_hit(port: int) -> None:
    assert {h.status for h in ask(nodes(port), 8080, "/else")} == {503}


def test_without_the_header_the_first_line_tells_who(port: int) -> None:
    assert {h.replica for h in ask(nodes(port), 8080, "/plain")} == {"hello from somewhere"}


def test_nobody_there_is_a_hit_with_the_reason(port: int) -> None:
    closed = nodes(1)[:1]
    (hit,) = ask(closed, 8080)
    assert hit.status == 0
    assert "Connect" in hit.error
    (unpublished,) = ask(nodes(port)[:1], 9999)
    assert unpublished.status == 0
    assert "9999 of node1 is not reached" in unpublished.error


def test_no_node_no_hit() -> None:
    assert ask([], 8080) == []
