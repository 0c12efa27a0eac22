"""The part of an engine's API that gives a service's log: frames in a response that stays open."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lab.engine.endpoint import Endpoint


def line(message: str, **more: Any) -> str:
    """A line as Traefik writes it with --log.format=json."""
    return json.dumps({"level": "info", **more, "time": "2026-01-01T10:00:00Z", "message": message})


class Logs:
    """The logs of services, by id. `say` adds lines, `cut` ends what is open; both wait for nothing."""

    def __init__(self) -> None:
        self.lines: dict[str, list[bytes]] = {}
        self.opened: list[str] = []
        self.turn = threading.Condition()
        self.cuts = 0

    def say(self, service: str, *lines: str) -> None:
        with self.turn:
            self.lines.setdefault(service, []).extend(one.encode() + b"\n" for one in lines)
            self.turn.notify_all()

    def cut(self) -> None:
        with self.turn:
            self.cuts += 1
            self.turn.notify_all()

    def wait_opened(self, count: int, bound: float) -> bool:
        with self.turn:
            return self.turn.wait_for(lambda: len(self.opened) >= count, bound)

    def follow(self, service: str, tail: int) -> Iterator[bytes]:
        """Frames: the last lines, and then each that comes; each is split over two frames."""
        with self.turn:
            cuts = self.cuts
            self.opened.append(service)
            self.turn.notify_all()
            left = self.lines.get(service, [])[-tail:]
            sent = len(self.lines.get(service, []))
        while True:
            for one in left:
                for part in (one[:9], one[9:]):
                    yield struct.pack(">BxxxL", 1, len(part)) + part
            with self.turn:
                while self.cuts == cuts and len(self.lines.get(service, [])) == sent:
                    self.turn.wait()
                if self.cuts != cuts:
                    return
                left = self.lines[service][sent:]
                sent += len(left)


@contextmanager
def logging_engine(logs: Logs, node: str = "node1") -> Iterator[Endpoint]:
    """A manager's engine that has these logs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            parts = url.path.strip("/").split("/")
            query = parse_qs(url.query)
            if parts[1:2] != ["services"] or parts[3:] != ["logs"] or parts[2] not in logs.lines:
                body = json.dumps({"message": f"service {parts[-2]} not found"}).encode()
                self.send_response(404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return
            assert (query["follow"], query["stdout"], query["stderr"]) == (["True"], ["True"], ["True"])
            self.send_response(200)
            self.send_header("Content-Type", "application/vnd.docker.multiplexed-stream")
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            with suppress(OSError):
                for frame in logs.follow(parts[2], int(query["tail"][0])):
                    self.wfile.write(f"{len(frame):x}\r\n".encode() + frame + b"\r\n")
                self.wfile.write(b"0\r\n\r\n")

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that broke off is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        yield Endpoint(node, "manager", f"tcp://127.0.0.1:{server.server_address[1]}")
    finally:
        logs.cut()
        server.shutdown()
        server.server_close()
