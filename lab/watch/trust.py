"""Certificates as values, and whether to trust a chain: names, signatures, known authorities."""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from lab.world.traefik import Certificate

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_CURVES = {"secp256r1": "P-256", "secp384r1": "P-384", "secp521r1": "P-521"}


def unreadable() -> tuple[type[Exception], ...]:
    """Return the exceptions that cryptography raises for a certificate it cannot read."""
    from cryptography import x509  # slow to import: not before a certificate is inspected

    return (ValueError, TypeError, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)


def describe_certificate(served: Sequence[x509.Certificate]) -> Certificate:
    """Return the first certificate of a chain as a value; raises one of `unreadable` if it cannot be read."""
    from cryptography.hazmat.primitives import hashes  # slow to import: not before a certificate is inspected

    leaf = served[0]
    return Certificate(
        fingerprint=leaf.fingerprint(hashes.SHA256()).hex(),
        subject=common_name(leaf.subject),
        issuer=common_name(leaf.issuer),
        names=_names(leaf),
        key=_key(leaf),
        serial=f"{leaf.serial_number:x}",
        not_before=leaf.not_valid_before_utc.timestamp(),
        not_after=leaf.not_valid_after_utc.timestamp(),
        chain=tuple(common_name(one.subject) for one in served),
    )


def common_name(name: x509.Name) -> str:
    """Return a name's CN, or the whole name if it has none."""
    from cryptography.x509.oid import NameOID  # slow to import: not before a certificate is inspected

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


def ascii_name(host: str) -> str:
    """Return a host name as it appears in DNS and in certificates; raises UnicodeError for an invalid name."""
    plain = host.rstrip(".").lower()
    return plain if plain.isascii() else plain.encode("idna").decode("ascii")


def matches_host(names: Sequence[str], host: str) -> bool:
    """Return whether one of a certificate's names matches the host. `*.example.org` matches exactly one label before
    the rest (RFC 6125), and a wildcard directly before the last label matches nothing."""
    wanted = ascii_name(host)
    label, _, rest = wanted.partition(".")
    for name in names:
        known = name.rstrip(".").lower()
        if known == wanted:
            return True
        if known.startswith("*.") and label and known[2:] == rest and "." in rest:
            return True
    return False


def why_untrusted(served: Sequence[x509.Certificate], roots: Sequence[bytes], at: float, host: str) -> str:
    """Return why a chain is not trusted at a time (seconds since the epoch); "" if it is: a known authority vouches for
    it, link by link."""
    from cryptography import x509  # slow to import: not before a certificate is inspected
    from cryptography.x509 import verification

    known = _parse(tuple(roots)) if roots else _load_public()
    leaf, between = served[0], list(served[1:])
    if not known:
        return f"{_end(served)}, and no authority is known here"
    # A test authority does not follow all the rules of public ones: only what makes a chain a chain is required.
    everything = verification.ExtensionPolicy.permit_all()
    agnostic = verification.Criticality.AGNOSTIC
    policy = verification.PolicyBuilder().store(verification.Store(list(known))).time(datetime.fromtimestamp(at, UTC))
    policy = policy.extension_policies(
        ca_policy=everything.require_present(x509.BasicConstraints, agnostic, None),
        ee_policy=everything.require_present(x509.SubjectAlternativeName, agnostic, None),
    )
    try:
        policy.build_server_verifier(x509.DNSName(ascii_name(host))).verify(leaf, between)
    except verification.VerificationError as error:
        last = _last(served)
        if all(root.subject != last.issuer for root in known):
            return f"{_end(served)}, which is no known authority"
        return f"{_end(served)}, a known authority's name, but the chain does not hold: {_reason(error)}"
    except ValueError as error:
        return f"{_end(served)}, and it cannot be verified: {error}"
    return ""


def _end(served: Sequence[x509.Certificate]) -> str:
    return f"its chain ends at {common_name(_last(served).issuer)}"


def _last(served: Sequence[x509.Certificate]) -> x509.Certificate:
    """Return the last certificate reached by following the issuers through the served chain."""
    last, left = served[0], list(served[1:])
    while True:
        above = next((one for one in left if one.subject == last.issuer), None)
        if above is None:
            return last
        left.remove(above)
        last = above


def _reason(error: Exception) -> str:
    return str(error).removeprefix("validation failed: ").removeprefix("candidates exhausted: ").partition(" (enc")[0]


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    from cryptography import x509  # slow to import: not before a certificate is inspected

    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    addresses = (str(address) for address in names.get_values_for_type(x509.IPAddress))
    return (*names.get_values_for_type(x509.DNSName), *addresses)


def _key(certificate: x509.Certificate) -> str:
    from cryptography.exceptions import UnsupportedAlgorithm  # slow to import: not before a certificate is inspected
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return certificate.public_key_algorithm_oid.dotted_string
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {_CURVES.get(key.curve.name, key.curve.name)}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")


@cache
def _load_public() -> tuple[x509.Certificate, ...]:
    """Return the public authorities that this machine trusts."""
    paths = ssl.get_default_verify_paths()
    places = (paths.cafile, paths.openssl_cafile, "/etc/ssl/certs/ca-certificates.crt")
    for place in places:
        if place and Path(place).is_file():
            return _parse((Path(place).read_bytes(),))
    return ()


# Every handshake needs the same few authorities.
@lru_cache(maxsize=8)
def _parse(pems: tuple[bytes, ...]) -> tuple[x509.Certificate, ...]:
    """Return the certificates in PEM texts; unreadable ones are left out."""
    from cryptography import x509  # slow to import: not before a certificate is inspected

    found: list[x509.Certificate] = []
    with warnings.catch_warnings():
        # Some public authorities predate today's rules; that cannot be changed here.
        warnings.simplefilter("ignore")
        for block in (block for pem in pems for block in _BLOCK.findall(pem)):
            try:
                found.append(x509.load_pem_x509_certificate(block))
            except unreadable():
                continue
    return tuple(found)
