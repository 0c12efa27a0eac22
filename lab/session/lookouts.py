"""The sources at the edge, each of which runs while a pane shows what it sees, or a lesson's check asks for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial

from lab.cluster.edge import Edge
from lab.cluster.engine import connect
from lab.cluster.model import Endpoint
from lab.errors import EngineError
from lab.watch.acme import AcmeSource
from lab.watch.authority import pebble_roots
from lab.watch.certificates import CertificateSource
from lab.watch.mesh import MeshSource, image_name
from lab.watch.source import Pace, Source
from lab.watch.traefik import TraefikSource
from lab.world import labels
from lab.world.journal import Journal
from lab.world.world import World

#: Which sources a pane needs.
NEEDS: Mapping[str, tuple[str, ...]] = {
    "mesh": ("mesh",),
    "certificates": ("certificates", "acme", "routes"),
    "routes": ("routes",),
    "map": ("routes",),
}
#: Seconds between the mesh's rounds. An emulated processor takes its time for a TLS handshake.
_ROUNDS = {True: 5.0, False: 1.0}
#: Seconds between rounds of handshakes there.
_SHAKES = Pace(fast=3.0, slow=10.0)


class Lookouts:
    """Starts and ends them. Methods may be called from any thread."""

    def __init__(self, journal: Journal, endpoints: tuple[Endpoint, ...], edge: Edge, *, emulated: bool) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, Source] = {}
        roots = (lambda: pebble_roots(endpoints)) if edge.acme == "pebble" else tuple
        pace = _SHAKES if emulated else None
        mesh = Pace(fast=_ROUNDS[emulated], slow=_ROUNDS[emulated])
        self._make: Mapping[str, Callable[[], Source]] = {
            "mesh": partial(MeshSource, journal, endpoints, open_hosts, pace=mesh),
            "certificates": partial(CertificateSource, journal, endpoints, labels.hosts, roots, pace=pace),
            "acme": partial(AcmeSource, journal, endpoints, connect, traefik),
            "routes": partial(TraefikSource, journal, endpoints, dashboard, edge.login),
        }

    def watch(self, panes: Iterable[str]) -> None:
        """What these panes need runs from now on, and nothing else."""
        wanted = {name for pane in panes for name in NEEDS.get(pane, ())}
        with self._lock:
            ended = [self._running.pop(name) for name in [*self._running] if name not in wanted]
            for name in sorted(wanted - self._running.keys()):
                self._running[name] = self._make[name]()
                self._running[name].start()
        for source in ended:
            source.close()

    def refresh(self, what: str, bound: float) -> None:
        """Wait until this source, if it runs, has looked again; at most `bound` seconds. What does not answer is in
        the journal as such."""
        with self._lock:
            source = self._running.get(what)
        if source is not None:
            try:
                source.look(bound)
            except EngineError:
                return

    def close(self) -> None:
        """End them all."""
        self.watch(())


def dashboard(world: World) -> str:
    """The host name under which Traefik's own API is routed, "" when it is not."""
    for service in world.services.values():
        for options in labels.declared(service.spec.labels).of("http", "routers").values():
            if options.get("service", ("", ""))[1] == "api@internal":
                return next(iter(labels.rule_hosts(options.get("rule", ("", ""))[1])), "")
    return ""


def traefik(world: World) -> str:
    """The id of Traefik's service, "" when there is none."""
    return next((s.id for s in world.services.values() if image_name(s.spec.image) == "traefik"), "")


def open_hosts(world: World) -> tuple[str, ...]:
    """The host names that are routed without a login: those of the application."""
    found: set[str] = set()
    for service in world.services.values():
        for options in labels.declared(service.spec.labels).of("http", "routers").values():
            if "users" not in options.get("middlewares", ("", ""))[1]:
                found |= set(labels.rule_hosts(options.get("rule", ("", ""))[1]))
    return tuple(sorted(found))
