"""Requests to published ports: who answered, through which node. Every request uses a new connection."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from lab.engine.endpoint import Endpoint
from lab.watch import http, threads
from lab.watch.listener_proof import Unproven
from lab.watch.source import first_line
from lab.world.entries import Hit
from lab.world.request import Request

#: Timeout of one request, seconds: generous, because an emulated node under load is slow.
BOUND = 10.0
#: How long a connection is kept open to see whether it is closed, seconds.
_KNOCK = 1.0
#: Maximum bytes read of an answer.
LONGEST = 65536
#: Bytes of those that are decoded as its text.
START = 4096


def probe_nodes(
    endpoints: Iterable[Endpoint], request: Request, times: int = 1, password: http.Password | None = None
) -> list[Hit]:
    """Send a request `times` times to the published port of every node given, all nodes in parallel. Never raises for a
    node: no answer is a Hit with status 0 that says why, and the node gets no more of these requests."""
    rounds = threads.run_side_by_side(lambda endpoint: _ask_often(endpoint, request, times, password), endpoints)
    return [hit for hits in rounds for hit in hits]


class ProbeRound:
    """Requests to every node given, all nodes in parallel, that nobody waits for. `requests` says how often each is
    sent to each node; `write` is called with every answer, on a thread of the round's own.

    A node's answers count once it has answered all that it was asked, so that one that hangs delays no other.
    """

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        requests: Mapping[Request, int],
        password: http.Password | None,
        write: Callable[[Hit], object],
    ) -> None:
        asked = tuple(endpoints)
        self._requests, self._password, self._write = requests, password, write
        self._guard = threading.Lock()
        self._open = len(asked)
        self._hits: tuple[Hit, ...] = ()
        for endpoint in asked:
            threads.start_thread(self._ask, endpoint)

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The answers of the nodes that have answered all that they were asked, oldest first."""
        return self._hits

    @property
    def ended(self) -> bool:
        """Whether no node is still to answer."""
        return not self._open

    def _ask(self, endpoint: Endpoint) -> None:
        hits: list[Hit] = []
        try:
            for request, times in self._requests.items():
                hits += _ask_often(endpoint, request, times, self._password)
        finally:
            with self._guard:
                self._hits, self._open = (*self._hits, *hits), self._open - 1
        for hit in hits:
            self._write(hit)


def _ask_often(endpoint: Endpoint, request: Request, times: int, password: http.Password | None) -> list[Hit]:
    """Send a request `times` times through one node, or until it is not answered."""
    hits: list[Hit] = []
    while len(hits) < times and all(hit.status for hit in hits[-1:]):
        hits.append(probe_node(endpoint, request, password))
    return hits


def probe_node(
    endpoint: Endpoint, request: Request, password: http.Password | None = None, bound: float = BOUND
) -> Hit:
    """Send one request through one node; connecting, and everything after it, may take `bound` seconds each."""
    if request.port not in endpoint.published:
        return _no_answer(
            endpoint, request, 0.0, f"port {request.port} of {endpoint.node} is not reached from this machine"
        )
    if request.login and password is None:
        return _no_answer(endpoint, request, 0.0, "no user and password are known here")
    began = time.perf_counter()
    try:
        if request.protocol == "tcp":
            return _line(endpoint, request, began, bound)
        return _http(endpoint, request, password, began, bound)
    except Unproven as error:
        return _no_answer(endpoint, request, _ms(began), str(error))
    except Exception as error:  # noqa: BLE001  whoever answers may answer anything; each failure is one Hit
        return _no_answer(endpoint, request, _ms(began), f"{type(error).__name__}: {first_line(error)}".strip(": "))


def find_refusing(endpoints: Iterable[Endpoint], port: int) -> list[str]:
    """Return the nodes that refuse or drop a connection to a published port, without those not reached from this
    machine. A server that sends something, or waits for the client to speak first, is listening."""
    asked = [endpoint for endpoint in endpoints if port in endpoint.published]
    there = threads.run_side_by_side(_listens, [endpoint.published[port] for endpoint in asked])
    return [endpoint.node for endpoint, listens in zip(asked, there, strict=True) if not listens]


def _listens(address: tuple[str, int]) -> bool:
    try:
        with socket.create_connection(address, _KNOCK) as stream:
            # The port forwarder accepts every connection, and closes one that the node refused.
            return bool(stream.recv(1))
    except TimeoutError:
        return True
    except OSError:
        return False


def _http(endpoint: Endpoint, request: Request, password: http.Password | None, began: float, bound: float) -> Hit:
    address = endpoint.published[request.port]
    url = f"{request.protocol}://{address[0]}:{address[1]}{request.path}"
    with http.make_client(bound, address, _login(request, password)) as client:
        answer = http.get(client, url, request.host, longest=LONGEST, bound=bound, whole=False)
    body = http.decode_text(answer.body[:START], answer.charset)[:200]
    told = answer.headers
    # A page is not a replica's name, and whatever refuses or fails to forward a request is not a replica.
    page = answer.status >= 400 or body.lstrip().startswith("<")
    first = "" if page else (body.splitlines() or [""])[0][:64]
    return Hit(
        node=endpoint.node,
        port=request.port,
        path=request.path,
        status=answer.status,
        replica=told.get("X-Replica", "")[:200] or first,
        ms=_ms(began),
        body=body,
        host=request.host,
        protocol=request.protocol,
        login=request.login,
        front=told.get("X-Frontend", "")[:200],
        version=told.get("X-Version", "")[:200],
        location=told.get("Location", "")[:200],
    )


def _line(endpoint: Endpoint, request: Request, began: float, bound: float) -> Hit:
    with socket.create_connection(endpoint.published[request.port], bound) as stream:
        if request.says:
            stream.sendall(request.says.encode() + b"\n")
        came = _first_line_of(stream, time.monotonic() + bound)
    if not came:
        return _no_answer(endpoint, request, _ms(began), "the connection was closed with no answer")
    body = http.decode_text(came[:START]).strip()[:200]
    return Hit(endpoint.node, request.port, request.path, 200, body[:64], _ms(began), body=body, protocol="tcp")


def _first_line_of(stream: socket.socket, until: float) -> bytes:
    """Receive up to the end of a line, the end of the stream, or LONGEST bytes. Raises TimeoutError at `until`, however
    much arrived before."""
    came = bytearray()
    while b"\n" not in came and len(came) < LONGEST:
        stream.settimeout(max(until - time.monotonic(), 0.001))
        part = stream.recv(4096)
        if not part:
            break
        came += part
    return bytes(came.partition(b"\n")[0][:LONGEST])


def _login(request: Request, password: http.Password | None) -> http.Password | None:
    if not request.login or password is None:
        return None
    user, right = password
    return (user, right) if request.login == "right" else (user, f"wrong-{right}")


def _no_answer(endpoint: Endpoint, request: Request, ms: float, why: str) -> Hit:
    return Hit(
        endpoint.node,
        request.port,
        request.path,
        0,
        "",
        ms,
        error=why,
        host=request.host,
        protocol=request.protocol,
        login=request.login,
    )


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
