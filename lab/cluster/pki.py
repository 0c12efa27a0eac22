"""Keys for mutual TLS between this machine and its nodes' engines.

The authority signs once, when the lab is created, for every node that it may ever have; its key is then discarded and
never written to disk.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=3650)
_BEFORE = timedelta(days=1)
"""A margin for nodes whose clock is behind this machine's."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, as PEM."""

    certificate: bytes
    key: bytes


@dataclass(frozen=True)
class Keys:
    """The authority's certificate, the client's pair, and each server's pair by name."""

    authority: bytes
    client: Pair
    servers: dict[str, Pair]


def make_keys(lab: str, servers: Iterable[tuple[str, str]], *, now: datetime | None = None) -> Keys:
    """Make the keys for the lab `lab` and its servers, given as (name, LAN address).

    The keys are elliptic-curve keys, since an RSA signature takes long on an emulated processor. Each certificate is
    valid for one direction only.
    """
    start = (now or datetime.now(UTC)) - _BEFORE
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"swarmlab {lab} authority")
    root = (
        _builder(name, name, key, start)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .sign(key, hashes.SHA256())
    )

    def issue(common: str, purpose: x509.ObjectIdentifier, names: list[x509.GeneralName]) -> Pair:
        own = ec.generate_private_key(ec.SECP256R1())
        builder = (
            _builder(_name(common), name, own, start)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return Pair(_pem(builder.sign(key, hashes.SHA256())), _key_pem(own))

    return Keys(
        authority=_pem(root),
        client=issue(f"swarmlab {lab} client", ExtendedKeyUsageOID.CLIENT_AUTH, []),
        servers={
            node: issue(node, ExtendedKeyUsageOID.SERVER_AUTH, _server_names(node, address))
            for node, address in servers
        },
    )


def _server_names(node: str, address: str) -> list[x509.GeneralName]:
    addresses = ("127.0.0.1", address)
    return [
        *(x509.DNSName(name) for name in (node, "localhost")),
        *(x509.IPAddress(ipaddress.ip_address(a)) for a in addresses),
    ]


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
