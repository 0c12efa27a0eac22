"""The link faults of a lab's network, in a file in its private folder, and their effects on frames.

A fault made for a lesson has an owner, the process that runs the lesson: it ends with that process, however that ends.
"""

from __future__ import annotations

import json
import os
import random
import socket
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from lab.cluster.link_faults import LinkFault
from lab.cluster.vm.owner import Owner
from lab.files import write_private

FILE = "links.json"
DOOR = "links"
"""The socket in the folder that tells the switch to read its files again."""

_ETHERNET, _IP4 = 14, b"\x08\x00"
_PORTS_IN = (6, 17)
"""The IP protocols whose first two fields are ports: TCP and UDP."""


@dataclass(frozen=True, slots=True)
class Held:
    """A fault, and whose it is; None for one that stays until it is healed."""

    fault: LinkFault
    owner: Owner | None = None


def read_links(home: Path) -> tuple[Held, ...]:
    """Return the faults of the network of the lab in `home`, without those whose owner has ended."""
    try:
        found = json.loads((home / FILE).read_bytes())
        held = [Held(LinkFault(**each["fault"]), each["owner"] and Owner(**each["owner"])) for each in found]
    except (OSError, ValueError, TypeError, KeyError):
        return ()
    return tuple(each for each in held if each.owner is None or each.owner.alive)


def write_links(home: Path, held: Iterable[Held]) -> None:
    """Replace the faults of the network, and tell the switch, which keeps them from then on."""
    rows = [asdict(each) for each in held]
    if rows:
        write_private(home / FILE, json.dumps(rows).encode())
    else:
        (home / FILE).unlink(missing_ok=True)
    tell_switch(home)


def tell_switch(home: Path) -> None:
    """Have the switch read its files again, if it runs."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as door, suppress(OSError):
        # A socket's address has at most 107 bytes; through a descriptor of its folder the path is always short.
        folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
        try:
            door.sendto(b"read", f"/proc/self/fd/{folder}/{DOOR}")
        finally:
            os.close(folder)


def add_fault(home: Path, fault: LinkFault, owner: Owner | None = None) -> None:
    """Add a fault to the network of the lab in `home`, in place of the same one to another degree."""
    others = [held for held in read_links(home) if not fault.replaces(held.fault)]
    write_links(home, [*others, Held(fault, owner)])


def heal_node(home: Path, node: str) -> None:
    """End the faults of the network that concern a node."""
    write_links(home, [held for held in read_links(home) if node not in (held.fault.node, held.fault.peer)])


class Effects:
    """What the faults do to each frame."""

    def __init__(self, faults: Iterable[LinkFault] = (), chance: random.Random | None = None) -> None:
        self.faults = tuple(faults)
        self._chance = chance or random.Random()  # noqa: S311  nothing is kept secret by it

    def delay(self, source: str, target: str, frame: bytes) -> float | None:
        """Return how many seconds late a frame arrives; None when it is lost."""
        late = 0.0
        for fault in self.faults:
            if not fault.concerns(source, target):
                continue
            if fault.port:
                if fault.port in read_ports(frame):
                    return None
            elif fault.lost and self._chance.random() < fault.lost:
                return None
            late += fault.delay
        return late


def read_ports(frame: bytes) -> tuple[int, ...]:
    """Return the TCP or UDP ports of an Ethernet frame, source and target; nothing for other frames and fragments."""
    head = frame[_ETHERNET : _ETHERNET + 60]
    if frame[12:14] != _IP4 or len(head) < 20 or head[9] not in _PORTS_IN or int.from_bytes(head[6:8]) & 0x1FFF:
        return ()
    ports = head[4 * (head[0] & 15) :][:4]
    return (int.from_bytes(ports[:2]), int.from_bytes(ports[2:])) if len(ports) == 4 else ()
