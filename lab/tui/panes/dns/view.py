"""DNS with health checks: the records, the health of each node, and three kinds of clients that go by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.tui.panes.common import finish, format_duration, heading, pack
from lab.tui.panes.dns.curve import GUTTER, curve, legend, mark_row, window
from lab.tui.spans import Line, Span, Tone, fit, width, wrap
from lab.world.dns import CACHINGS, Caching
from lab.world.dns_state import Checks
from lab.world.health import THRESHOLD

if TYPE_CHECKING:
    from lab.world.dns import AddressRecord, EndpointChecked, ZoneServed
    from lab.world.world import World

HELP = (
    "The lab's own name server, with Route 53's rules: each node is asked by HTTPS, three checks in a row change its "
    "health, and an answer (→) has the healthy nodes only, or all when none is. Below, clients go by name: some obey "
    "the TTL, some never ask again, some try the next address. A bar is the share of requests that met a node which "
    "did not answer: it failed, or (░) another node answered it."
)
EMPTY = (
    "While this view is in sight of a live cluster, the lab serves the demo's names by DNS: one record a node, with "
    "health checks as Route 53 does them, and clients of three kinds that go by name."
)
NAMED: dict[Caching, str] = {"ttl": "obey the TTL", "forever": "cache for ever", "next": "try the next"}
_SHOWN = 8
"""Checks of one node that are drawn."""
_ROOMY = 22
"""The least height in rows for all parts with blank lines between them."""


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """See `lab.tui.panes.PaneModule`."""
    inner, zone = max(room, 30), world.dns.zone
    if zone is None or not zone.records:
        return finish([(), *wrap([(EMPTY, "")], inner)], room)
    return finish(_all(world, zone, inner, height, now), room)


def _all(world: World, zone: ZoneServed, room: int, height: int, now: float) -> Iterator[Line]:
    roomy = height >= _ROOMY
    yield from _zone(zone, room, names=roomy)
    yield from _records(world, zone, room, now)
    if not world.dns.reports:
        return
    if roomy:
        yield ()
    yield from _clients(world, zone, room)
    if roomy:
        yield ()
    seen = window(world, room - GUTTER)
    first, last = seen[0][0], seen[-1][0]
    since = f"{format_duration(last - first)} until now"
    words = "Requests that met a node which did not answer"
    yield heading(words if cell_len(words + since) + 3 <= room else "Met a node that did not answer", room, since)
    yield mark_row(world, seen)
    for caching in CACHINGS:
        yield ((NAMED[caching].ljust(GUTTER), ""), *curve(seen, caching))
    yield from legend(world, seen, room, 8 if roomy else 3)


def _zone(zone: ZoneServed, room: int, *, names: bool) -> Iterator[Line]:
    if zone.state == "off":
        yield from wrap([("Nobody is answered any more. As it was:", "quiet")], room, (("◦ off  ", "quiet"),))
    elif zone.state == "taken":
        yield from wrap([(f"Nobody is answered: {zone.why}.", "bad")], room, (("✘ ", "bad"),))
    else:
        left: Line = (("▌DNS", "name"), (f"  dig @127.0.0.1 -p {zone.port} NAME", "strong"))
        yield fit(left, ((f"TTL {zone.ttl:g} s", "quiet"),), room)
    if names:
        yield from pack([((name, ""),) for name in zone.names], room, (("  ", ""),))


def _records(world: World, zone: ZoneServed, room: int, now: float) -> Iterator[Line]:
    answered = {record.node for record in world.dns.answers}
    wide = max((cell_len(record.address) for record in zone.records), default=7) + 2
    named = max((cell_len(record.node) for record in zone.records), default=4) + 2
    head = f"  {'record':<{wide}}{'node':<{named}}{'health':<12}{'checks':<{_SHOWN + 2}}"
    asks = (f"{zone.checks} every {zone.interval:g} s", f"every {zone.interval:g} s")
    right = next((each for each in asks if cell_len(head) + cell_len(each) < room), "")
    yield fit(((head, "quiet"),), ((right, "quiet"),), room)
    for record in zone.records:
        checks = world.dns.checks.get(record.node, Checks())
        yield _record(record, checks, record.node in answered, (wide, named), room, now)
    if world.dns.fails_open:
        yield from wrap([("No node is healthy, so all are answered: it fails open.", "bad")], room, (("  ", ""),))


def _record(
    record: AddressRecord, checks: Checks, answered: bool, columns: tuple[int, int], room: int, now: float
) -> Line:
    wide, named = columns
    health = checks.health
    state: Span = ("● healthy", "run") if health.healthy else ("✘ unhealthy", "bad")
    if health.against:
        state = (f"{state[0][0]} {health.against} of {THRESHOLD} {'bad' if health.healthy else 'good'}", "move")
    marks = [_mark(fact) for _, fact in checks.last[-_SHOWN:]]
    left: list[Span] = [
        ("→ " if answered else "  ", "run"),
        (record.address.ljust(wide), "strong" if answered else "quiet"),
        (record.node.ljust(named), "" if answered else "quiet"),
        (state[0].ljust(12), state[1]),
        *marks,
        (" " * (_SHOWN + 2 - len(marks)), ""),
    ]
    if not checks.last:
        return fit((*left, ("not checked yet", "quiet")), (), room)
    at, fact = checks.last[-1]
    told: Span = (f"{fact.status}, {fact.ms:.0f} ms", "") if fact.status else (fact.why or "no answer", "why")
    return fit((*left, told), ((f" {max(0.0, now - at):.0f} s ago", "quiet"),), room)


def _mark(fact: EndpointChecked) -> Span:
    return ("✔", "run") if fact.passed else ("✘", "bad")


def _clients(world: World, zone: ZoneServed, room: int) -> Iterator[Line]:
    """Yield where the clients of each kind go next, how old their oldest answer is, and how many requests failed."""
    unhealthy = {node for node, health in world.dns.health.items() if not health.healthy}
    nodes = tuple(record.node for record in zone.records)
    each = max((cell_len(node) for node in nodes), default=5) + 2
    names: Line = (("go next to".ljust(GUTTER), "quiet"), *((node.ljust(each), "quiet") for node in nodes))
    aged = width(names) + 28 <= room
    yield (*names, ("oldest answer  failed" if aged else "failed", "quiet"))
    for caching in CACHINGS:
        rows = [row for _, row in world.dns.rows(caching)]
        if not rows:
            continue
        believe = dict(rows[-1].believe)
        cells: list[Span] = []
        for node in nodes:
            tone: Tone = "quiet" if not believe.get(node) else "bad" if node in unhealthy else "strong"
            sign = " ✘" if tone == "bad" else ""
            cells.append((f"{believe.get(node) or '·'}{sign}".ljust(each), tone))
        sent = sum(sum(counts) for row in rows for _, *counts in row.went)
        failed = sum(bad for row in rows for _, _, bad, _ in row.went)
        age: Line = ((format_duration(rows[-1].age).ljust(15), ""),) if aged else ()
        cross = "✘ " if failed else ""
        words = f"{cross}{failed} of {sent}"
        if width(names) + cell_len(words) > room:  # A number that is cut off reads as another one.
            words = f"{cross}{failed}/{sent}"
        yield ((NAMED[caching].ljust(GUTTER), ""), *cells, *age, (words, "bad" if failed else "run"))
