"""The clients of a name: some of each kind, each of which resolves the name and sends a request, again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from lab.dns.client import Answer, Cache
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from lab.watch import probe, threads
from lab.world.dns import CACHINGS, Caching, ClientsRow
from lab.world.entries import ClientsSeen, Hit
from lab.world.request import Request

EACH = 4
"""Clients of one kind."""
PERIOD = 4.0
"""Seconds between two requests of one client: three a second from all of them, which an emulated cluster can bear."""


class Clients:
    """All clients of one name, whose requests go to port 80 of the node that the name leads to.

    `resolve` asks the name server. An address is a node's on the nodes' own network; from here it is reached at the
    port that the cluster forwards to that node.
    """

    def __init__(
        self, endpoints: tuple[Endpoint, ...], resolve: Callable[[str], Answer], name: str, bound: float
    ) -> None:
        self._nodes: Mapping[str, Endpoint] = {endpoint.lan_address: endpoint for endpoint in endpoints}
        self._resolve, self._name, self._bound = resolve, name, bound
        self._guard = threading.Lock()
        # Kind by kind, so that round robin gives the first ones of each kind one node each.
        self._caches = [Cache(caching) for caching in CACHINGS for _ in range(EACH)]
        self._under_way: dict[int, Future[None]] = {}
        self._good: Counter[tuple[Caching, str]] = Counter()
        self._bad: Counter[tuple[Caching, str]] = Counter()
        self._slowest: Counter[Caching] = Counter()
        began = time.monotonic()
        self._due = [began + number * PERIOD / len(self._caches) for number in range(len(self._caches))]
        self._told = began

    def go(self) -> None:
        """Send the requests that are due. Never waits: a client whose last request is still open sends no other."""
        now = time.monotonic()
        for number, due in enumerate(self._due):
            if now >= due and (number not in self._under_way or self._under_way[number].done()):
                self._due[number] = max(due + PERIOD, now)
                self._under_way[number] = threads.start_thread(self._visit, number)

    def report(self) -> ClientsSeen | None:
        """Return what they did since the last report, once a period; None in between."""
        now = time.monotonic()
        if now - self._told < PERIOD:
            return None
        with self._guard:
            rows = tuple(self._row(caching, now) for caching in CACHINGS)
            self._good.clear()
            self._bad.clear()
            self._slowest.clear()
        seconds, self._told = now - self._told, now
        return ClientsSeen(round(seconds, 1), rows)

    def _row(self, caching: Caching, now: float) -> ClientsRow:
        caches = [cache for cache in self._caches if cache.caching == caching and cache.answer is not None]
        believe = Counter(self._named(cache.tries[0]) for cache in caches if cache.tries)
        went = sorted({node for kind, node in (*self._good, *self._bad) if kind == caching})
        return ClientsRow(
            caching,
            tuple((node, self._good[caching, node], self._bad[caching, node]) for node in went),
            tuple(sorted(believe.items())),
            round(max((now - cache.at for cache in caches), default=0.0), 1),
            self._slowest[caching],
        )

    def _named(self, address: str) -> str:
        return self._nodes[address].node if address in self._nodes else address

    def _visit(self, number: int) -> None:
        """Resolve the name if the client has to, and send one request; where it asks first is what counts."""
        cache = self._caches[number]
        if cache.must_ask(time.monotonic()):
            try:
                cache = cache.holding(self._resolve(self._name), time.monotonic())
            except LabError:
                self._count(cache.caching, "", good=False, ms=0.0)
                return
            self._caches[number] = cache
        hits: list[Hit] = []
        began = time.monotonic()
        for address in cache.tries:
            hits.append(self._ask(address))
            if 0 < hits[-1].status < 400:
                break
        good = bool(hits) and 0 < hits[-1].status < 400
        self._count(cache.caching, hits[0].node if hits else "", good=good, ms=(time.monotonic() - began) * 1000)

    def _ask(self, address: str) -> Hit:
        endpoint = self._nodes.get(address) or Endpoint(address, "worker", "")
        return probe.probe_node(endpoint, Request(80, host=self._name), bound=self._bound)

    def _count(self, caching: Caching, node: str, *, good: bool, ms: float) -> None:
        with self._guard:
            (self._good if good else self._bad)[caching, node] += 1
            if good:
                self._slowest[caching] = max(self._slowest[caching], round(ms))
