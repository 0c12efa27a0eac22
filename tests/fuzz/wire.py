"""The frames between the nodes, whatever a container puts into them: each is counted, none raises."""

from __future__ import annotations

from random import Random
from typing import Any

from lab.cluster.wire import Frame, Reading
from lab.watch.wire.headers import read_headers
from lab.watch.wire.source import Report
from tests.fuzz.kept import keepable
from tests.fuzz.surface import Broken, Surface
from tests.fuzz.values import latin, raw

#: Beginnings of real frames: Ethernet and IPv4 with UDP to VXLAN's port, TCP in it, and TCP to the managers' port.
_IP = bytes(12) + b"\x08\x00" + b"\x45" + bytes(8)
_UDP = _IP + b"\x11" + bytes(10) + b"\xc3\x50\x12\xb5" + bytes(4)
_VXLAN = _UDP + b"\x08\0\0\0\0\x10\x01\0"
_TCP = _IP + b"\x06" + bytes(10) + b"\x9c\x40"
_BEGINNINGS = (b"", _IP, _UDP, _VXLAN + _IP, _VXLAN + _TCP + b"\x1f\x90", _TCP + b"\x1f\x90", _TCP + b"\x09\x49")


def _draw(rng: Random) -> Any:
    return [latin(rng.choice(_BEGINNINGS) + rng.randbytes(rng.randrange(150))) for _ in range(rng.randrange(1, 6))]


def _hold(value: Any) -> None:
    report = Report()
    report.take(Reading(tuple(Frame(0.0, "node1", "node2", len(each), raw(each)) for each in value)))
    fact = report.fact(1.0, 1.0)
    if sum(flow.frames for flow in fact.flows) != len(value):
        raise Broken("a frame that was not counted", f"{fact!a}")
    keepable([fact])
    for each in value:
        whole, head = read_headers(raw(each)), read_headers(raw(each)[:104])
        if whole.carries != head.carries:
            raise Broken("a head that says something else than its frame", f"{whole!a} {head!a}")


SURFACE = Surface("wire", _draw, _hold)
