"""The authority of a cluster's own ACME server, as Pebble hands it out."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed

from lab.cluster.model import Endpoint
from lab.watch import wire

#: Pebble's management port, as stacks/acme.yaml publishes it, and how long a node may take to answer, seconds.
PORT, BOUND = 15000, 3.0


def pebble_roots(endpoints: Iterable[Endpoint]) -> tuple[bytes, ...]:
    """The root certificate with which Pebble signs now, in PEM, from whichever node answers first; () for none.

    Pebble's own TLS certificate is not verified: the way is loopback.
    """
    places = tuple(e.published[PORT] for e in endpoints if PORT in e.published)
    if not places:
        return ()
    pool = ThreadPoolExecutor(max_workers=len(places))
    try:
        for answer in as_completed([pool.submit(_roots, address, port) for address, port in places]):
            if answer.result():
                return answer.result()
        return ()
    finally:
        # A node that hangs is not waited for.
        pool.shutdown(wait=False, cancel_futures=True)


def _roots(address: str, port: int) -> tuple[bytes, ...]:
    from cryptography import x509

    try:
        with wire.client(BOUND) as client:
            answer = client.get(f"https://{address}:{port}/roots/0")
        if answer.status_code != 200:
            return ()
        x509.load_pem_x509_certificates(answer.content)
    except wire.FAILURES:
        return ()
    return (answer.content,)
