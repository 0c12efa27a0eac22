"""What is known of the lab's DNS: what is served, the health of each node, and where the clients went. The fold returns
the new value and the lines that it adds to the timeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from immutables import Map

from lab.world.dns import AddressRecord, Caching, ClientsRow, ClientsSeen, EndpointChecked, ZoneServed
from lab.world.health import Health, answering
from lab.world.timeline import Line

KEEP_CHECKS = 12
"""Checks of one node."""

KEEP_REPORTS = 300
"""Reports of the clients."""


@dataclass(frozen=True, slots=True)
class Checks:
    """The health of a node, when it last changed, and its last checks with their times, oldest first."""

    health: Health = Health()
    since: float = 0.0
    last: tuple[tuple[float, EndpointChecked], ...] = ()


@dataclass(frozen=True, slots=True)
class Dns:
    """The state of the lab's DNS. `zone` is None as long as nobody asked for it; `reports` are what the clients did,
    with their times, oldest first."""

    zone: ZoneServed | None = None
    checks: Map[str, Checks] = Map()
    reports: tuple[tuple[float, ClientsSeen], ...] = ()

    def begun_anew(self) -> Dns:
        """Return the same zone with new health checks and new clients, as after a reset of the cluster."""
        return Dns(self.zone)

    @property
    def health(self) -> dict[str, Health]:
        """The health of each node that was checked."""
        return {node: checks.health for node, checks in self.checks.items()}

    @property
    def answers(self) -> tuple[AddressRecord, ...]:
        """The records that every name is answered with now."""
        records = self.zone.records if self.zone is not None else ()
        return answering([(record.node, record) for record in records], self.health)

    @property
    def fails_open(self) -> bool:
        """Whether all records are answered because no node is healthy."""
        records = self.zone.records if self.zone is not None else ()
        return bool(records) and not any(self.health.get(record.node, Health()).healthy for record in records)

    def rows(self, caching: Caching, since: float = -1.0) -> Iterator[tuple[float, ClientsRow]]:
        """Yield what the clients of a kind did, with the times of the reports later than `since`, oldest first."""
        for at, report in self.reports:
            if at > since:
                yield from ((at, row) for row in report.rows if row.caching == caching)


def fold_dns(dns: Dns, at: float, fact: ZoneServed | EndpointChecked | ClientsSeen) -> tuple[Dns, Sequence[Line]]:
    """Fold one more fact about the lab's DNS."""
    match fact:
        case ZoneServed():
            return _serve(dns, fact)
        case EndpointChecked():
            return _check(dns, at, fact)
        case ClientsSeen():
            return replace(dns, reports=(*dns.reports, (at, fact))[-KEEP_REPORTS:]), ()


def _serve(dns: Dns, fact: ZoneServed) -> tuple[Dns, Sequence[Line]]:
    before = dns.zone.state if dns.zone is not None else "off"
    if fact.state == "off":  # What was known stays to be seen, at a recording's end as well.
        after = replace(dns, zone=replace(dns.zone or fact, state="off"))
    else:
        after = Dns(fact) if before == "off" else replace(dns, zone=fact)
    if fact.state == before:
        return after, ()
    text = {
        "live": f"DNS: the lab answers for {len(fact.names)} names on port {fact.port}",
        "taken": f"DNS: {fact.why}",
        "off": "DNS: off",
    }[fact.state]
    return after, (Line(text, "bad" if fact.state == "taken" else "lab", kind="dns"),)


def _check(dns: Dns, at: float, fact: EndpointChecked) -> tuple[Dns, Sequence[Line]]:
    known = dns.checks.get(fact.node, Checks(since=at))
    health = known.health.after(fact.passed)
    turned = health.healthy != known.health.healthy
    checks = Checks(health, at if turned else known.since, (*known.last, (at, fact))[-KEEP_CHECKS:])
    after = replace(dns, checks=dns.checks.set(fact.node, checks))
    if not turned:
        return after, ()
    if fact.passed:
        return after, (Line(f"DNS: {fact.node} is healthy again", "good", kind="dns"),)
    lines = [
        Line(
            f"DNS: {fact.node} is unhealthy ({f'status {fact.status}' if fact.status else fact.reason})",
            "bad",
            kind="dns",
        )
    ]
    if after.fails_open and not dns.fails_open:
        lines.append(Line("DNS: no node is healthy, so all are answered", "bad", kind="dns"))
    return after, lines
