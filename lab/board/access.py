"""Who may see the board: the tokens in its addresses, the names that a browser may ask for, and the TLS certificate."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from lab.files import write_private

_LIFE = timedelta(days=2)
"""A certificate is made for one talk."""


def make_token() -> str:
    """Return a token that nobody guesses: 128 bits, for an address."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Access:
    """Who may see the board, and press the talk's keys. `host` is the address that it listens on; `names` are the hosts
    that a browser may have asked for. Empty tokens: none is needed, which is for loopback alone."""

    host: str
    port: int
    token: str = ""
    remote: str = field(default_factory=make_token)
    tls: bool = False

    @property
    def names(self) -> frozenset[str]:
        """The values that the header Host may have: an address that another page's script made up is none of them."""
        hosts = {self.host, "localhost"} if is_loopback(self.host) else {self.host}
        return frozenset(f"{f'[{host}]' if ':' in host else host}:{self.port}" for host in hosts)

    @property
    def origins(self) -> frozenset[str]:
        """The values that the header Origin may have."""
        return frozenset(f"{'https' if self.tls else 'http'}://{name}" for name in self.names)

    @property
    def address(self) -> str:
        """The page's address, as a person opens it."""
        query = f"?t={self.token}" if self.token else ""
        return f"{'https' if self.tls else 'http'}://{sorted(self.names)[0]}/{query}"

    @property
    def remote_address(self) -> str:
        """The address of the speaker's remote control."""
        return f"{'https' if self.tls else 'http'}://{sorted(self.names)[0]}/remote?t={self.remote}"

    def may_see(self, given: str) -> bool:
        """Return whether a token lets somebody see the board."""
        return not self.token or _same(given, self.token) or _same(given, self.remote)

    def may_press(self, given: str) -> bool:
        """Return whether a token lets somebody press the talk's keys."""
        return _same(given, self.remote)

    def is_asked_here(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request is for this server, and from its own page if it says from which."""
        origin = headers.get("origin", "")
        return headers.get("host", "") in self.names and (not origin or origin in self.origins)


def _same(given: str, token: str) -> bool:
    return hmac.compare_digest(given.encode(), token.encode())


def is_loopback(host: str) -> bool:
    """Return whether an address is reached from this machine only."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def write_certificate(folder: Path, host: str, *, now: datetime | None = None) -> tuple[Path, Path, str]:
    """Write a certificate for the board's address and its key, and return their paths and the certificate's SHA-256
    fingerprint, for those who want to compare it. Raises OSError."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "swarmlab board")])
    start = (now or datetime.now(UTC)) - timedelta(hours=1)
    try:
        subject: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        subject = x509.DNSName(host)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + _LIFE)
        .add_extension(x509.SubjectAlternativeName([subject]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "board.pem", folder / "board.key"
    write_private(certificate, made.public_bytes(serialization.Encoding.PEM))
    pem, form, plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    write_private(private, key.private_bytes(pem, form, plain))
    return certificate, private, made.fingerprint(hashes.SHA256()).hex(":").upper()
