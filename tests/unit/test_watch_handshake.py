"""A handshake's verdict, over servers that show what is to be told apart."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from hypothesis import given
from hypothesis import strategies as st

from lab.watch.handshake import DEFAULT, Shown, handshake
from lab.watch.trust import matches_host
from tests.doubles.tls import HOUR, Authority, Signed, TlsServer, listening, sign, tls_server

HOST = "node-app.localhost"
BOUND = 30.0


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TlsServer]:
    with tls_server(tmp_path, {}) as running:
        yield running


def shake(server: TlsServer, *chain: Signed, roots: tuple[bytes, ...] = (), host: str = HOST) -> Shown:
    server.shown[host] = chain
    return handshake(server.address, host, roots, time.time(), BOUND)


def test_what_pebble_issued_is_good(server: TlsServer, authority: Authority) -> None:
    leaf = authority.issue(HOST)
    shown = shake(server, leaf, authority.between, roots=(authority.root.pem,))
    assert (shown.verdict, shown.why) == ("good", "")
    seen = shown.certificate
    assert seen is not None
    assert seen.fingerprint == leaf.certificate.fingerprint(hashes.SHA256()).hex()
    assert seen.serial == f"{leaf.certificate.serial_number:x}"
    assert seen.names == (HOST,)
    assert seen.issuer == "Pebble Intermediate CA 28cc4a"
    assert seen.key == "EC P-256"
    assert seen.chain == ("", "Pebble Intermediate CA 28cc4a")
    assert seen.not_after - seen.not_before == HOUR
    assert server.asked == [HOST]


def test_a_root_among_others_and_among_what_is_no_certificate(server: TlsServer, authority: Authority) -> None:
    roots = (b"no certificate", Authority("000000").root.pem, authority.root.pem)
    assert shake(server, authority.issue(HOST), authority.between, roots=roots).verdict == "good"


def test_a_wildcard_covers(server: TlsServer, authority: Authority) -> None:
    host = "node-app.example.org"
    leaf = authority.issue("*.example.org")
    assert shake(server, leaf, authority.between, roots=(authority.root.pem,), host=host).verdict == "good"


@pytest.mark.parametrize("known", [True, False])
def test_an_authority_that_is_not_known(server: TlsServer, authority: Authority, known: bool) -> None:
    roots = (Authority("ffffff").root.pem,) if known else ()
    shown = shake(server, authority.issue(HOST), authority.between, roots=roots)
    assert shown.verdict == "untrusted"
    assert "its chain ends at Pebble Root CA 28cc4a" in shown.why


def test_a_chain_without_its_middle(server: TlsServer, authority: Authority) -> None:
    shown = shake(server, authority.issue(HOST), roots=(authority.root.pem,))
    assert shown.verdict == "untrusted"
    assert "ends at Pebble Intermediate CA 28cc4a" in shown.why


def test_a_root_of_the_same_name_with_another_key(server: TlsServer, authority: Authority) -> None:
    shown = shake(server, authority.issue(HOST), authority.between, roots=(Authority().root.pem,))
    assert shown.verdict == "untrusted"
    assert "a known authority's name, but the chain does not hold" in shown.why


def test_a_certificate_that_may_not_sign_makes_no_chain(server: TlsServer, authority: Authority) -> None:
    middle = authority.issue("middle.example.org")
    named = sign("middle", authority.between, names=["middle.example.org"])
    leaf = sign("x", named, names=[HOST])
    assert middle != named
    assert shake(server, leaf, named, authority.between, roots=(authority.root.pem,)).verdict == "untrusted"


def test_traefiks_own_certificate_is_told_from_another_self_signed_one(server: TlsServer) -> None:
    assert shake(server, sign(DEFAULT, names=["a.traefik.default"])).verdict == "default"
    assert shake(server, sign("somebody", names=[HOST])).verdict == "self-signed"


def test_expired_and_early(server: TlsServer, authority: Authority) -> None:
    roots = (authority.root.pem,)
    expired = shake(server, authority.issue(HOST, begins=-HOUR / 2, ends=-HOUR / 4), authority.between, roots=roots)
    assert expired.verdict == "expired"
    assert expired.why.startswith("it was valid until 20")
    early = shake(server, authority.issue(HOST, begins=HOUR / 4), authority.between, roots=roots)
    assert early.verdict == "early"


def test_a_node_whose_clock_is_a_little_ahead(server: TlsServer, authority: Authority) -> None:
    server.shown[HOST] = (authority.issue(HOST, begins=0), authority.between)
    assert handshake(server.address, HOST, (authority.root.pem,), time.time() - 30, BOUND).verdict == "good"


def test_another_name(server: TlsServer, authority: Authority) -> None:
    leaf = authority.issue("a.localhost", "b.localhost")
    shown = shake(server, leaf, authority.between, roots=(authority.root.pem,))
    assert (shown.verdict, shown.why) == ("wrong-name", "it is for a.localhost, b.localhost")
    assert shown.certificate is not None


def test_a_certificate_that_cannot_be_read_to_its_end(server: TlsServer) -> None:
    shown = shake(server, sign("x", names=[HOST], broken=True))
    assert shown.verdict == "unreadable"
    assert shown.certificate is None
    assert shown.why.startswith("the certificate cannot be read: ")


def test_what_is_no_certificate_at_all() -> None:
    def record(kind: int, body: bytes) -> bytes:
        return bytes([kind, 3, 3]) + struct.pack(">H", len(body)) + body

    def message(kind: int, body: bytes) -> bytes:
        return bytes([kind]) + struct.pack(">I", len(body))[1:] + body

    garbage = b"this is no certificate"
    one = struct.pack(">I", len(garbage))[1:] + garbage
    served = message(11, struct.pack(">I", len(one))[1:] + one)
    # TLS 1.2, ECDHE-RSA-AES128-GCM-SHA256, with the extensions that clients ask for: none but renegotiation.
    hello = message(2, b"\x03\x03" + bytes(32) + b"\x00" + b"\xc0\x2f\x00" + b"\x00\x05\xff\x01\x00\x01\x00")

    def talk(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(record(22, hello) + record(22, served))
        stream.recv(4096)

    with listening(talk) as address:
        shown = handshake(address, HOST, (), time.time(), BOUND)
    assert shown.verdict == "unreadable"
    assert shown.why.startswith("what came is no certificate")


def closed_port() -> tuple[str, int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        address: tuple[str, int] = server.getsockname()[:2]
    return address


def test_nobody_there() -> None:
    shown = handshake(closed_port(), HOST, (), time.time(), BOUND)
    assert (shown.verdict, shown.why, shown.certificate) == ("unreachable", "refused", None)


def test_no_handshake(server: TlsServer) -> None:
    shown = handshake(server.address, "unknown.localhost", (), time.time(), BOUND)
    assert shown.verdict == "unreachable"
    assert shown.why == "TLS: alert unrecognized name"


def test_one_that_answers_in_plain_http() -> None:
    def talk(stream: socket.socket) -> None:
        stream.recv(4096)
        stream.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with listening(talk) as address:
        shown = handshake(address, HOST, (), time.time(), BOUND)
    assert shown.verdict == "unreachable"
    assert "does not speak TLS" in shown.why


def test_one_that_hangs_up() -> None:
    with listening(lambda stream: None) as address:
        shown = handshake(address, HOST, (), time.time(), BOUND)
    assert shown.verdict == "unreachable"
    assert shown.why in {"the connection was closed before the handshake", "the connection was reset"}


def test_one_that_says_nothing() -> None:
    def talk(stream: socket.socket) -> None:
        while stream.recv(4096):
            pass

    with listening(talk) as address:
        shown = handshake(address, HOST, (), time.time(), 0.2)
    assert shown.verdict == "unreachable"
    assert shown.why.startswith("no answer in")


def test_a_name_that_is_none(server: TlsServer) -> None:
    assert handshake(server.address, "ü..localhost", (), time.time(), BOUND).verdict == "unreachable"


LABEL = st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True)


@given(LABEL, LABEL, LABEL)
def test_a_wildcard_is_one_label_before_two_others(first: str, second: str, third: str) -> None:
    names = (f"*.{second}.{third}",)
    assert matches_host(names, f"{first}.{second}.{third}".upper())
    assert not matches_host(names, f"{second}.{third}")
    assert not matches_host(names, f"a.{first}.{second}.{third}")
    assert not matches_host((f"*.{third}",), f"{second}.{third}")
    assert matches_host((f"{first}.{second}.",), f"{first}.{second}")
