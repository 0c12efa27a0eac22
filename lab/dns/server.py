"""A name server on loopback, over UDP and TCP (RFC 7766)."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress

import dns.exception
import dns.message

from lab.dns.zone import LONGEST

LOOPBACK = "127.0.0.1"

Respond = Callable[[dns.message.Message], "dns.message.Message | None"]

_IDLE = 5.0
"""Seconds that a TCP connection may be silent."""
_PLAIN = 512
"""The longest UDP answer without EDNS, bytes."""
_TRIES = 20


class NameServer:
    """A name server that answers with `respond`, on its own threads, from its creation to `close`. Port 0 takes a free
    one. Raises OSError when the port is taken."""

    def __init__(self, port: int, respond: Respond) -> None:
        self._servers = _bind(port, respond)
        self.port = self._servers[0].server_address[1]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.2,), name="dns", daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more, and free the port. Idempotent."""
        for server in self._servers:
            server.shutdown()
            server.server_close()


class _Udp(socketserver.UDPServer):
    max_packet_size = 4096


class _Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    # So that a port can be taken again at once, while its old connections are in TIME_WAIT.
    allow_reuse_address = True


def _bind(port: int, respond: Respond) -> tuple[_Udp, _Tcp]:
    class Datagram(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, line = self.request
            if (wire := _answer(data, respond, udp=True)) is not None:
                line.sendto(wire, self.client_address)

    class Stream(socketserver.StreamRequestHandler):
        timeout = _IDLE

        def handle(self) -> None:
            with suppress(OSError):
                while len(head := self.rfile.read(2)) == 2:
                    data = self.rfile.read(int.from_bytes(head, "big"))
                    if (wire := _answer(data, respond, udp=False)) is None:
                        return
                    self.wfile.write(len(wire).to_bytes(2, "big") + wire)

    for left in reversed(range(_TRIES)):
        tcp = _Tcp((LOOPBACK, port), Stream)
        try:
            return _Udp((LOOPBACK, tcp.server_address[1]), Datagram), tcp
        except OSError:
            tcp.server_close()
            # A free port for TCP may be taken for UDP; then there is another one.
            if port or not left:
                raise
    raise AssertionError


def _answer(data: bytes, respond: Respond, *, udp: bool) -> bytes | None:
    """Return the answer to a message in the wire format; None for what deserves none."""
    try:
        query = dns.message.from_wire(data)
    except dns.exception.DNSException:
        return None
    response = respond(query)
    if response is None:
        return None
    size = max(_PLAIN, min(query.payload, LONGEST)) if udp else 65_535
    # The order is `respond`'s; without this the library shuffles.
    return response.to_wire(max_size=size, prefer_truncation=True, want_shuffle=False)
