"""How late the certificates' view knows of a new certificate: CertificateSource at its normal interval, four nodes.

Each source is at rest, as it is between renewals, when the server swaps the certificate of its host; late is what the
last of the four nodes' entries is in the journal. `told`: Traefik's log says at the swap that the certificate came, as
AcmeSource writes it. `alone`: nothing says it, and only the next look can see it.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from lab.engine.endpoint import Endpoint
from lab.watch.certificates import LINGER, CertificateSource
from lab.watch.source import PollInterval
from lab.world.entries import AcmeTold
from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles.tls import Authority, TlsServer, tls_server

Figures = Mapping[str, float | int | str]

NODES = ("node1", "node2", "node3", "node4")
BOUND = 60.0


def new_certificate(swaps: int = 16) -> Figures:
    """Milliseconds from the swap of a certificate to the journal, with the log's word and without."""
    figures: dict[str, float] = {}
    for name, hint in (("told", True), ("alone", False)):
        took = sorted(_round(swaps, hint=hint))
        figures |= {
            f"{name}_p50_ms": round(statistics.median(took), 1),
            f"{name}_p95_ms": round(took[int(0.95 * (len(took) - 1))], 1),
            f"{name}_worst_ms": round(took[-1], 1),
        }
    return {**figures, "swaps": swaps, "nodes": len(NODES)}


@dataclass
class _Watched:
    """A host of its own, whose certificate is swapped once, and the source that looks at it."""

    host: str
    server: TlsServer
    authority: Authority
    journal: Journal
    swapped: float = 0.0

    def show(self) -> str:
        """Serve a new certificate from now on; its fingerprint."""
        made = self.authority.issue(self.host)
        fingerprint = made.certificate.fingerprint(hashes.SHA256()).hex()
        self.swapped = self.journal.now()
        self.server.shown[self.host] = (made, self.authority.between)
        return fingerprint

    def late(self, fingerprint: str) -> float:
        """Milliseconds from the swap until the entries of all nodes were in the journal."""
        if not self.journal.wait(partial(_everywhere, self.host, fingerprint), BOUND):
            raise TimeoutError(f"the certificate of {self.host} was not seen in {BOUND:.0f} s")
        seen = [self.journal.world.edge.certificates[self.host, node][0] for node in NODES]
        return 1000 * (max(seen) - self.swapped)


def _round(swaps: int, *, hint: bool) -> list[float]:
    """As many sources as swaps, side by side: waiting for rest takes as long for one as for all."""
    authority, interval = Authority(), PollInterval()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="swb-")))
        server = stack.enter_context(tls_server(folder, {}))
        nodes = tuple(Endpoint(node, "manager", "", published={443: server.address}) for node in NODES)
        all_ = [_Watched(f"host{n}.localhost", server, authority, Journal()) for n in range(swaps)]
        for it in all_:
            first = it.show()
            source = CertificateSource(
                it.journal, nodes, _only(it.host), lambda: (authority.root.pem,), interval=interval
            )
            source.start()
            stack.callback(source.close)
            it.late(first)
        time.sleep(LINGER + interval.slow)
        new: list[str] = []
        for it in all_:
            new.append(it.show())
            if hint:
                it.journal.write(AcmeTold((it.host,), "issued", "Server responded with a certificate."))
            # Spread over one pause between looks, so that every moment of it is met.
            time.sleep(interval.slow / swaps)
        return [it.late(fingerprint) for it, fingerprint in zip(all_, new, strict=True)]


def _only(host: str) -> Callable[[World], tuple[str, ...]]:
    return lambda world: (host,)


def _everywhere(host: str, fingerprint: str, world: World) -> bool:
    seen = (world.edge.certificates.get((host, node)) for node in NODES)
    return all(one and one[1].certificate and one[1].certificate.fingerprint == fingerprint for one in seen)
