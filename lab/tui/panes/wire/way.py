"""One request's way between the nodes, drawn: down the hops as it was asked, and back up as it was answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.tui.panes.common import heading
from lab.tui.panes.wire.hops import Hop, Way, find_way
from lab.tui.panes.wire.rates import format_size
from lab.tui.panes.wire.tasks import find_network, find_owner
from lab.tui.spans import Line, Span, fit, width, wrap

if TYPE_CHECKING:
    from lab.world.world import World

#: Cells from which a hop is drawn with its client's port, and with its network's name and number.
_WIDE = 100
_INSIDE = "What a node does inside is not seen: its published port, which task it chooses, the way into the container."


def draw_way(world: World, room: int, now: float, *, sampled: bool) -> Iterator[Line]:
    """Yield the way of one request; `sampled`: not all frames were read."""
    yield heading("One request's way", room)
    way = find_way(world, now)
    if way is None:
        yield from wrap([("None was seen yet.", "quiet")], room)
        return
    yield _begin(world, way, room)
    for depth, hop in enumerate(way.hops):
        yield from _row(_there(world, hop, room), f"{'  ' * depth}└▶ ", _at(hop.exchange.sent, hop.since), room)
    for depth, hop in reversed(tuple(enumerate(way.hops))):
        yield from _row(_back(hop), f"{'  ' * depth}◀┘ ", _answer(hop), room)
    yield from wrap([(" ".join(_unseen(way, sampled=sampled)), "quiet")], room)


def _begin(world: World, way: Way, room: int) -> Line:
    """Return who asked whom."""
    ago = f"{max(0.0, way.ago):.0f} s ago"
    if way.hit is not None:
        hit = way.hit
        told: Line = ((f"status {hit.status}", ""), (f"  {hit.ms:.0f} ms, {ago}", "quiet"))
        return fit(((hit.node, "name"), (f"  {hit.address}", "code")), told, room)
    one = way.hops[0].exchange
    asked: Line = ((one.source, "name"), (f"  port {one.port}", "code"), (", asked from elsewhere", ""))
    if not one.network:
        asked = ((one.source, "name"), (" asks ", ""), (one.target, "name"), (f"  port {one.port}", "code"))
    elif find_network(world, one.network) != "ingress":
        owner = find_owner(world, one.client)
        who = world.swarm.task_name(owner) if owner else "a container"
        asked = ((who, ""), (" on ", "quiet"), (one.source, "name"))
    return fit(asked, ((ago, "quiet"),), room)


def _there(world: World, hop: Hop, room: int) -> Iterator[Span]:
    one, wide = hop.exchange, room >= _WIDE
    name = find_network(world, one.network)
    number = f"VXLAN {one.network}"
    yield f"{one.source} → {one.target}", "name"
    yield f"  {(f'{number} {name}' if wide and name else name or number) if one.network else 'published port'}", "lab"
    port = f":{one.client_port}" if wide and one.client_port else ""
    yield f"  {one.client}{port} → {one.address}:{one.port}", "code"
    if hop.task:
        yield f"  {hop.task}", ""
    if hop.same:
        yield "  (the same connection)", "quiet"
    elif one.turn:
        yield "  (the connection was open before)", "quiet"
    if hop.others:
        yield f"  (or one of {hop.others} more at that time)", "quiet"


def _back(hop: Hop) -> Iterator[Span]:
    one = hop.exchange
    yield f"{one.target} → {one.source}", "name"
    if one.accepted is not None:
        yield f"  accepted after {_format_ms(one.accepted)}", "quiet"


def _answer(hop: Hop) -> Line:
    one = hop.exchange
    return _at(one.got, hop.since + one.answered) if one.answered is not None else (("no answer was read", "bad"),)


def _at(size: int, seconds: float) -> Line:
    return (format_size(size), "quiet"), (f"{_format_ms(seconds):>9}", "")


def _row(spans: Iterator[Span], arrow: str, right: Line, room: int) -> Iterator[Line]:
    """Yield a hop's lines, what is at their right end in the first of them."""
    lines = wrap(spans, max(room - width(right) - 1, room // 2), ((arrow, "run"),))
    yield fit(lines[0], right, room)
    yield from lines[1:]


def _unseen(way: Way, *, sampled: bool) -> Iterator[str]:
    """Yield what was not seen of the way."""
    if way.local:
        yield "A task on the same node answered: nothing crossed the wire."
    elif way.hit is not None:
        yield f"{way.hit.node} was asked from outside of this network."
    if way.unseen[0]:
        yield f"How it got on to {way.unseen[0]} on {way.unseen[1]} was not seen: encrypted, perhaps."
    if sampled:
        yield "Only a sample was read: hops may be missing."
    yield _INSIDE


def _format_ms(seconds: float) -> str:
    ms = seconds * 1000
    return f"{ms:.1f} ms" if ms < 99.95 else f"{min(ms, 1e9):.0f} ms"
