"""The mesh prober: in rounds (see `Capacity.mesh_round`), it requests from every node each service that is published on
all of them, and each host name through Traefik. Who answers shows how the two load balancers distribute requests."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

from lab.engine.endpoint import Endpoint
from lab.watch import probe, threads
from lab.watch.source import PollInterval, Source
from lab.world.journal import Journal
from lab.world.request import Request
from lab.world.traefik_services import is_traefik
from lab.world.world import World

#: Ports that serve no service's plain HTTP: HTTPS, Pebble's management, Traefik's TCP.
NOT_HTTP = frozenset({443, 15000, 9000})
#: Where Traefik listens for HTTPS.
EDGE = 443
#: Timeout of one request, seconds.
BOUND = 5.0


class MeshSource(Source):
    """A source that writes every answer, and every failure, to the journal as a Hit. It costs requests: `start` it only
    on demand.

    `hosts` returns the host names of a world's services.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        hosts: Callable[[World], tuple[str, ...]],
        *,
        interval: PollInterval | None = None,
    ) -> None:
        super().__init__("mesh", interval or PollInterval(fast=1.0, slow=1.0))
        self._journal, self._endpoints, self._hosts = journal, endpoints, hosts
        self._rounds: dict[str, Future[None]] = {}

    def _look(self) -> bool:
        world = self._journal.world
        wanted = requests(world, self._hosts(world))
        for endpoint in self._endpoints:
            # A node with answers outstanding gets no more requests, and does not delay the others.
            if endpoint.node not in self._rounds or self._rounds[endpoint.node].done():
                self._rounds[endpoint.node] = threads.start_thread(partial(self._node, wanted), endpoint)
        return True

    def _node(self, wanted: tuple[Request, ...], endpoint: Endpoint) -> None:
        for request in wanted:
            if self._closed:
                return
            if request.port not in endpoint.published:
                continue
            hit = probe.probe_node(endpoint, request, bound=BOUND)
            if not self._closed:
                self._journal.write(hit)


def requests(world: World, hosts: tuple[str, ...]) -> tuple[Request, ...]:
    """Return the requests to each node in one round: the services' own ports, then the hosts if something listens for
    HTTPS."""
    published = sorted(
        (port.published, is_traefik(service))
        for service in world.swarm.services.values()
        for port in service.spec.ports
        if port.published and port.protocol == "tcp" and port.mode == "ingress"
    )
    plain = tuple(Request(port) for port, traefik in published if port not in NOT_HTTP and not (port == 80 and traefik))
    edge = any(port == EDGE for port, _ in published)
    return plain + tuple(Request(EDGE, host=host, protocol="https") for host in hosts if edge)
