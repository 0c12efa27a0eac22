"""The values that the lab's DNS is told in: the records, and the clients that resolve a name and go there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lab.world.bounds import Count, Name, Seconds

Caching = Literal["ttl", "forever", "next"]
"""How a client uses an answer: it asks again when the TTL is over (`ttl`), it never asks again (`forever`), or it obeys
the TTL and tries the next address when one does not answer (`next`)."""

CACHINGS: tuple[Caching, ...] = ("ttl", "forever", "next")


@dataclass(frozen=True, slots=True)
class AddressRecord:
    """An A record: a node, and its address on the nodes' own network."""

    node: Name
    address: Name


@dataclass(frozen=True, slots=True)
class ClientsRow:
    """What the clients of one kind did since the last report, and where they will go next.

    `went` counts requests by the node that was tried first: those it answered, those that failed, and those that
    another node answered in its place. `believe` is how many clients have which node's address first in their cache;
    `age` is that of the oldest answer among them, in seconds.
    """

    caching: Caching
    went: tuple[tuple[Name, Count, Count, Count], ...] = ()
    believe: tuple[tuple[Name, Count], ...] = ()
    age: Seconds = 0.0
