"""The TCP connections between the nodes, followed by their headers: what was asked over each, what came back, when.

All times are those at which one switch had a frame, so those of different connections can be compared. What was not
read of a sample is absent; nothing is guessed, except which side of a connection is the client when its opening was not
read: the one with a port that Linux gives to clients.
"""

from __future__ import annotations

from dataclasses import dataclass

from lab.cluster.wire import Frame
from lab.watch.wire.headers import TCP, Headers, Packet
from lab.world.wire import Exchange

#: Connections that are followed; of more, the one that was quiet for longest is forgotten.
MOST = 1000
#: Exchanges that are told at once, the last ones.
TOLD = 30
#: From here on, Linux chooses ports for clients (net.ipv4.ip_local_port_range).
CLIENT_PORTS = 32_768

Ends = tuple[int, str, int, str, int]
"""The number of a connection's overlay network (0: none), its client's address and port, and its server's."""


@dataclass(slots=True)
class _Turn:
    """An exchange so far; its times are those of the frames."""

    ends: Ends
    source: str
    target: str
    began: float
    sequence: int = 0
    number: int = 0
    accepted: float | None = None
    asked: float | None = None
    answered: float | None = None
    ended: float | None = None
    sent: int = 0
    got: int = 0

    def fact(self, now: float) -> Exchange:
        network, client, client_port, address, port = self.ends
        return Exchange(
            ago=round(max(0.0, now - self.began), 4),
            source=self.source,
            target=self.target,
            network=network,
            client=client,
            client_port=client_port,
            address=address,
            port=port,
            sequence=self.sequence,
            turn=self.number,
            accepted=self._since(self.accepted),
            asked=self._since(self.asked),
            answered=self._since(self.answered),
            ended=self._since(self.ended),
            sent=self.sent,
            got=self.got,
        )

    def _since(self, at: float | None) -> float | None:
        return None if at is None else round(max(0.0, at - self.began), 4)


class Connections:
    """The connections that frames belong to: those inside overlay networks in clear, and those between the nodes'
    own addresses, without the swarm's own."""

    def __init__(self) -> None:
        self._turns: dict[Ends, _Turn] = {}
        self._news: dict[tuple[Ends, int, int], _Turn] = {}

    def take(self, frame: Frame, headers: Headers) -> None:
        """Take a frame. Of those that a fault of the network took, only an attempt to open a connection counts."""
        packet = {"vxlan": headers.inner, "other": headers.packet}.get(headers.carries)
        if packet is None or packet.protocol != TCP or not packet.target_port:
            return
        here = (packet.source, packet.source_port), (packet.target, packet.target_port)
        there: Ends = (headers.network, *here[0], *here[1])
        back: Ends = (headers.network, *here[1], *here[0])
        if packet.opens:
            self._open(frame, packet, there)
        elif frame.lost:
            return
        elif there in self._turns:
            self._hear_client(frame, packet, self._turns[there])
        elif back in self._turns:
            self._hear_server(frame, packet, self._turns[back])
        elif packet.carried and packet.source_port >= CLIENT_PORTS > packet.target_port:
            self._hear_client(frame, packet, _Turn(there, frame.source, frame.target, frame.at, number=1))

    def tell(self, now: float) -> tuple[Exchange, ...]:
        """Return the last of the exchanges of which something new was read since this was last asked; `now` is the
        monotonic clock."""
        news = sorted(self._news.values(), key=lambda turn: turn.began)[-TOLD:]
        self._news.clear()
        return tuple(turn.fact(now) for turn in news)

    def _open(self, frame: Frame, packet: Packet, ends: Ends) -> None:
        known = self._turns.get(ends)
        if known is None or known.sequence != packet.sequence:  # else it is sent again
            self._note(_Turn(ends, frame.source, frame.target, frame.at, packet.sequence))

    def _hear_client(self, frame: Frame, packet: Packet, turn: _Turn) -> None:
        if packet.carried:
            if turn.answered is not None:
                turn = _Turn(turn.ends, frame.source, turn.target, frame.at, turn.sequence, turn.number + 1)
            turn.target = turn.target or frame.target
            turn.asked = frame.at if turn.asked is None else turn.asked
            turn.sent += packet.carried
        self._hear(frame, packet, turn)

    def _hear_server(self, frame: Frame, packet: Packet, turn: _Turn) -> None:
        turn.target = turn.target or frame.source
        if packet.accepts and turn.accepted is None:
            turn.accepted = frame.at
        if packet.carried:
            turn.answered = frame.at
            turn.got += packet.carried
        self._hear(frame, packet, turn)

    def _hear(self, frame: Frame, packet: Packet, turn: _Turn) -> None:
        if packet.ends and turn.ended is None:
            turn.ended = frame.at
        if packet.ends or packet.carried or packet.accepts:
            self._note(turn)

    def _note(self, turn: _Turn) -> None:
        """Keep a turn, of which something new was read, as its connection's last one."""
        self._turns.pop(turn.ends, None)
        self._turns[turn.ends] = turn
        self._news[turn.ends, turn.sequence, turn.number] = turn
        if len(self._turns) > MOST:
            del self._turns[next(iter(self._turns))]
