"""The ports that a lab uses on this machine: a block of its own on loopback, kept for the lab's lifetime."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lab.cluster.vm.qemu import LOOPBACK
from lab.errors import LabError

_LAST_DIGITS = {
    80: 80,
    443: 43,
    3000: 30,
    5000: 50,
    8000: 70,
    8080: 88,
    8081: 81,
    8082: 82,
    8083: 83,
    8443: 84,
    9000: 90,
    9100: 91,
    15000: 15,
}
PUBLISHED = tuple(_LAST_DIGITS)
"""Ports that, when published in the swarm, can be reached from this machine on every node."""

_FIRST = 20_000
_LAST = 32_000
"""Below 32768, where Linux's default range of ports for outgoing connections begins."""
_STEP = 1_000
"""Ports per lab."""


@dataclass(frozen=True)
class Block:
    """A lab's block of ports. Node n owns first + 100 n to first + 100 n + 99, and the lab itself those below."""

    first: int

    def engine(self, number: int) -> int:
        """Return the engine's port of node `number` (from 1)."""
        return self.first + 100 * number

    def published_ports(self, number: int) -> dict[int, int]:
        """Map ports in the swarm to ports on this machine, for node `number`; the last digits are similar: 8080 is
        ..88."""
        return {port: self.first + 100 * number + digits for port, digits in _LAST_DIGITS.items()}

    @property
    def dns(self) -> int:
        """Return the port of the lab's name server."""
        return self.first + 53

    def all(self, nodes: int) -> tuple[int, ...]:
        """Return every TCP port of the block for this number of nodes."""
        every = range(1, nodes + 1)
        return (self.dns, *(p for n in every for p in (self.engine(n), *self.published_ports(n).values())))


def free(port: int) -> bool:
    """Return whether nothing listens on this TCP port of loopback."""
    with socket.socket() as probe:
        # As QEMU does; an old connection in TIME_WAIT does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def allocate(nodes: int, taken: Iterable[int] = (), *, is_free: Callable[[int], bool] = free) -> Block:
    """Return a block whose ports are all free and that no other lab has (`taken`: their first ports). Raises
    LabError."""
    others = frozenset(taken)
    for first in range(_FIRST, _LAST, _STEP):
        block = Block(first)
        if first not in others and all(map(is_free, block.all(nodes))):
            return block
    raise LabError(
        f"no block of free ports between {_FIRST} and {_LAST} on {LOOPBACK}",
        remedy="end what listens there, or remove a lab with `swarmlab down --name ...`",
    )
