"""Small local servers that answer as they are told, and a load maker beside all that it reported."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lab.engine.endpoint import Endpoint
from lab.watch.load.maker import LoadMaker
from lab.world.entries import Entry, LoadReport
from lab.world.journal import Journal
from lab.world.load import Load, LoadSpec
from lab.world.world import World

PORT = 8080
BOUND = 60.0
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"
PLAIN = LoadSpec(100, port=PORT, https=False)

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
    """A server, closed at the end."""
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
    """A local port that refuses."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        return int(gone.getsockname()[1])


class Told:
    """A load maker, its journal, and all that it reported."""

    def __init__(self, endpoints: list[Endpoint], bound: float = BOUND) -> None:
        self.journal = Journal()
        self.reports: list[tuple[float, LoadReport]] = []
        self.journal.read(self._keep)
        self.maker = LoadMaker(self.journal, endpoints, bound=bound)

    def _keep(self, entry: Entry, _: World) -> None:
        if isinstance(entry.fact, LoadReport):
            self.reports.append((entry.at, entry.fact))

    @property
    def load(self) -> Load:
        """The load as the world has it."""
        return self.journal.world.load

    def until(self, holds: Callable[[Load], bool]) -> None:
        """Wait until the load is so."""
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
        """Node, status and error of the failed requests that were told whole."""
        return {(f.node, f.status, f.error) for _, f in self.load.failures}


@contextmanager
def told(endpoints: list[Endpoint], bound: float = BOUND) -> Iterator[Told]:
    """A load maker, closed at the end."""
    it = Told(endpoints, bound)
    try:
        yield it
    finally:
        it.maker.close()
