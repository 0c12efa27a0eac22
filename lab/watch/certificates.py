"""The certificates that are served, seen in a TLS handshake with every node for every host name."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

from lab.engine.endpoint import Endpoint
from lab.watch import threads
from lab.watch.handshake import handshake
from lab.watch.source import PollInterval, Source, describe_error
from lab.world.entries import AcmeTold, CertificateSeen, Entry
from lab.world.journal import Journal
from lab.world.world import World

#: The port whose certificates are inspected.
PORT = 443
#: Timeout of one handshake, seconds.
BOUND = 8.0
#: Seconds for which polling stays fast after a change.
LINGER = 10.0
#: Seconds after which a handshake is written even if nothing changed: its `now` keeps the clock accurate.
AGAIN = 30.0
#: Seconds for which the authorities' certificates are cached.
KEEP = 10.0
#: Seconds of silence after which an order is no longer waited for.
ORDER = 60.0


class CertificateSource(Source):
    """A source that performs handshakes with all nodes in parallel, and at once when an order makes progress.

    `hosts` returns the host names of a world's services, `roots` the known authorities' certificates in PEM; while that
    returns none, the previous ones stay known.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        hosts: Callable[[World], tuple[str, ...]],
        roots: Callable[[], tuple[bytes, ...]],
        *,
        interval: PollInterval | None = None,
    ) -> None:
        super().__init__("certificates", interval or PollInterval(), journal)
        self._journal, self._hosts, self._ask = journal, hosts, roots
        self._endpoints = tuple(e for e in endpoints if PORT in e.published)
        self._roots: tuple[bytes, ...] = ()
        self._asked_at = float("-inf")
        self._written: dict[tuple[str, str], tuple[float, CertificateSeen]] = {}
        self._moved_at = float("-inf")

    def _on_entry(self, entry: Entry, _: World) -> None:
        if isinstance(entry.fact, AcmeTold):
            self.wake()

    def _look(self) -> bool:
        hosts = self._hosts(self._journal.world)
        if hosts and self._endpoints:
            if time.monotonic() - self._asked_at >= KEEP:
                self._roots, self._asked_at = self._ask() or self._roots, time.monotonic()
            if any(threads.run_side_by_side(lambda endpoint: self._node(endpoint, hosts), self._endpoints)):
                self._moved_at = time.monotonic()
        return time.monotonic() - self._moved_at < LINGER or has_order_under_way(
            self._journal.world, self._journal.now()
        )

    def _on_failure(self, error: Exception) -> None:
        """Write every known certificate as unreachable: it may no longer be served."""
        for host, node in tuple(self._written):
            self._write(CertificateSeen(host, node, "unreachable", describe_error(error), round(time.time(), 1)))

    def _node(self, endpoint: Endpoint, hosts: tuple[str, ...]) -> bool:
        """Perform one node's handshakes, and write each as it completes: a node that hangs does not delay the
        others."""
        changed = False
        for host in hosts:
            if self._closed:
                break
            now = time.time()
            shown = handshake(endpoint.published[PORT], host, self._roots, now, BOUND)
            fact = CertificateSeen(host, endpoint.node, shown.verdict, shown.why, round(now, 1), shown.certificate)
            changed = self._write(fact) or changed
        return changed

    def _write(self, fact: CertificateSeen) -> bool:
        """Write a fact if it is new, or if the last one was written `AGAIN` seconds ago; return whether it is new."""
        key, at = (fact.host, fact.node), time.monotonic()
        before_at, before = self._written.get(key, (at, None))
        new = before is None or replace(fact, now=before.now) != before
        if new or at - before_at >= AGAIN:
            self._written[key] = (at, fact)
            self._journal.write(fact)
        return new


def has_order_under_way(world: World, at: float) -> bool:
    """Return whether a certificate order is in progress: its last message is recent and is not its end. An issued
    certificate is served only a moment later."""
    if not world.edge.acme:
        return False
    told_at, told = world.edge.acme[-1]
    if told.stage == "failed":
        return False
    return at - told_at < (LINGER if told.stage == "issued" else ORDER)
