"""Three minutes of the lab's DNS: four nodes under one name, and node4 powered off after one of them."""

from __future__ import annotations

from collections.abc import Iterator

from lab.world.dns import CACHINGS, AddressRecord, Caching, ClientsRow, ClientsSeen, EndpointChecked, ZoneServed
from lab.world.entries import ActDone, Entry
from lab.world.world import World, fold_all

NAMES = ("node-app.localhost", "traefik.localhost", "viz.localhost")
RECORDS = tuple(AddressRecord(f"node{n}", f"10.77.0.{10 + n}") for n in (1, 2, 3, 4))
ZONE = ZoneServed("live", 20053, NAMES, RECORDS, 10.0, 10.0, f"https://{NAMES[0]}/")
OFF, LEFT = 61.0, 104.0
"""When node4 is powered off, and from when on nobody who asks again goes there."""


def went(caching: Caching, at: float) -> Iterator[tuple[str, int, int, int]]:
    for n in (1, 2, 3, 4):
        dead = n == 4 and at > OFF
        if dead and caching == "next":
            yield (f"node{n}", 0, 0, 1)
        elif not dead or caching == "forever" or at < LEFT:
            yield (f"node{n}", int(not dead), int(dead), 0)


def row(caching: Caching, at: float) -> ClientsRow:
    gone = at >= LEFT and caching != "forever"
    counts = tuple(each for each in went(caching, at) if not gone or each[0] != "node4")
    return ClientsRow(caching, counts, tuple((node, 1) for node, *_ in counts), at if caching == "forever" else 8.0)


def checked(n: int, at: float) -> EndpointChecked:
    if n == 4 and at > OFF:
        return EndpointChecked("node4", False, 0, 1.0, "connection refused")
    return EndpointChecked(f"node{n}", True, 200, 40.0 + n)


def entries() -> tuple[Entry, ...]:
    """All of it."""
    made = [Entry(0.0, ZONE), Entry(OFF, ActDone("the lab powered node4 off", "node4"))]
    made += [Entry(at := round + 2.5 * n, checked(n, at)) for round in range(0, 180, 10) for n in (1, 2, 3, 4)]
    for at in range(4, 184, 4):
        made.append(Entry(at + 0.1, ClientsSeen(4.0, tuple(row(caching, at) for caching in CACHINGS))))
    return tuple(sorted(made, key=lambda entry: entry.at))


def world() -> World:
    return fold_all(entries())
