"""The sources besides the swarm's own, each of which runs while a pane shows what it sees, or a check needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from lab.cluster.edge_settings import EdgeSettings
from lab.cluster.model import Cluster
from lab.engine.client import connect
from lab.errors import EngineError
from lab.watch.acme import AcmeSource
from lab.watch.certificates import CertificateSource
from lab.watch.mesh import MeshSource
from lab.watch.pebble import pebble_roots
from lab.watch.peers import PeerSource
from lab.watch.source import PollInterval, Source
from lab.watch.traefik import TraefikSource
from lab.watch.wire.source import WireSource
from lab.world.journal import Journal
from lab.world.traefik_services import dashboard_host, open_hosts, routed_hosts, traefik_id


def _make_dns(journal: Journal, cluster: Cluster, edge: EdgeSettings) -> Source:
    # Few lessons need DNS, and its library takes a moment to import.
    from lab.watch.dns.source import DnsSource

    return DnsSource(journal, cluster.endpoints(), edge.domain, edge.dns_port, cluster.capacity.patience)


class SourceSupervisor:
    """The owner of these sources, which starts and stops them. Methods may be called from any thread."""

    def __init__(self, journal: Journal, cluster: Cluster, edge: EdgeSettings) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Source] = {}
        self._marks: frozenset[str] = frozenset()
        endpoints, capacity = cluster.endpoints(), cluster.capacity
        roots = (lambda: pebble_roots(endpoints)) if edge.acme == "pebble" else tuple
        mesh = PollInterval(fast=capacity.mesh_round, slow=capacity.mesh_round)
        handshakes = PollInterval(*capacity.handshake_rounds)
        peers = PollInterval(*capacity.peer_rounds)
        self._make: Mapping[str, Callable[[], Source]] = {
            "mesh": partial(MeshSource, journal, endpoints, open_hosts, interval=mesh),
            "certificates": partial(CertificateSource, journal, endpoints, routed_hosts, roots, interval=handshakes),
            "acme": partial(AcmeSource, journal, endpoints, connect, traefik_id),
            "dns": partial(_make_dns, journal, cluster, edge),
            "routes": partial(TraefikSource, journal, endpoints, dashboard_host, edge.login),
            "peers": partial(PeerSource, journal, endpoints, connect, cluster.reach, pace=peers),
            "wire": lambda: WireSource(journal, cluster.open_wire, self._marks),
        }

    @property
    def names(self) -> frozenset[str]:
        """The sources that there are: what panes need, and what checks call their source."""
        return frozenset(self._make)

    def watch(self, sources: Iterable[str], marks: Iterable[str] = ()) -> None:
        """Run these sources from now on, and no others. `marks` are the texts that the wire's looks for. Raises
        ValueError for a name that is not among `names`."""
        wanted, looked_for = frozenset(sources), frozenset(marks)
        for name in sorted(wanted - self.names):
            raise ValueError(f"no source is called {name}; there are {', '.join(sorted(self.names))}")
        with self._lock:
            again = {"wire"} if looked_for != self._marks else set()
            self._marks = looked_for
            ended = [self._running.pop(name) for name in [*self._running] if name not in wanted - again]
            for name in sorted(wanted - self._running.keys()):
                self._running[name] = self._make[name]()
                self._running[name].start()
        for source in ended:
            source.close()

    def refresh(self, what: str, bound: float) -> None:
        """Wait until this source, if it runs, has polled again, at most `bound` seconds. A source that gets no answer
        records that in the journal."""
        with self._lock:
            source = self._running.get(what)
        if source is not None:
            try:
                source.look(bound)
            except EngineError:
                return

    def look_soon(self, what: str) -> Callable[[], bool]:
        """Have this source poll as soon as possible. Never waits: the function returned says whether it has, or does
        not run."""
        with self._lock:
            source = self._running.get(what)
        return (lambda: True) if source is None else source.look_soon()

    def close(self) -> None:
        """Stop all sources."""
        self.watch(())
