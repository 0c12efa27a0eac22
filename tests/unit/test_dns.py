"""The name server, asked over the wire: what it answers by UDP and TCP, and what each kind of client makes of it."""

from __future__ import annotations

import random
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdataclass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.dns.client import Answer, Cache, resolve
from lab.dns.server import LOOPBACK, NameServer
from lab.dns.zone import Zone, order_answer, respond
from lab.errors import LabError
from lab.world.dns import CACHINGS, AddressRecord
from lab.world.health import MOST_ANSWERS

ZONE = Zone("shop.example", ("www.shop.example",), (AddressRecord("node1", "10.0.0.1"),))
FOUR = ("10.0.0.4", "10.0.0.2", "10.0.0.3", "10.0.0.1")
BOUND = 30.0


def asked(name: str, kind: str = "A", **more: object) -> dns.message.Message:
    answer = respond(dns.message.make_query(name, kind, **more), ZONE, lambda: FOUR)  # type: ignore[arg-type]
    assert answer is not None
    return answer


@contextmanager
def served(zone: Zone = ZONE, addresses: tuple[str, ...] = FOUR) -> Iterator[int]:
    server = NameServer(0, lambda query: respond(query, zone, lambda: addresses))
    try:
        yield server.port
    finally:
        server.close()


@pytest.mark.parametrize("by", [dns.query.udp, dns.query.tcp])
def test_a_name_is_answered_over_the_wire_in_the_order_that_was_chosen(by: object) -> None:
    with served() as port:
        query = dns.message.make_query("WWW.shop.example", "A")
        answer = by(query, LOOPBACK, timeout=BOUND, port=port)  # type: ignore[operator]
    assert [record.address for record in answer.answer[0]] == [*FOUR]
    assert answer.answer[0].ttl == ZONE.ttl
    assert answer.flags & dns.flags.AA and not answer.flags & dns.flags.RA


def test_a_client_hears_the_same() -> None:
    with served() as port:
        assert resolve("www.shop.example", (LOOPBACK, port), BOUND) == Answer(FOUR, float(ZONE.ttl))
        with pytest.raises(LabError, match="NXDOMAIN"):
            resolve("ftp.shop.example", (LOOPBACK, port), BOUND)
    with pytest.raises(LabError, match="does not tell where"):
        resolve("www.shop.example", (LOOPBACK, port), 0.5)


def test_what_is_not_there_and_what_is_not_ours() -> None:
    assert asked("ftp.shop.example").rcode() == dns.rcode.NXDOMAIN
    assert asked("ftp.shop.example").authority[0].ttl == ZONE.ttl
    absent = asked("www.shop.example", "AAAA")
    assert absent.rcode() == dns.rcode.NOERROR and not absent.answer and absent.authority
    for refused in (asked("www.example.org"), asked("www.shop.example", rdclass=dns.rdataclass.CH)):
        assert refused.rcode() == dns.rcode.REFUSED and not refused.answer
    assert asked("shop.example", "SOA").answer
    (server,) = asked("shop.example", "NS").answer[0]
    assert asked(server.to_text()).answer[0][0].to_text() == LOOPBACK, "where it listens"
    assert asked("www.shop.example", use_edns=True).edns == 0
    assert (
        respond(dns.message.make_query("www.shop.example", "A"), Zone("shop.example", (), ()), lambda: ()) is not None
    )


def test_what_is_no_question() -> None:
    query = dns.message.make_query("www.shop.example", "A")
    assert respond(dns.message.make_response(query), ZONE, lambda: FOUR) is None
    query.set_opcode(dns.opcode.NOTIFY)
    answer = respond(query, ZONE, lambda: FOUR)
    assert answer is not None and answer.rcode() == dns.rcode.NOTIMP
    empty = respond(dns.message.QueryMessage(), ZONE, lambda: FOUR)
    assert empty is not None and empty.rcode() == dns.rcode.FORMERR


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served() as port:
        yield port


@given(junk=st.lists(st.binary(max_size=64), max_size=5))
def test_after_any_bytes_the_server_still_answers(port: int, junk: list[bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for each in junk:
            line.sendto(each, (LOOPBACK, port))
    with socket.create_connection((LOOPBACK, port), BOUND) as stream:
        stream.sendall(b"".join(len(each).to_bytes(2, "big") + each for each in junk))
    assert resolve("www.shop.example", (LOOPBACK, port), BOUND).addresses == FOUR


def test_an_answer_that_is_too_long_for_udp_comes_by_tcp() -> None:
    many = tuple(f"10.0.{high}.{low}" for high in range(2) for low in range(100))
    with served(addresses=many) as port:
        assert resolve("www.shop.example", (LOOPBACK, port), BOUND).addresses == many


def test_a_port_is_taken_by_one_and_free_when_it_is_closed() -> None:
    with served() as port, pytest.raises(OSError):
        NameServer(port, lambda query: None)
    NameServer(port, lambda query: None).close()


@given(st.lists(st.integers(0, 20), unique=True, max_size=12), st.integers(0, 100), st.randoms())
def test_every_record_is_first_equally_often(numbers: list[int], begin: int, rng: random.Random) -> None:
    records = [str(number) for number in numbers]
    answers = [order_answer(records, begin + turn, rng) for turn in range(2 * len(records))]
    assert Counter(answer[0] for answer in answers) == dict.fromkeys(records, 2)
    for answer in answers:
        assert len(set(answer)) == len(answer) == min(len(records), MOST_ANSWERS)
        assert set(answer) <= set(records)


@given(st.sampled_from(CACHINGS), st.lists(st.sampled_from(FOUR), unique=True), st.floats(0, 100), st.floats(0, 100))
def test_what_each_kind_of_client_believes(caching: str, addresses: list[str], ttl: float, later: float) -> None:
    new = Cache(caching)  # type: ignore[arg-type]
    assert new.must_ask(later) and new.tries == ()
    cache = new.holding(Answer(tuple(addresses), ttl), 0.0)
    assert cache.must_ask(later) == (not addresses or (caching != "forever" and later >= ttl))
    assert cache.tries == tuple(addresses if caching == "next" else addresses[:1])
