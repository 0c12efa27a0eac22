"""What Traefik keeps on its volumes, compared with the ACME server of the cluster.

Pebble makes a new authority whenever it starts, on another node or on the same. Traefik goes on serving certificates of
the former one, and cannot renew them: the account that it keeps beside them is unknown, too.
"""

from __future__ import annotations

import io
import json
import tarfile
from base64 import b64decode
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from lab.engine.client import open_client
from lab.engine.endpoint import Endpoint
from lab.engine.labels import NAMESPACE
from lab.errors import EngineError
from lab.watch.pebble import pebble_roots
from lab.watch.threads import run_side_by_side
from lab.watch.trust import unreadable

if TYPE_CHECKING:
    from cryptography import x509

#: The stack, its volume and the file there, as stacks/edge.yaml has them.
STACK, VOLUME, FILE = "edge", "edge_acme", "acme.json"
#: Where a container made for reading has the volume.
_PLACE = "/data"
#: How often Pebble is asked, which may have just started.
_TRIES = 5
#: Seconds that an engine may take for one request.
_BOUND = 20.0


def find_outdated_volumes(endpoints: Sequence[Endpoint]) -> frozenset[str]:
    """Return the stack's volumes that hold, on any node that answers, a certificate of another authority than Pebble's
    present one; none when Pebble does not answer. Raises EngineError when an engine refuses."""
    kept = [pem for found in run_side_by_side(_read_kept, endpoints) for pem in found]
    if not kept:
        return frozenset()
    roots = next((found for _ in range(_TRIES) if (found := pebble_roots(endpoints))), ())
    return frozenset({VOLUME} if roots and any(_is_of_another(pem, roots) for pem in kept) else ())


def _read_kept(endpoint: Endpoint) -> tuple[bytes, ...]:
    """Return the chains, in PEM, that Traefik keeps on one node; none when the node does not answer."""
    import docker.errors  # slow to import: not before an engine is called

    try:
        with open_client(endpoint, _BOUND) as client:
            listed = client.api.volumes(filters={"name": VOLUME, "label": f"{NAMESPACE}={STACK}"})["Volumes"] or []
            if VOLUME not in [raw["Name"] for raw in listed]:
                return ()
            return _read_chains(_read_file(client.api))
    except EngineError as error:
        if isinstance(error.__cause__, docker.errors.NotFound):  # Traefik has not written the file yet.
            return ()
        if isinstance(error.__cause__, docker.errors.APIError):
            raise
        return ()


def _read_file(engine: Any) -> bytes:
    """Return the file on the volume. An engine reads files of containers only, and a container need not run."""
    for raw in engine.containers(all=True, filters={"volume": VOLUME}):
        places = [mount["Destination"] for mount in raw["Mounts"] if mount.get("Name") == VOLUME]
        if places:
            return _copy(engine, raw["Id"], places[0])
    image = next(iter(engine.images(quiet=True)), "")  # Any will do: nothing of it is run.
    binds = engine.create_host_config(binds=[f"{VOLUME}:{_PLACE}:ro"])
    made = engine.create_container(image, command=["-"], volumes=[_PLACE], host_config=binds)["Id"]
    try:
        return _copy(engine, made, _PLACE)
    finally:
        engine.remove_container(made)


def _copy(engine: Any, container: str, folder: str) -> bytes:
    stream, _ = engine.get_archive(container, f"{folder}/{FILE}")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        file = archive.extractfile(archive.getmembers()[0])
        return file.read() if file is not None else b""


def _read_chains(text: bytes) -> tuple[bytes, ...]:
    """Return the chains in an acme.json; none of a file that Traefik is just writing, or of one that it left empty."""
    try:
        resolvers: Iterable[Any] = (json.loads(text) or {}).values()
        return tuple(b64decode(each["certificate"]) for one in resolvers for each in one.get("Certificates") or ())
    except (ValueError, TypeError, KeyError, AttributeError):
        return ()


def _is_of_another(pem: bytes, roots: Sequence[bytes]) -> bool:
    """Return whether no root signed any certificate of a chain, whatever the clocks say: Traefik renews what ends."""
    from cryptography import x509  # slow to import: not before a certificate is inspected

    try:
        chain = x509.load_pem_x509_certificates(pem)
    except unreadable():
        return False
    known = [root for one in roots for root in x509.load_pem_x509_certificates(one)]
    return not any(_is_signed_by(each, root) for each in chain for root in known)


def _is_signed_by(certificate: x509.Certificate, root: x509.Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature  # slow to import: not before a certificate is inspected

    try:
        certificate.verify_directly_issued_by(root)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True
