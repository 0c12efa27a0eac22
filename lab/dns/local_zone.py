"""A zone that the lab serves itself, on loopback."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping

import dns.message

from lab.dns import zone as zones
from lab.dns.server import NameServer
from lab.dns.zone import Zone
from lab.errors import LabError
from lab.world.health import Health, answering


class LocalZone:
    """`lab.dns.hosted_zone.HostedZone` on `port` of loopback; `judge` returns the health of the checked nodes."""

    def __init__(self, port: int, judge: Callable[[], Mapping[str, Health]]) -> None:
        self._port, self._judge = port, judge
        self._zone: Zone | None = None
        self._server: NameServer | None = None
        self._turns, self._rng = itertools.count(), random.Random()  # noqa: S311  it orders answers

    def publish(self, zone: Zone) -> None:
        """See `HostedZone.publish`. Raises LabError when the port is taken."""
        self._zone = zone
        if self._server is None:
            try:
                self._server = NameServer(self._port, self._respond)
            except OSError as error:
                raise LabError(f"port {self._port} of this machine is taken: {error.strerror or error}") from error

    def health(self) -> Mapping[str, bool]:
        """See `HostedZone.health`."""
        known, records = self._judge(), self._zone.records if self._zone is not None else ()
        return {record.node: known.get(record.node, Health()).healthy for record in records}

    def withdraw(self) -> None:
        """See `HostedZone.withdraw`."""
        if self._server is not None:
            self._server.close()
        self._server = self._zone = None

    def _respond(self, query: dns.message.Message) -> dns.message.Message | None:
        zone = self._zone
        return None if zone is None else zones.respond(query, zone, lambda: self._addresses(zone))

    def _addresses(self, zone: Zone) -> tuple[str, ...]:
        """Return the addresses of one answer: those of the nodes that are healthy now."""
        healthy = answering([(record.node, record.address) for record in zone.records], self._judge())
        return zones.order_answer(healthy, next(self._turns), self._rng)
