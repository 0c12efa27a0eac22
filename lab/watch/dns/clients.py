"""The clients of a name: some of each kind, each of which resolves the name and sends a request, again and again."""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future

from lab.dns.client import Answer, Cache
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from lab.watch import probe, threads
from lab.world.dns import CACHINGS, Caching, ClientsRow, ClientsSeen
from lab.world.entries import Hit
from lab.world.request import Request

EACH = 4
"""Clients of one kind."""
PERIOD = 4.0
"""Seconds between two requests of one client: three a second from all of them, which an emulated cluster can bear."""
_ANSWERED, _FAILED, _ELSEWHERE = range(3)


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
        # All resolve at once, kind by kind, so that round robin gives those of each kind one node each.
        self._caches = [self._refreshed(Cache(caching)) for caching in CACHINGS for _ in range(EACH)]
        self._under_way: dict[int, Future[None]] = {}
        # How many requests that tried a node first it answered, nobody answered, and another one answered.
        self._went: dict[tuple[Caching, str], list[int]] = defaultdict(lambda: [0, 0, 0])
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
            self._went.clear()
        seconds, self._told = now - self._told, now
        return ClientsSeen(round(seconds, 1), rows)

    def _row(self, caching: Caching, now: float) -> ClientsRow:
        caches = [cache for cache in self._caches if cache.caching == caching and cache.answer is not None]
        believe = Counter(self._named(cache.tries[0]) for cache in caches if cache.tries)
        went = sorted((node, tuple(counts)) for (kind, node), counts in self._went.items() if kind == caching)
        return ClientsRow(
            caching,
            tuple((node, good, bad, elsewhere) for node, (good, bad, elsewhere) in went),
            tuple(sorted(believe.items())),
            round(max((now - cache.at for cache in caches), default=0.0), 1),
        )

    def _named(self, address: str) -> str:
        return self._nodes[address].node if address in self._nodes else address

    def _visit(self, number: int) -> None:
        """Resolve the name if the client has to, and send one request; where it asks first is what counts."""
        cache = self._caches[number] = self._refreshed(self._caches[number])
        if not cache.tries:
            self._count(cache.caching, "", _FAILED)
            return
        hits: list[Hit] = []
        for address in cache.tries:
            hits.append(self._ask(address))
            if 0 < hits[-1].status < 400:
                break
        answered = 0 < hits[-1].status < 400
        outcome = _FAILED if not answered else _ANSWERED if len(hits) == 1 else _ELSEWHERE
        self._count(cache.caching, hits[0].node, outcome)

    def _refreshed(self, cache: Cache) -> Cache:
        """Return what the client believes once it has resolved the name, if it has to; nothing if that fails."""
        now = time.monotonic()
        if not cache.must_ask(now):
            return cache
        try:
            return cache.holding(self._resolve(self._name), now)
        except LabError:
            return Cache(cache.caching)

    def _ask(self, address: str) -> Hit:
        endpoint = self._nodes.get(address) or Endpoint(address, "worker", "")
        return probe.probe_node(endpoint, Request(80, host=self._name), bound=self._bound)

    def _count(self, caching: Caching, node: str, outcome: int) -> None:
        with self._guard:
            self._went[caching, node][outcome] += 1
