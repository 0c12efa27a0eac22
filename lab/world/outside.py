"""What the world keeps of the swarm's outside (load, certificates, Traefik's counters), folded: each function gives the
new value, and the lines that it adds to the timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from immutables import Map

from lab.world.changes import Line, certificate_in_words
from lab.world.edge import Traffic
from lab.world.entries import CertificateSeen, LoadMoved, TrafficSeen
from lab.world.load import Load

KEEP_TRAFFIC, KEEP_ISSUED = 30, 10
_REASONS = 3
"""Reasons of failed requests in one line of the timeline, at most."""

Certificates = Map[tuple[str, str], tuple[float, CertificateSeen]]
Issued = Map[str, tuple[tuple[float, str], ...]]
Counts = Map[str, tuple[tuple[float, Traffic], ...]]


def loaded(before: Load, at: float, fact: LoadMoved) -> tuple[Load, Sequence[Line]]:
    """The load after a report. Failures are told at most once in `load.TELL` seconds."""
    load, lines = before.take(at, fact), list[Line]()
    if fact.running and fact.rate and (not before.running or before.rate != fact.rate):
        many = "request" if fact.rate == 1 else "requests"
        lines.append((f"load: {fact.rate:g} {many} a second to {fact.target}", "lab", "", "", ""))
    elif before.running and not fact.running:
        lines.append(("load: off", "lab", "", "", ""))
    if load.tells:
        many = "request" if load.untold == 1 else "requests"
        lines.append((f"load: {load.untold} {many} failed ({_reasons(load)})", "bad", "", "", ""))
        load = replace(load, told=at, untold=0)
    return load, lines


def _reasons(load: Load) -> str:
    """Why those failed that have no line yet, as far as it is known: the most frequent reasons first."""
    new = load.failures[-min(load.untold, len(load.failures)) :]
    found = Counter(failure.error or f"status {failure.status}" for at, failure in new if at >= load.told)
    return ", ".join(why for why, _ in found.most_common(_REASONS)) or "no reason told"


def served(
    certificates: Certificates, issued: Issued, at: float, fact: CertificateSeen
) -> tuple[Certificates, Issued, Sequence[Line]]:
    """What the nodes serve, after one more handshake; and when each host's certificates came."""
    key, one = (fact.host, fact.node), fact.certificate
    before = certificates[key][1] if key in certificates else None
    others = (seen for (host, node), (_, seen) in certificates.items() if host == fact.host and node != fact.node)
    # All nodes pass a name on to the same Traefik: what one was seen to serve is no news of the next.
    told = any(seen.verdict == fact.verdict and _same(seen, fact) for seen in (*others, *filter(None, (before,))))
    known = issued.get(fact.host, ())
    fresh = one is not None and all(one.fingerprint != fingerprint for _, fingerprint in known)
    if one is not None and fresh and fact.verdict not in ("default", "self-signed"):
        issued = issued.set(fact.host, (*known, (at, one.fingerprint))[-KEEP_ISSUED:])
    lines = () if told else tuple(certificate_in_words(before, fact))
    return certificates.set(key, (at, fact)), issued, lines


def _same(one: CertificateSeen, other: CertificateSeen) -> bool:
    """The same certificate; Traefik makes its default one anew with every configuration, which is no news."""
    if one.verdict == other.verdict == "default":
        return True
    if one.certificate is None or other.certificate is None:
        return one.certificate is other.certificate
    return one.certificate.fingerprint == other.certificate.fingerprint


def counted(known: Counts, at: float, fact: TrafficSeen) -> Counts:
    """Traefik's counters, the last few of each."""
    changed = known.mutate()
    for row in fact.rows:
        key = f"{row.what}:{row.name}"
        changed[key] = (*changed.get(key, ()), (at, row))[-KEEP_TRAFFIC:]
    return changed.finish()
