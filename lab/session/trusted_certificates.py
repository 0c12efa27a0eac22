"""The certificates with which the stacks of a checkpoint are served.

Traefik orders them once a route is there, seconds after all tasks run, and does not ask again when an order fails: a
reset that ended before would hand over a cluster that answers with Traefik's default certificate.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence

from lab.engine.endpoint import Endpoint
from lab.lesson.checkpoint import Checkpoint
from lab.watch.certificates import BOUND, PORT
from lab.watch.handshake import Shown, handshake
from lab.watch.pebble import pebble_roots
from lab.world.traefik_labels import hosts_of_rule, parse_labels


def list_certified_hosts(checkpoint: Checkpoint, env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the host names that the checkpoint's stacks are routed by, sorted; none without a stack that gets its
    certificates from another one. `env` is this machine's settings."""
    if not any(state.fresh_with for state in checkpoint.stacks.values()):
        return ()
    specs = [spec for name, state in checkpoint.stacks.items() for spec in state.expect(name, env).services.values()]
    routers = [router for spec in specs for router in parse_labels(spec.labels).of("http", "routers").values()]
    return tuple(sorted({host for router in routers for host in hosts_of_rule(router.value("rule"))}))


def list_untrusted(endpoints: Sequence[Endpoint], hosts: Collection[str]) -> list[str]:
    """Return in sentences which of the host names are not served with a certificate of Pebble's present authority, by
    the first node that serves any."""
    roots = pebble_roots(endpoints)
    if not roots:
        return ["the ACME server does not answer"]
    shown = ((host, _shake(endpoints, host, roots)) for host in hosts)
    return [f"{host} is served no trusted certificate yet ({one.why})" for host, one in shown if one.verdict != "good"]


def _shake(endpoints: Sequence[Endpoint], host: str, roots: Sequence[bytes]) -> Shown:
    shown = Shown("unreachable", "no node answers")
    for endpoint in endpoints:
        if PORT in endpoint.published:
            shown = handshake(endpoint.published[PORT], host, roots, time.time(), BOUND)
            if shown.verdict != "unreachable":
                break
    return shown
