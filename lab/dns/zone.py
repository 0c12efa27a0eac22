"""A zone with one A record a node under every name, and what an authoritative server answers for it (RFC 1035)."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from lab.world.dns import AddressRecord
from lab.world.health import MOST_ANSWERS

TTL = 10
"""Seconds that an answer may be cached. Low, so that clients hear soon; Route 53 advises 60 or less with health
checks."""

LONGEST = 1232
"""The longest answer by UDP with EDNS, bytes: no network breaks it up (dnsflagday.net/2020)."""

_SERVER, _MAIL = "ns", "hostmaster"


@dataclass(frozen=True, slots=True)
class Zone:
    """The names under a domain, each with all the records."""

    domain: str
    names: tuple[str, ...]
    records: tuple[AddressRecord, ...]
    ttl: int = TTL


def order_answer(records: Sequence[str], turn: int, rng: random.Random) -> tuple[str, ...]:
    """Return the records of one answer: round robin decides which is the first, as most clients take no other; the
    rest is shuffled, and what is more than an answer holds is left out."""
    if not records:
        return ()
    first = records[turn % len(records)]
    rest = [record for record in records if record != first]
    rng.shuffle(rest)
    return (first, *rest)[:MOST_ANSWERS]


def respond(
    query: dns.message.Message, zone: Zone, addresses: Callable[[], Sequence[str]]
) -> dns.message.Message | None:
    """Return the answer of an authoritative server for the zone, whose names all lead to `addresses`, in that order;
    None for what is no query."""
    if query.flags & dns.flags.QR:
        return None
    response = dns.message.make_response(query, our_payload=LONGEST)
    if query.opcode() != dns.opcode.QUERY:
        response.set_rcode(dns.rcode.NOTIMP)
        return response
    if len(query.question) != 1:
        response.set_rcode(dns.rcode.FORMERR)
        return response
    asked, origin = query.question[0], dns.name.from_text(zone.domain)
    if asked.rdclass != dns.rdataclass.IN or not asked.name.is_subdomain(origin):
        response.set_rcode(dns.rcode.REFUSED)
        return response
    response.flags |= dns.flags.AA
    if asked.rdtype in (dns.rdatatype.A, dns.rdatatype.ANY) and _knows(zone, asked.name):
        response.answer.append(dns.rrset.from_text_list(asked.name, zone.ttl, "IN", "A", addresses()))
    elif asked.rdtype == dns.rdatatype.A and asked.name == dns.name.from_text(_SERVER, origin):
        response.answer.append(dns.rrset.from_text(asked.name, zone.ttl, "IN", "A", "127.0.0.1"))
    elif asked.name == origin and asked.rdtype in (dns.rdatatype.SOA, dns.rdatatype.ANY):
        response.answer.append(_authority(zone))
    elif asked.name == origin and asked.rdtype == dns.rdatatype.NS:
        response.answer.append(dns.rrset.from_text(origin, zone.ttl, "IN", "NS", f"{_SERVER}.{zone.domain}."))
    else:
        if asked.name != origin and not _knows(zone, asked.name):
            response.set_rcode(dns.rcode.NXDOMAIN)
        response.authority.append(_authority(zone))
    return response


def _knows(zone: Zone, name: dns.name.Name) -> bool:
    return bool(zone.records) and any(name == dns.name.from_text(each) for each in zone.names)


def _authority(zone: Zone) -> dns.rrset.RRset:
    """Return the zone's SOA record; its last number is how long the absence of a name may be cached (RFC 2308)."""
    text = f"{_SERVER}.{zone.domain}. {_MAIL}.{zone.domain}. 1 3600 600 86400 {zone.ttl}"
    return dns.rrset.from_text(dns.name.from_text(zone.domain), zone.ttl, "IN", "SOA", text)
