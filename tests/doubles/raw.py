"""A server on loopback that answers each connection's request with bytes, be they HTTP or not, and closes."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress


class RawServer:
    """Answers with what `reply` makes of a request's first lines; TLS with a context. It lives as long as the process:
    `reply` may be changed at any time."""

    def __init__(self, reply: Callable[[bytes], bytes], context: ssl.SSLContext | None = None) -> None:
        self.reply, self._context = reply, context
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, name="raw server", daemon=True).start()

    def _accept(self) -> None:
        while True:
            stream, _ = self._socket.accept()
            threading.Thread(target=self._one, args=(stream,), name="raw answer", daemon=True).start()

    def _one(self, stream: socket.socket) -> None:
        with suppress(OSError), stream:
            stream.settimeout(30)
            stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._context is not None:
                stream = self._context.wrap_socket(stream, server_side=True)
            with stream:
                asked = b""
                while not _whole(asked) and (part := stream.recv(4096)):
                    asked += part
                stream.sendall(self.reply(asked))
                if isinstance(stream, ssl.SSLSocket):
                    stream.unwrap()


def _whole(asked: bytes) -> bool:
    """The head of an HTTP request, or a line of something else."""
    return b"\r\n\r\n" in asked or (b"\n" in asked and not asked.startswith(b"GET "))


def answer(body: bytes | str = b"", status: int | str = 200, headers: dict[str, str] | None = None) -> bytes:
    """An HTTP answer, whose headers stand as they are given; its length is told unless they tell another."""
    data = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
    told = {"Content-Length": str(len(data)), "Connection": "close", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    return f"HTTP/1.1 {status} Told\r\n{lines}\r\n".encode("latin-1", "replace") + data


def path_of(asked: bytes) -> str:
    """The path and query of a request."""
    words = asked.split(b" ", 2)
    return words[1].decode("latin-1") if len(words) > 1 else ""
