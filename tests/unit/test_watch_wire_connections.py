"""Connections between the nodes, followed by synthetic frames, all or a sample of them: what is told, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cluster.wire import HEAD, VXLAN_HEAD, Frame
from lab.watch.wire.connections import MOST, TOLD, Connections
from lab.watch.wire.headers import read_headers
from lab.world.wire import Exchange
from tests.unit.test_watch_wire import ethernet, ip, tcp, udp, vxlan

SYN, SYN_ACK, ACK, FIN, RST = 0x02, 0x12, 0x10, 0x11, 0x04


@dataclass(frozen=True)
class Talk:
    """A TCP connection of a container on one node with one on another; with no network, of the nodes themselves."""

    network: int = 4096
    source: str = "node1"
    target: str = "node4"
    client: str = "10.0.0.2"
    client_port: int = 41_234
    address: str = "10.0.0.9"
    port: int = 8080
    sequence: int = 4711

    def frame(self, at: float, flags: int = ACK, size: int = 0, *, back: bool = False, lost: bool = False) -> Frame:
        here, there = (self.client, self.client_port), (self.address, self.port)
        nodes = self.source, self.target
        if back:
            here, there, nodes = there, here, nodes[::-1]
        packet = ip(6, here[0], there[0], tcp(here[1], there[1], flags, bytes(size), self.sequence))
        whole = vxlan(self.network, ethernet(packet)) if self.network else ethernet(packet)
        head = whole[: VXLAN_HEAD if self.network else HEAD]
        return Frame(at, *nodes, len(whole), head, lost)

    def request(self, at: float, asked: int = 78, got: int = 1240) -> list[Frame]:
        """All frames of one request, milliseconds apart."""
        steps = [(SYN, 0, 0), (SYN_ACK, 0, 1), (ACK, 0, 0), (ACK, asked, 0), (ACK, 0, 1), (ACK, got, 1), (FIN, 0, 0)]
        return [self.frame(at + n / 1000, flags, size, back=bool(back)) for n, (flags, size, back) in enumerate(steps)]

    def whole(self, ago: float) -> Exchange:
        """What is told of that request."""
        return Exchange(
            ago,
            self.source,
            self.target,
            self.network,
            self.client,
            self.client_port,
            self.address,
            self.port,
            self.sequence,
            accepted=0.001,
            asked=0.003,
            answered=0.005,
            ended=0.006,
            sent=78,
            got=1240,
        )


TALK = Talk()


def follow(frames: Sequence[Frame], now: float = 10.0, connections: Connections | None = None) -> tuple[Exchange, ...]:
    found = connections or Connections()
    for frame in frames:
        found.take(frame, read_headers(frame.head))
    return found.tell(now)


@pytest.mark.parametrize("talk", [TALK, Talk(0, client="10.77.0.11", address="10.77.0.14")])
def test_a_request_is_told_with_its_times_and_bytes(talk: Talk) -> None:
    assert follow(talk.request(9.0)) == (talk.whole(1.0),)


def test_what_the_mesh_forwards_has_the_same_sequence_number() -> None:
    outer = Talk(0, "node3", "node2", "10.77.0.13", 51_514, "10.77.0.12", 8080)
    inner = Talk(4096, "node2", "node4", "10.0.0.3", 51_514)
    out, back = outer.request(9.0), inner.request(9.0004)
    told = follow([frame for pair in zip(out, back, strict=True) for frame in pair])
    assert told == (outer.whole(1.0), replace(inner.whole(1.0), ago=0.9996))
    assert len({one.sequence for one in told}) == 1


def test_over_a_connection_that_is_kept_each_request_is_told() -> None:
    connections = Connections()
    (first,) = follow(TALK.request(5.0)[:-1], connections=connections)
    second = [TALK.frame(7.0, size=50), TALK.frame(7.04, size=90, back=True)]
    (told,) = follow(second, connections=connections)
    assert (first.turn, first.ended) == (0, None)
    assert (told.turn, told.ago, told.asked, told.answered) == (1, 3.0, 0.0, 0.04)
    assert (told.sent, told.got, told.accepted, told.connection) == (50, 90, None, first.connection)


def test_a_connection_that_was_open_before_is_joined_by_its_clients_port() -> None:
    answer, asked = TALK.frame(1.0, size=9, back=True), TALK.frame(2.0, size=5)
    (told,) = follow([answer, asked, replace(answer, at=2.5)])
    assert (told.client, told.sequence, told.turn, told.sent, told.got) == ("10.0.0.2", 0, 1, 5, 9)
    odd = Talk(client_port=9000)
    assert follow([odd.frame(1.0, size=5)]) == ()


def test_an_attempt_to_open_is_told_once_until_it_is_another() -> None:
    tries = [TALK.frame(1.0, SYN, lost=True), TALK.frame(2.0, SYN), TALK.frame(3.0, SYN_ACK, back=True)]
    (told,) = follow(tries)
    assert (told.ago, told.accepted) == (9.0, 2.0)
    again = replace(TALK, sequence=9).frame(4.0, SYN)
    assert [one.sequence for one in follow([*tries, again])] == [4711, 9]


def test_what_a_fault_took_was_not_answered() -> None:
    frames = TALK.request(9.0)
    (told,) = follow([replace(frame, lost=n > 2) for n, frame in enumerate(frames)])
    assert (told.accepted, told.asked, told.answered, told.sent) == (0.001, None, None, 0)


def test_a_target_that_the_switch_did_not_know_is_known_when_it_answers() -> None:
    opens, *others = TALK.request(9.0)
    unknown = replace(opens, target="")
    assert follow([unknown])[0].target == ""
    assert follow([unknown, *others]) == (TALK.whole(1.0),)


def test_nothing_new_is_told_twice_and_the_swarms_own_connections_are_not_told() -> None:
    connections = Connections()
    assert follow(TALK.request(9.0), connections=connections)
    assert follow([TALK.frame(9.5)], connections=connections) == ()
    own = [frame for port in (2377, 7946) for frame in Talk(0, port=port).request(9.0)]
    assert follow(own) == ()
    datagram = vxlan(4096, ethernet(ip(17, "10.0.0.2", "10.0.0.9", udp(41_234, 53))))
    assert follow([Frame(9.0, "node1", "node4", len(datagram), datagram[:VXLAN_HEAD])]) == ()


def test_what_is_followed_and_told_is_bounded() -> None:
    connections = Connections()
    for number in range(MOST + 100):
        talk = Talk(client=f"10.1.{number >> 8}.{number & 255}")
        connections.take(frame := talk.frame(number / 1000, SYN), read_headers(frame.head))
    assert len(connections._turns) == MOST
    told = connections.tell(10.0)
    assert len(told) == TOLD
    assert told[-1].client == f"10.1.{(MOST + 99) >> 8}.{(MOST + 99) & 255}"


STEPS = st.lists(
    st.tuples(st.booleans(), st.integers(0, 1400), st.sampled_from((ACK, ACK, ACK, FIN, RST))), max_size=12
)
TALKS = st.lists(
    st.builds(Talk, st.sampled_from((0, 4096, 4097)), client_port=st.integers(32_768, 60_999)),
    min_size=1,
    max_size=4,
    unique_by=lambda talk: (talk.network, talk.client_port),
)


@given(TALKS, st.data())
def test_a_sample_tells_less_and_nothing_else(talks: list[Talk], data: st.DataObject) -> None:
    frames: list[tuple[Talk, Frame, bool, int]] = []
    for talk in talks:
        steps = [(False, 0, SYN), (True, 0, SYN_ACK), *data.draw(STEPS)]
        pauses = data.draw(st.lists(st.floats(0, 0.5), min_size=len(steps), max_size=len(steps)))
        frames += [
            (talk, talk.frame(at, flags, size, back=back), back, size)
            for at, (back, size, flags) in zip(accumulate(pauses), steps, strict=True)
        ]
    frames.sort(key=lambda each: each[1].at)
    kept = [each for each in frames if data.draw(st.booleans())]
    for some, whole in ((frames, True), (kept, False)):
        told = follow([frame for _, frame, _, _ in some], now=100.0)
        for talk in talks:
            mine = [one for one in told if (one.network, one.client_port) == (talk.network, talk.client_port)]
            sizes = [sum(size for who, _, back, size in some if who == talk and back == way) for way in (False, True)]
            sent, got = sum(one.sent for one in mine), sum(one.got for one in mine)
            assert (sent, got) == tuple(sizes) if whole else sent <= sizes[0] and got <= sizes[1]
            assert all((one.source, one.target, one.address) == ("node1", "node4", talk.address) for one in mine)
            assert all((one.sequence == 4711) if whole else one.sequence in (0, 4711) for one in mine)
            assert [one.turn for one in mine] == sorted(one.turn for one in mine)
            for one in mine:
                times = (one.accepted, one.asked, one.answered, one.ended)
                assert all(0 <= at <= one.ago for at in times if at is not None)
                assert one.got == 0 or one.answered is not None
