"""Clients of a name server: how one asks, and how long one of each kind believes the answer."""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from lab.errors import LabError
from lab.world.dns import Caching

BOUND = 2.0
"""Seconds that a name server has to answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The addresses of a name, in the order that they came in, and how many seconds they may be cached."""

    addresses: tuple[str, ...]
    ttl: float


def resolve(name: str, server: tuple[str, int], bound: float = BOUND) -> Answer:
    """Ask a name server for a name's A records, by UDP, and by TCP if the answer is truncated. Raises LabError if it
    has none, or does not answer."""
    query = dns.message.make_query(name, dns.rdatatype.A)
    try:
        response, _ = dns.query.udp_with_fallback(query, server[0], timeout=bound, port=server[1])
    except (dns.exception.DNSException, OSError) as error:
        why = "no answer" if isinstance(error, dns.exception.Timeout | OSError) else str(error)
        raise LabError(f"the name server on port {server[1]} does not tell where {name} is: {why}") from error
    found = [rrset for rrset in response.answer if rrset.rdtype == dns.rdatatype.A]
    if not found:
        raise LabError(f"{name} has no address: {dns.rcode.to_text(response.rcode())}")
    return Answer(tuple(record.address for record in found[0]), float(found[0].ttl))


@dataclass(frozen=True, slots=True)
class Cache:
    """What a client of one kind believes: an answer, and when it came, in seconds of the caller's clock."""

    caching: Caching
    answer: Answer | None = None
    at: float = 0.0

    def must_ask(self, now: float) -> bool:
        """Return whether the name has to be resolved before the next request."""
        if self.answer is None or not self.answer.addresses:
            return True
        return self.caching != "forever" and now - self.at >= self.answer.ttl

    def holding(self, answer: Answer, now: float) -> Cache:
        """Return the cache with a new answer."""
        return Cache(self.caching, answer, now)

    @property
    def tries(self) -> tuple[str, ...]:
        """The addresses that a request is sent to, one after another until one answers."""
        addresses = self.answer.addresses if self.answer is not None else ()
        return addresses if self.caching == "next" else addresses[:1]
