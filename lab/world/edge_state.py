"""The observed state of the swarm's edge: certificates, ACME orders, Traefik's routes and counters. Each fold returns
the new value and the lines that it adds to the timeline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from immutables import Map

from lab.world.entries import AcmeTold, CertificateSeen, RoutesSeen, TrafficSeen
from lab.world.timeline import Line, acme_lines, certificate_lines, routes_lines
from lab.world.traefik import Traffic

KEEP_ACME = 60
"""Lines of Traefik's log about orders."""

KEEP_TRAFFIC = 30
"""Counts of one of Traefik's services or entry points."""

KEEP_ISSUED = 10
"""Certificates of one host."""


@dataclass(frozen=True, slots=True)
class Edge:
    """The state of the edge. `certificates` has the last handshake by host and node, with its time; `issued` has, by
    host, when each issued certificate was first seen, and its fingerprint; `traffic` has the last counts of each of
    Traefik's services and entry points, with their times, oldest first."""

    certificates: Map[tuple[str, str], tuple[float, CertificateSeen]] = Map()
    issued: Map[str, tuple[tuple[float, str], ...]] = Map()
    acme: tuple[tuple[float, AcmeTold], ...] = ()
    routes: RoutesSeen | None = None
    routes_at: float = 0.0
    traffic: Map[str, tuple[tuple[float, Traffic], ...]] = Map()


def fold_certificate(edge: Edge, at: float, fact: CertificateSeen) -> tuple[Edge, Sequence[Line]]:
    """Fold one more handshake: what the nodes serve, and when each host's certificates were first seen."""
    key, one, known = (fact.host, fact.node), fact.certificate, edge.certificates
    before = known[key][1] if key in known else None
    others = (seen for (host, node), (_, seen) in known.items() if host == fact.host and node != fact.node)
    # All nodes forward a name to the same Traefik: what one node serves is not news on the next.
    told = any(seen.verdict == fact.verdict and _is_same(seen, fact) for seen in (*others, *filter(None, (before,))))
    came, issued = edge.issued.get(fact.host, ()), edge.issued
    fresh = one is not None and all(one.fingerprint != fingerprint for _, fingerprint in came)
    if one is not None and fresh and fact.verdict not in ("default", "self-signed"):
        issued = issued.set(fact.host, (*came, (at, one.fingerprint))[-KEEP_ISSUED:])
    lines = () if told else tuple(certificate_lines(before, fact))
    return replace(edge, certificates=known.set(key, (at, fact)), issued=issued), lines


def _is_same(one: CertificateSeen, other: CertificateSeen) -> bool:
    """Return whether the certificate is the same; Traefik recreates its default one with every configuration, which is
    not news."""
    if one.verdict == other.verdict == "default":
        return True
    if one.certificate is None or other.certificate is None:
        return one.certificate is other.certificate
    return one.certificate.fingerprint == other.certificate.fingerprint


def fold_order(edge: Edge, at: float, fact: AcmeTold) -> tuple[Edge, Sequence[Line]]:
    """Fold one more line of Traefik's log about an order."""
    return replace(edge, acme=(*edge.acme, (at, fact))[-KEEP_ACME:]), tuple(acme_lines(edge.acme, fact))


def fold_routes(edge: Edge, at: float, fact: RoutesSeen) -> tuple[Edge, Sequence[Line]]:
    """Fold one more poll of Traefik's API."""
    return replace(edge, routes=fact, routes_at=at), tuple(routes_lines(edge.routes, fact))


def fold_traffic(edge: Edge, at: float, fact: TrafficSeen) -> Edge:
    """Fold Traefik's counters, and keep the last few of each."""
    changed = edge.traffic.mutate()
    for row in fact.rows:
        key = f"{row.what}:{row.name}"
        changed[key] = (*changed.get(key, ()), (at, row))[-KEEP_TRAFFIC:]
    return replace(edge, traffic=changed.finish())
