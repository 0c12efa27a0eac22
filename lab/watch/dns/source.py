"""The source of the lab's DNS: it serves the zone, checks the nodes by Route 53's rules, and has clients go by name.

What is answered follows from the journal: a check is written there, the world judges the node's health by it, and the
name server answers as the world says.
"""

from __future__ import annotations

import re
import time
from concurrent.futures import Future
from functools import partial

from lab.dns.client import resolve
from lab.dns.hosted_zone import HostedZone
from lab.dns.local_zone import LocalZone
from lab.dns.server import LOOPBACK
from lab.dns.zone import Zone
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from lab.watch import probe, threads
from lab.watch.dns.clients import Clients
from lab.watch.source import PollInterval, Source
from lab.world.dns import AddressRecord, EndpointChecked, ZoneServed
from lab.world.entries import Entry, LessonOpened, Restored
from lab.world.health import INTERVALS
from lab.world.journal import Journal
from lab.world.request import Request
from lab.world.traefik_services import routed_hosts
from lab.world.world import World

#: The demo's names, under the domain.
NAMES = ("node-app", "traefik", "viz")
#: Seconds between two checks of a node.
INTERVAL = INTERVALS[0]
#: Route 53 gives an endpoint 4 s to connect, and then 2 s to answer. Here a forwarder takes every connection at once,
#: so that only both together mean what they mean there.
BOUND = 6.0
#: Seconds between two looks at what is due.
_TICK = 0.25
#: What an error begins with that says nothing to people: its class, and its number.
_ERROR = re.compile(r"^(\w+: )?(\[Errno -?\d+\] )?")


class DnsSource(Source):
    """A source that serves DNS on `port` of loopback, and writes every health check, and what the clients did. Requests
    of clients may take `patience` seconds. `start` it only on demand."""

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        domain: str,
        port: int,
        patience: float,
        *,
        interval: float = INTERVAL,
        clients: bool = True,
    ) -> None:
        super().__init__("dns", PollInterval(fast=_TICK, slow=_TICK, most=5.0, gap=_TICK / 2), reads=journal)
        self._journal, self._endpoints, self._domain, self._port = journal, endpoints, domain, port
        self._patience, self._every, self._with_clients = patience, interval, clients
        self._host = f"{NAMES[0]}.{domain}"
        self._records = tuple(AddressRecord(e.node, e.lan_address) for e in endpoints if e.lan_address)
        self._zone: HostedZone = LocalZone(port, lambda: journal.world.dns.health)
        # A checker of its own for each node: their checks are spread over the interval.
        began = time.monotonic()
        self._due = {e.node: began + n * interval / len(endpoints) for n, e in enumerate(endpoints)}
        self._under_way: dict[str, Future[None]] = {}
        self._resolve = partial(resolve, server=(LOOPBACK, port))
        self._clients: Clients | None = None
        self._told: ZoneServed | None = None

    def _on_entry(self, entry: Entry, world: World) -> None:  # noqa: ARG002  the form of Source
        if isinstance(entry.fact, LessonOpened | Restored):
            self._clients = None  # People who have not been there yet.

    def _look(self) -> bool:
        self._serve(self._journal.world)
        for endpoint in self._endpoints:
            self._check_when_due(endpoint)
        if self._with_clients and self._told is not None and self._told.state == "live":
            clients = self._clients or Clients(self._endpoints, self._resolve, self._host, self._patience)
            self._clients = clients
            clients.go()
            if (report := clients.report()) is not None and self._clients is clients:
                self._journal.write(report)
        return True

    def _serve(self, world: World) -> None:
        """Serve the names of the demo, and those that Traefik routes; tell when that has changed."""
        names = {f"{name}.{self._domain}" for name in NAMES}
        names |= {host for host in routed_hosts(world) if host.endswith(f".{self._domain}")}
        zone, why = Zone(self._domain, tuple(sorted(names)), self._records), ""
        try:
            self._zone.publish(zone)
        except LabError as error:
            why = error.sentence
        told = ZoneServed(
            "taken" if why else "live",
            self._port,
            zone.names,
            zone.records,
            zone.ttl,
            self._every,
            f"https://{self._host}/",
            why,
        )
        if told != self._told:
            self._told = told
            self._journal.write(told)

    def _check_when_due(self, endpoint: Endpoint) -> None:
        now, due = time.monotonic(), self._due[endpoint.node]
        open_check = self._under_way.get(endpoint.node)
        if now >= due and (open_check is None or open_check.done()):
            self._due[endpoint.node] = max(due + self._every, now)
            self._under_way[endpoint.node] = threads.start_thread(self._check, endpoint)

    def _check(self, endpoint: Endpoint) -> None:
        """Check one node as Route 53 does: 2xx or 3xx is good, whoever issued the certificate."""
        request = Request(443, host=self._host, protocol="https")
        hit = probe.probe_node(endpoint, request, bound=BOUND)
        if not self._closed:
            passed = 200 <= hit.status < 400
            why = _ERROR.sub("", hit.error)
            self._journal.write(EndpointChecked(endpoint.node, passed, hit.status, hit.ms, why[:1].lower() + why[1:]))

    def _release(self) -> None:
        self._zone.withdraw()
        self._journal.write(ZoneServed("off"))
