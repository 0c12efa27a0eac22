"""An authority as Pebble is one, and servers that show its certificates, or something else, on loopback."""

from __future__ import annotations

import contextlib
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
HOUR = 3600.0


@dataclass(frozen=True)
class Signed:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )


def sign(
    name: str,
    by: Signed | None = None,
    *,
    names: Sequence[str] = (),
    authority: bool = False,
    begins: float = -HOUR,
    ends: float = HOUR,
    now: float | None = None,
    key: Key | None = None,
    broken: bool = False,
) -> Signed:
    """A certificate, self-signed without `by`; times in seconds from `now`. broken: an extension cannot be parsed."""
    own = key or ec.generate_private_key(ec.SECP256R1())
    moment = datetime.now(UTC) if now is None else datetime.fromtimestamp(now, UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)] if name else [])
    maker = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment + timedelta(seconds=begins))
        .not_valid_after(moment + timedelta(seconds=ends))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    )
    if not authority:
        maker = maker.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if broken:
        garbage = x509.UnrecognizedExtension(ExtensionOID.CERTIFICATE_POLICIES, b"\xff\xffnone")
        maker = maker.add_extension(garbage, critical=False)
    if names:
        maker = maker.add_extension(x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), critical=not name)
    return Signed(maker.sign(by.key if by else own, hashes.SHA256()), own)


class Authority:
    """A root and an intermediate that issues, with Pebble's names and key types."""

    def __init__(self, number: str = "28cc4a") -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.root = sign(f"Pebble Root CA {number}", authority=True, key=key)
        self.between = sign(f"Pebble Intermediate CA {number}", self.root, authority=True)

    def issue(self, *names: str, begins: float = -HOUR / 2, ends: float = HOUR / 2) -> Signed:
        """A certificate for names, with an empty subject, as newer Pebbles give."""
        return sign("", self.between, names=names, begins=begins, ends=ends)


@contextmanager
def listening(talk: Callable[[socket.socket], object]) -> Iterator[tuple[str, int]]:
    """A server on loopback that does `talk` with each connection, and then closes it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def one(stream: socket.socket) -> None:
            with stream, contextlib.suppress(OSError):
                talk(stream)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    stream, _ = server.accept()
                    threading.Thread(target=one, args=(stream,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield server.getsockname()[:2]
        finally:
            server.shutdown(socket.SHUT_RDWR)


def server_context(folder: Path, chain: Sequence[Signed]) -> ssl.SSLContext:
    """What a server shows a chain with; the ssl module reads it from a file, made for once in `folder`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".pem") as file:
        file.write(chain[0].key_pem + b"".join(one.pem for one in chain))
        file.flush()
        context.load_cert_chain(file.name)
    return context


class TlsServer:
    """Shows the chain that `shown` has for the name asked for; `shown` may be changed at any time. A name that it has
    nothing for is refused with an alert. `address` is where it listens."""

    def __init__(self, folder: Path, shown: dict[str, tuple[Signed, ...]]) -> None:
        self.folder, self.shown = folder, shown
        self.asked: list[str] = []
        self.address = ("127.0.0.1", 0)

    def _choose(self, stream: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> int | None:
        self.asked.append(name or "")
        if name not in self.shown:
            return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        stream.context = server_context(self.folder, self.shown[name])
        return None

    def talk(self, stream: socket.socket) -> None:
        context = server_context(self.folder, (sign("nobody"),))
        context.sni_callback = self._choose
        with context.wrap_socket(stream, server_side=True) as wrapped:
            wrapped.recv(1)


@contextmanager
def tls_server(folder: Path, shown: dict[str, tuple[Signed, ...]]) -> Iterator[TlsServer]:
    """A TlsServer that listens."""
    server = TlsServer(folder, shown)
    with listening(server.talk) as server.address:
        yield server
