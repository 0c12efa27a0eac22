"""The root certificate of a cluster's own ACME server, as Pebble serves it."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import as_completed

from lab.engine.endpoint import Endpoint
from lab.watch import http, threads

#: Pebble's management port, as stacks/acme.yaml publishes it.
PORT = 15000
#: Seconds that a node may take to answer.
BOUND = 3.0
#: Maximum length of a root certificate, bytes.
LONGEST = 65536


def pebble_roots(endpoints: Iterable[Endpoint]) -> tuple[bytes, ...]:
    """Return the root certificate with which Pebble signs now, in PEM, from the first node that answers; () for none.

    Pebble's own TLS certificate is not verified: the connection is over loopback.
    """
    places = tuple(e.published[PORT] for e in endpoints if PORT in e.published)
    # A node that hangs is not waited for.
    for answer in as_completed([threads.start_thread(_roots, place) for place in places]):
        if answer.result():
            return answer.result()
    return ()


def _roots(place: tuple[str, int]) -> tuple[bytes, ...]:
    from cryptography import x509  # slow to import: not before a certificate is inspected

    address, port = place

    try:
        with http.make_client(BOUND, (address, port)) as client:
            answer = http.get(client, f"https://{address}:{port}/roots/0", longest=LONGEST, bound=BOUND)
        if answer.status != 200:
            return ()
        x509.load_pem_x509_certificates(answer.body)
    except Exception:  # noqa: BLE001  whatever answers at that port is not an authority if this cannot be read
        return ()
    return (answer.body,)
