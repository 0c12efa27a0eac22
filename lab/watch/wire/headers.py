"""The headers of a frame on the nodes' network. Pure, and no byte string is too strange: what cannot be read is absent.

Ethernet, IPv4 (RFC 791), TCP (RFC 9293), UDP, VXLAN (RFC 7348), ESP (RFC 4303); the ports are those that
docs.docker.com lists for a swarm. Nothing behind the headers is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.world.wire import Carries

_ETHERNET = 14
TCP = 6
_UDP, _ESP = 17, 50
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
VXLAN_PORT, GOSSIP_PORT, MANAGEMENT_PORT = 4789, 7946, 2377
_PORTS: dict[int, Carries] = {VXLAN_PORT: "vxlan", GOSSIP_PORT: "gossip", MANAGEMENT_PORT: "management"}


@dataclass(frozen=True, slots=True)
class Packet:
    """The headers of an IPv4 packet. The ports are 0 where there are none, as in a fragment that is not the first.

    Of TCP: it `opens` a connection, `accepts` or `ends` it; its `sequence` number; how many bytes it `carried`."""

    source: str
    target: str
    protocol: int
    source_port: int = 0
    target_port: int = 0
    opens: bool = False
    accepts: bool = False
    ends: bool = False
    sequence: int = 0
    carried: int = 0


@dataclass(frozen=True, slots=True)
class Headers:
    """The headers of a frame: what it `carries`, its packet and, inside VXLAN, the network's number and the packet that
    a container sent."""

    carries: Carries
    packet: Packet | None = None
    network: int = 0
    inner: Packet | None = None


def read_headers(frame: bytes) -> Headers:
    """Return the headers of an Ethernet frame, or of its first bytes."""
    kind, packet, rest = _read_ethernet(frame)
    if kind == b"\x08\x06":
        return Headers("arp")
    if packet is None:
        return Headers("other")
    if packet.protocol == _ESP:
        return Headers("esp", packet)
    carries = next((_PORTS[p] for p in (packet.target_port, packet.source_port) if p in _PORTS), None)
    if carries == "vxlan" and (packet.protocol != _UDP or packet.target_port != VXLAN_PORT):
        carries = None
    if carries != "vxlan":
        return Headers(carries or "other", packet)
    # UDP's header, then VXLAN's: a flag that says that the number is there, and the number.
    header = rest[8:16]
    if len(header) < 8 or not header[0] & 0x08:
        return Headers("vxlan", packet)
    return Headers("vxlan", packet, int.from_bytes(header[4:7]), _read_ethernet(rest[16:])[1])


def _read_ethernet(frame: bytes) -> tuple[bytes, Packet | None, bytes]:
    """Return the type of an Ethernet frame, its IPv4 packet, and what follows that packet's header."""
    kind, data = frame[12:_ETHERNET], frame[_ETHERNET:]
    if kind != b"\x08\x00" or len(data) < 20 or data[0] >> 4 != 4:
        return kind, None, b""
    size = 4 * (data[0] & 15)
    protocol, rest = data[9], data[size:] if size >= 20 else b""
    source, target = (".".join(map(str, data[at : at + 4])) for at in (12, 16))
    fragment = int.from_bytes(data[6:8]) & 0x1FFF
    if protocol not in (TCP, _UDP) or fragment or len(rest) < 4:
        return kind, Packet(source, target, protocol), b""
    ports = int.from_bytes(rest[:2]), int.from_bytes(rest[2:4])
    if protocol != TCP or len(rest) < 14:
        return kind, Packet(source, target, protocol, *ports), rest
    flags, header = rest[13], 4 * (rest[12] >> 4)
    carried = max(0, int.from_bytes(data[2:4]) - size - header)
    return (
        kind,
        Packet(
            source,
            target,
            protocol,
            *ports,
            opens=flags & (_SYN | _ACK) == _SYN,
            accepts=flags & (_SYN | _ACK) == _SYN | _ACK,
            ends=bool(flags & (_FIN | _RST)),
            sequence=int.from_bytes(rest[4:8]),
            carried=carried,
        ),
        rest,
    )
