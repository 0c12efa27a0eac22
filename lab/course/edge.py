"""Checks on certificates, on Traefik's routes and on the load's account: pure, as all checks."""

from __future__ import annotations

from lab.course.asks_edge import CertificateIs, LoadIs, Renewed, RouterIs
from lab.course.finding import Finding
from lab.course.words import many, several
from lab.world.entries import CertificateSeen
from lab.world.world import World


def served(ask: CertificateIs, world: World) -> Finding:
    """Whether every node that was asked serves such a certificate."""
    seen = _seen(world, ask.host)
    if missing := _unasked(seen, world):
        return Finding(False, f"{missing} not been asked for the certificate of {ask.host} yet")
    for one in seen:
        by = one.certificate.issuer if one.certificate else ""
        if one.verdict != ask.state:
            return Finding(False, f"{one.node} serves for {ask.host}: {_verdict(one)}")
        if ask.issuer and ask.issuer not in by:
            return Finding(False, f"{one.node} serves for {ask.host} a certificate issued by {by or 'nobody'}")
    certificate = seen[0].certificate
    who = f", issued by {certificate.issuer}" if certificate else ""
    return Finding(True, f"{many(len(seen), 'node')}: {_verdict(seen[0])}{who}")


def renewed(ask: Renewed, world: World, since: World) -> Finding:
    """Whether every node serves another good certificate than the first good one that was seen by the time the step
    began, or after it."""
    seen = _seen(world, ask.host)
    first = since.issued.get(ask.host) or world.issued.get(ask.host, ())[:1]
    before = {fingerprint for _, fingerprint in first}
    if missing := _unasked(seen, world):
        return Finding(False, f"{missing} not been asked for the certificate of {ask.host} yet")
    for one in seen:
        if one.verdict != "good" or one.certificate is None:
            return Finding(False, f"{one.node} serves for {ask.host}: {_verdict(one)}")
        if one.certificate.fingerprint in before:
            return Finding(False, f"{one.node} still serves the certificate {one.certificate.fingerprint[:12]}")
    new = sorted({one.certificate.fingerprint[:12] for one in seen if one.certificate})
    return Finding(True, f"new for {ask.host}: {', '.join(new)}")


def routed(ask: RouterIs, world: World) -> Finding:
    """Whether Traefik has the router, as asked."""
    routes = world.routes
    if routes is None or routes.state != "live":
        why = "Traefik's API has not been asked yet" if routes is None else f"Traefik's API: {routes.state}"
        return Finding(False, why + (f" ({routes.why})" if routes and routes.why else ""))
    mine = [r for r in routes.routers if r.protocol == ask.protocol]
    router = next((r for r in mine if r.name.partition("@")[0] == ask.name), None)
    if router is None:
        names = sorted(r.name for r in mine if not r.name.endswith("@internal"))
        return Finding(ask.absent, f"no {ask.protocol} router {ask.name}; there are {', '.join(names) or 'none'}")
    if ask.absent:
        return Finding(False, f"Traefik still has the router {router.name}")
    told = several(router.errors)
    text = f"router {router.name} is {router.status}" + (f": {told}" if told else "")
    if router.status != ask.status or (ask.error and ask.error not in told):
        return Finding(False, text)
    if ask.service and router.service.partition("@")[0] != ask.service:
        return Finding(False, f"router {router.name} leads to {router.service}")
    return Finding(True, f"{text}: {router.rule} to {router.service}")


def loaded(ask: LoadIs, world: World, since: World) -> Finding:
    """What the load did since the step began."""
    sent, _, bad = world.load.since(since.load)
    text = f"{bad} of {many(sent, 'request')} failed"
    if not world.load.running and not sent:
        return Finding(False, "no load is made")
    if sent < ask.sent:
        return Finding(False, f"{sent} of {ask.sent} requests were sent; {bad} failed")
    if ask.failed is not None:
        return Finding(bad == ask.failed, text)
    return Finding(bad >= (ask.failed_at_least or 0), text)


def _seen(world: World, host: str) -> list[CertificateSeen]:
    """What the nodes serve for a host's name; one that is down serves nothing, and need not."""
    down = {node.name for node in world.nodes.values() if node.state != "ready"}
    seen = sorted(world.certificates.items())
    return [fact for (name, node), (_, fact) in seen if name == host and node not in down]


def _unasked(seen: list[CertificateSeen], world: World) -> str:
    """Who is still to be asked, for a sentence: every node serves, so every node is looked at."""
    left = {node.name for node in world.nodes.values() if node.state == "ready"} - {one.node for one in seen}
    if not left:
        return "" if seen else "the nodes have"
    return f"{', '.join(sorted(left))} {'has' if len(left) == 1 else 'have'}"


def _verdict(one: CertificateSeen) -> str:
    return one.verdict + (f" ({one.why})" if one.why else "")
