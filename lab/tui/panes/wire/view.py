"""The wire: who talks to whom on the nodes' own network, about what, and one request's way over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.text import count_of
from lab.tui.panes.common import finish, heading, pack
from lab.tui.panes.swarm.quorum import listed
from lab.tui.panes.wire.rates import Carried, Rate, Rates, find_rates, format_number, format_size
from lab.tui.panes.wire.tasks import find_network
from lab.tui.panes.wire.way import draw_way
from lab.tui.spans import Line, Span, fit, join_line, wrap

if TYPE_CHECKING:
    from lab.world.world import World

HELP = (
    "What passes between the nodes on their own network, read from its headers alone: how many frames a second each "
    "node sends to each other, and what they carry. An overlay network's frames travel in VXLAN, in clear; those of an "
    "encrypted one in ESP, of which nothing more can be read. Port 7946 is the engines' gossip, port 2377 the "
    "managers' Raft and the nodes' calls to managers, over TLS. ✘ marks frames that a fault of the network took. "
    "Below is one request's way, hop by hop: from one machine to another's published port, if there is one, else from "
    "the lab itself. Down go the connections over which it was asked, up again the answers, with the bytes that they "
    "carried and the time since the first frame, all read at one switch. A node that forwards a connection translates "
    "its addresses, but not its sequence numbers: so it is known again. A proxy such as Traefik opens another one, "
    "known by who asks, and when. What happens inside a node is not on this network."
)
EMPTY = "Nothing was read of the nodes' network yet."
_NAMES: Mapping[str, str] = {
    "esp": "ESP, encrypted",
    "gossip": "gossip :7946",
    "management": "management :2377",
    "arp": "ARP",
    "other": "other",
}
_ORDER = ("vxlan", *_NAMES)
_EIGHTHS = " ▏▎▍▌▋▊▉"


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """Return the rates between the nodes, what is carried, and one request's way; closer together if they are too many
    lines for the height."""
    found = finish(_all(world, max(room, 30), now), room)
    return found if len(found) <= height else finish(_all(world, max(room, 30), now, close=True), room)


def _all(world: World, room: int, now: float, *, close: bool = False) -> Iterator[Line]:
    rates = find_rates(world, now)
    if not rates.seconds:
        yield from wrap([(EMPTY, "quiet")], room)
        return
    blank: tuple[Line, ...] = () if close else ((),)
    total = f"{format_number(rates.total.frames)} frames/s  {format_size(rates.total.size)}/s"
    yield heading("Between the nodes", room, total)
    yield from _matrix(world, rates, room)
    if rates.sampled < 1:
        yield from wrap(
            [(f"reckoned from a sample: {rates.sampled * 100:.0f} % of the frames were read", "quiet")], room
        )
    yield from blank
    yield heading("What they carry", room, f"the last {rates.seconds:.0f} s")
    yield from _carried(world, rates, room, close=close)
    for text, frames in sorted(world.wire.marks.items()):
        yield from wrap([("◉ ", "bad"), (text, "code"), (f" was in clear in {count_of(frames, 'frame')}", "")], room)
    yield from blank
    yield from draw_way(world, room, now, sampled=rates.sampled < 1)


def _matrix(world: World, rates: Rates, room: int) -> Iterator[Line]:
    """Yield the frames a second from each node (rows) to each other (columns), and to all at once."""
    known = [node.name for node in listed(world)]
    names = [*known, *sorted({name for pair in rates.pairs for name in pair if name} - {*known})]
    columns = [*names, ""] if any(not target for _, target in rates.pairs) else names
    label = max(cell_len(name) for name in ("from\\to", *names)) + 2
    each = max(5, min(12, (room - label) // max(1, len(columns))))
    heads: list[Span] = [((name or "all")[: each - 1].rjust(each), "quiet") for name in columns]
    yield join_line([("from\\to".ljust(label), "quiet"), *heads])
    for name in names:
        cells = [_cell(rates.pairs.get((name, other)), name == other, each) for other in columns]
        yield join_line([(name.ljust(label), "name"), *cells])


def _cell(rate: Rate | None, same: bool, each: int) -> Span:
    if rate is None or not rate.frames:
        return ("" if same else "·").rjust(each), "quiet"
    if rate.lost:
        return f"✘{format_number(rate.frames)}".rjust(each), "bad"
    return format_number(rate.frames).rjust(each), "run" if rate.frames >= 1 else ""


def _carried(world: World, rates: Rates, room: int, *, close: bool) -> Iterator[Line]:
    rows = sorted(rates.carried.items(), key=lambda row: (_ORDER.index(row[0][0]), row[0][1]))
    if not rows:
        yield from wrap([("nothing passed", "quiet")], room)
        return
    named = [(_name(world, key), rate) for key, rate in rows]
    if close:
        yield from pack(
            ([(f"{name} ", "quiet"), (f"{format_number(rate.frames)}/s", "")] for name, rate in named), room
        )
        return
    label = min(room // 2, max(cell_len(name) for name, _ in named) + 2)
    top = max(*(rate.frames for _, rate in named), 0.1)
    size = max(4, min(40, room - label - 22))
    for name, rate in named:
        left: Line = ((_cut(name, label), ""), (_bar(rate.frames / top, size), "run"))
        sizes = f" {format_size(rate.size) + '/s':>11}"
        yield fit(left, ((f"{format_number(rate.frames)}/s", ""), (sizes, "quiet")), room)


def _name(world: World, key: Carried) -> str:
    what, number = key
    if what != "vxlan":
        return _NAMES[what]
    return f"VXLAN {number} {find_network(world, number)}".rstrip()


def _cut(text: str, room: int) -> str:
    return text.ljust(room) if cell_len(text) < room else f"{text[: room - 2]}… "


def _bar(share: float, size: int) -> str:
    eighths = round(share * size * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()) or "▏"
