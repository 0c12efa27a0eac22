"""One TLS handshake: the certificate that an address serves for a host name, and the verdict on it."""

from __future__ import annotations

import re
import select
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.watch import trust
from lab.world.traefik import Certificate, Verdict

if TYPE_CHECKING:
    from cryptography import x509
    from OpenSSL import SSL

#: The common name of Traefik's default certificate.
DEFAULT = "TRAEFIK DEFAULT CERT"
#: Seconds by which a node's clock may be ahead of this machine's.
AHEAD = 60.0
#: How OpenSSL words the peer's alert: `tlsv1 unrecognized name`, `ssl/tls alert handshake failure`.
_ALERT = re.compile(r"(?:sslv3|tlsv1|tlsv13|ssl/tls|tls) (?:alert )?(.+)")


@dataclass(frozen=True)
class Shown:
    """The result of a handshake; `certificate` is None if none was received, or none that can be read."""

    verdict: Verdict
    why: str = ""
    certificate: Certificate | None = None


class _Unreachable(Exception):
    """There was no handshake; the message says why."""


class _Unreadable(Exception):
    """What was received is not a certificate; the message says why."""


def handshake(address: tuple[str, int], host: str, roots: Sequence[bytes], now: float, bound: float) -> Shown:
    """Connect, send the host's name (SNI), and judge the certificate served.

    `roots` are the known authorities' certificates in PEM; without any, this machine's public ones are used. `now` is
    the time to judge by, in seconds since the epoch; the whole handshake may take `bound` seconds. Never raises because
    of what is served.
    """
    try:
        served = _fetch_chain(address, host, bound)
        certificate = trust.describe_certificate(served)
        verdict, why = _judge(served, certificate, host, roots, now)
    except _Unreachable as error:
        return Shown("unreachable", str(error))
    except _Unreadable as error:
        return Shown("unreadable", str(error))
    except Exception as error:  # noqa: BLE001  anything may be served, and cryptography reads parts only when asked for
        said = str(error).strip() or type(error).__name__
        return Shown("unreadable", f"the certificate cannot be read: {said}"[:200])
    return Shown(verdict, why, certificate)


def _judge(
    served: Sequence[x509.Certificate], certificate: Certificate, host: str, roots: Sequence[bytes], now: float
) -> tuple[Verdict, str]:
    if certificate.subject == DEFAULT:
        return "default", "Traefik made it for itself: it has no certificate for this name"
    if certificate.not_after < now:
        return "expired", f"it was valid until {_clock(certificate.not_after)}"
    if certificate.not_before > now + AHEAD:
        return "early", f"it is valid only from {_clock(certificate.not_before)}"
    if not trust.matches_host(certificate.names, host):
        return "wrong-name", f"it is for {', '.join(certificate.names) or 'no name at all'}"
    if served[0].issuer == served[0].subject:
        return "self-signed", "it signed itself"
    why = trust.why_untrusted(served, roots, max(now, certificate.not_before), host)
    return ("untrusted", why) if why else ("good", "")


def _clock(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def _fetch_chain(address: tuple[str, int], host: str, bound: float) -> list[x509.Certificate]:
    """Return the chain as served, the host's own certificate first."""
    from OpenSSL import SSL  # slow to import: not before a certificate is inspected

    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    # OpenSSL must not verify anything: the aim is to see what is served, whatever it is.
    context.set_verify(SSL.VERIFY_NONE)
    until = time.monotonic() + bound
    try:
        with socket.create_connection(address, bound) as stream:
            stream.setblocking(False)
            connection = SSL.Connection(context, stream)
            connection.set_tlsext_host_name(trust.ascii_name(host).encode("ascii"))
            connection.set_connect_state()
            _shake(connection, stream, until)
            chain = connection.get_peer_cert_chain(as_cryptography=True)
    except TimeoutError:
        raise _Unreachable(f"no answer in {bound:.0f} s") from None
    except ConnectionRefusedError:
        raise _Unreachable("refused") from None
    except ConnectionError:
        raise _Unreachable("the connection was reset") from None
    except SSL.Error as error:
        raise _fault(error) from None
    except (OSError, UnicodeError) as error:
        raise _Unreachable(str(error)) from None
    if not chain:
        raise _Unreachable("the handshake brought no certificate")
    return chain


def _shake(connection: SSL.Connection, stream: socket.socket, until: float) -> None:
    from OpenSSL import SSL  # slow to import: not before a certificate is inspected

    while True:
        try:
            return connection.do_handshake()
        except SSL.WantReadError:
            wanted = select.POLLIN
        except SSL.WantWriteError:
            wanted = select.POLLOUT
        ready = select.poll()
        ready.register(stream, wanted)
        left = until - time.monotonic()
        if left <= 0 or not ready.poll(left * 1000):
            raise TimeoutError


def _fault(error: SSL.Error) -> Exception:
    """Return the exception for a failed handshake, with OpenSSL's reason in plain words."""
    from OpenSSL import SSL  # slow to import: not before a certificate is inspected

    if isinstance(error, SSL.SysCallError):
        closed = error.args and error.args[0] == -1
        return _Unreachable("the connection was closed before the handshake" if closed else "the connection was reset")
    said = error.args[0] if error.args and isinstance(error.args[0], list) else []
    reasons = [part[-1] for part in said if part and part[-1]]
    if any("asn1" in part[0] for part in said):
        return _Unreadable(f"what came is no certificate: {reasons[0] if reasons else 'not ASN.1'}")
    reason = reasons[0] if reasons else "no handshake"
    if alert := _ALERT.match(reason):
        return _Unreachable(f"TLS: alert {alert[1]}")
    if reason in {"wrong version number", "packet length too long", "http request"}:
        return _Unreachable(f"TLS: the server does not speak TLS ({reason})")
    if "unexpected eof" in reason:
        return _Unreachable("the connection was closed before the handshake")
    return _Unreachable(f"TLS: {reason}")
