"""The load generator over TLS: the name it bears, certificates that it does not judge, handshakes that fail."""

from __future__ import annotations

import socket
import ssl
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.doubles.load import OK, PLAIN, Serve, nodes, request, server, told


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's context with a certificate that nobody trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "somebody")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=2))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    file: Path = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.mark.parametrize("fresh", [True, False])
def test_https_bears_the_name_and_judges_no_certificate(tls: ssl.SSLContext, fresh: bool) -> None:
    names: list[str | None] = []
    resumed: list[bool | None] = []

    def seen(stream: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        names.append(name)

    def serve(stream: socket.socket) -> None:
        assert isinstance(stream, ssl.SSLSocket)
        resumed.append(stream.session_reused)
        while request(stream):
            stream.sendall(OK)

    tls.sni_callback = seen
    with server(serve, tls) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, https=True, host="node-app.localhost", rate=40, fresh=fresh))
        it.until(lambda load: load.good >= 20)
        load = it.ended()
        assert it.errors() == set()
        assert set(names) == {"node-app.localhost"}
        assert set(resumed) == {False}
        assert (one.connections == load.sent) if fresh else (one.connections < load.sent)


@pytest.mark.parametrize(
    ("serve", "error"),
    [
        (lambda stream: stream.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n"), "TLS: wrong version number"),
        (lambda stream: stream.recv(4096), "TLS: closed in the handshake"),
    ],
)
def test_a_failed_handshake_is_named(serve: Serve, error: str) -> None:
    def once(stream: socket.socket) -> None:
        serve(stream)
        stream.shutdown(socket.SHUT_WR)
        while stream.recv(4096):
            pass

    with server(once) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, https=True))
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, error)}


def test_tls_that_closes_without_an_answer_is_named(tls: ssl.SSLContext) -> None:
    def serve(stream: socket.socket) -> None:
        request(stream)

    with server(serve, tls) as one, told(nodes(one.port)) as it:
        it.maker.start(replace(PLAIN, https=True, rate=20))
        it.until(lambda load: load.bad > 0)
        it.ended()
        assert it.errors() == {("node1", 0, "closed without an answer")}
