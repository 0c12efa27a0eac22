"""DNS with health checks: the records, the health of each node, and three kinds of clients that go by name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

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
_HEALTH = 14
"""Cells of the column of the health: `● 2 of 3 good` and a blank."""
_ROOMY = 22
"""The least height in rows for all parts with blank lines between them."""


class _Detail(NamedTuple):
    """How much is said of a node's checks: how many are drawn, the blanks after them, the last one's answer (whether
    with its time, and why nobody answered in full), and how its age is put."""

    marks: int
    gap: int
    timed: bool
    full: bool
    age: str


_DETAILS = (
    _Detail(8, 2, True, True, "{:.0f} s ago"),
    _Detail(8, 2, True, True, "{:.0f} s"),
    _Detail(8, 2, True, False, "{:.0f} s ago"),
    _Detail(8, 1, True, False, "{:.0f} s"),
    _Detail(8, 1, False, False, "{:.0f} s"),
    _Detail(5, 1, False, False, "{:.0f} s"),
    _Detail(3, 1, False, False, "{:.0f} s"),
    _Detail(3, 1, False, False, ""),
)
"""The first one that fits is taken."""


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
    checked = [world.dns.checks.get(record.node, Checks()) for record in zone.records]
    left = room - 2 - wide - named - _HEALTH
    detail = next((each for each in _DETAILS if all(_width(each, one) <= left for one in checked)), _DETAILS[-1])
    head = f"  {'record':<{wide}}{'node':<{named}}{'health':<{_HEALTH}}checks"
    asks = (f"{zone.checks} every {zone.interval:g} s", f"every {zone.interval:g} s")
    right = next((each for each in asks if cell_len(head) + cell_len(each) < room), "")
    yield fit(((head, "quiet"),), ((right, "quiet"),), room)
    for record, checks in zip(zone.records, checked, strict=True):
        yield _record(record, checks, record.node in answered, (wide, named), detail, room, now)
    if world.dns.fails_open:
        yield from wrap([("No node is healthy, so all are answered: it fails open.", "bad")], room, (("  ", ""),))


def _record(
    record: AddressRecord,
    checks: Checks,
    answered: bool,
    columns: tuple[int, int],
    detail: _Detail,
    room: int,
    now: float,
) -> Line:
    wide, named = columns
    health = checks.health
    state: Span = ("● healthy", "run") if health.healthy else ("✘ unhealthy", "bad")
    if health.against:
        state = (f"{state[0][0]} {health.against} of {THRESHOLD} {'bad' if health.healthy else 'good'}", "move")
    marks = [_mark(fact) for _, fact in checks.last[-detail.marks :]]
    left: list[Span] = [
        ("→ " if answered else "  ", "run"),
        (record.address.ljust(wide), "strong" if answered else "quiet"),
        (record.node.ljust(named), "" if answered else "quiet"),
        (state[0].ljust(_HEALTH), state[1]),
        *marks,
        (" " * (detail.marks + detail.gap - len(marks)), ""),
    ]
    if not checks.last:
        return fit((*left, ("not checked yet", "quiet")), (), room)
    return fit((*left, _tell(detail, checks)), ((_age(detail, checks, now), "quiet"),), room)


def _width(detail: _Detail, checks: Checks) -> int:
    """Return the cells that a node's checks take, with an age of two digits, so that the columns stay."""
    told = cell_len(_tell(detail, checks)[0] if checks.last else "")
    return detail.marks + detail.gap + told + cell_len(f" {detail.age.format(10)}".rstrip())


def _tell(detail: _Detail, checks: Checks) -> Span:
    """Return what the last check found."""
    _, fact = checks.last[-1]
    if fact.status:
        return (f"{fact.status}, {fact.ms:.0f} ms" if detail.timed else f"{fact.status}"), ""
    why = fact.reason
    return (why if detail.full else why.removeprefix("connection ").removesuffix(" by peer")), "why"


def _age(detail: _Detail, checks: Checks, now: float) -> str:
    return detail.age.format(max(0.0, now - checks.last[-1][0]))


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
