"""An HTTP or HTTPS server on loopback whose answers a test gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.doubles.tls import Signed, server_context


@dataclass
class Answer:
    """What is answered to one request."""

    body: str | bytes = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    path: str
    host: str
    login: str


Reply = Callable[[Asked], Answer]


@contextmanager
def http_server(reply: Reply, shown: Signed | None = None, folder: Path | None = None) -> Iterator[tuple[str, int]]:
    """A server that answers by `reply`; HTTPS with the certificate `shown`, whose file is put into `folder`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = Asked(self.path, self.headers.get("Host", ""), self.headers.get("Authorization", ""))
            answer = reply(asked)
            body = answer.body.encode() if isinstance(answer.body, str) else answer.body
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that broke off is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    if shown is not None and folder is not None:
        context = server_context(folder, (shown,))
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True).start()
    try:
        yield "127.0.0.1", server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
