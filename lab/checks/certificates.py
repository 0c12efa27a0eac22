"""Checks on the certificates that the nodes serve."""

from __future__ import annotations

from lab.checks.base import Baseline, Condition, Outcome, Pattern
from lab.schema.value import Name
from lab.text import count_of
from lab.world.entries import CertificateSeen
from lab.world.traefik import Verdict
from lab.world.world import World


class CertificateIs(Condition):
    """The certificate that every node serves for a host name: the verdict on it, and who issued it."""

    source = "certificates"
    example = '{host: "node-app.{{domain}}", issuer: Pebble}'

    host: Name
    state: Verdict = "good"
    issuer: Pattern | None = None
    """Text that the issuer's name contains."""

    @property
    def sentence(self) -> str:
        by = f", issued by {self.issuer}" if self.issuer else ""
        how = {
            "good": "a good certificate",
            "default": "Traefik's own default certificate",
            "self-signed": "a self-signed certificate",
            "untrusted": "a certificate of an unknown authority",
            "expired": "an expired certificate",
            "early": "a certificate that is not valid yet",
            "wrong-name": "a certificate for another name",
            "unreadable": "what is no certificate",
            "unreachable": "nothing",
        }[self.state]
        return f"every node serves {how} for {self.host}{by}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        seen = _list_served(world, self.host)
        if missing := _name_unasked(seen, world):
            return Outcome(False, f"{missing} not been asked for the certificate of {self.host} yet")
        for one in seen:
            by = one.certificate.issuer if one.certificate else ""
            if one.verdict != self.state:
                return Outcome(False, f"{one.node} serves for {self.host}: {_verdict(one)}")
            if self.issuer and self.issuer not in by:
                return Outcome(False, f"{one.node} serves for {self.host} a certificate issued by {by or 'nobody'}")
        certificate = seen[0].certificate
        who = f", issued by {certificate.issuer}" if certificate else ""
        return Outcome(True, f"{count_of(len(seen), 'node')}: {_verdict(seen[0])}{who}")


class Renewed(Condition):
    """Since the step began, every node has switched to a new certificate for a host name, and it is good."""

    kind = "event"
    source = "certificates"
    example = '{host: "node-app.{{domain}}"}'

    host: Name

    @property
    def sentence(self) -> str:
        return f"every node serves a new certificate for {self.host}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        seen = _list_served(world, self.host)
        first = baseline.since.edge.issued.get(self.host) or world.edge.issued.get(self.host, ())[:1]
        before = {fingerprint for _, fingerprint in first}
        if missing := _name_unasked(seen, world):
            return Outcome(False, f"{missing} not been asked for the certificate of {self.host} yet")
        for one in seen:
            if one.verdict != "good" or one.certificate is None:
                return Outcome(False, f"{one.node} serves for {self.host}: {_verdict(one)}")
            if one.certificate.fingerprint in before:
                return Outcome(False, f"{one.node} still serves the certificate {one.certificate.fingerprint[:12]}")
        new = sorted({one.certificate.fingerprint[:12] for one in seen if one.certificate})
        return Outcome(True, f"new for {self.host}: {', '.join(new)}")


def _list_served(world: World, host: str) -> list[CertificateSeen]:
    """Return what the nodes serve for a host name; a node that is down serves nothing, and need not."""
    down = {node.name for node in world.swarm.nodes.values() if node.state != "ready"}
    seen = sorted(world.edge.certificates.items())
    return [fact for (name, node), (_, fact) in seen if name == host and node not in down]


def _name_unasked(seen: list[CertificateSeen], world: World) -> str:
    """Name the nodes still to be asked, for a sentence: every node serves certificates, so every node is checked."""
    left = {node.name for node in world.swarm.nodes.values() if node.state == "ready"} - {one.node for one in seen}
    if not left:
        return "" if seen else "the nodes have"
    return f"{', '.join(sorted(left))} {'has' if len(left) == 1 else 'have'}"


def _verdict(one: CertificateSeen) -> str:
    return one.verdict + (f" ({one.why})" if one.why else "")
