"""The wire: who talks to whom on the nodes' own network, about what, and one request's way over it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.text import count_of
from lab.tui.panes.common import finish, heading
from lab.tui.panes.swarm.quorum import listed
from lab.tui.panes.wire.hops import Hop, find_path
from lab.tui.panes.wire.rates import Carried, Rate, Rates, find_rates
from lab.tui.spans import Line, Span, fit, join_line, wrap

if TYPE_CHECKING:
    from lab.world.world import World

HELP = (
    "What passes between the nodes on their own network, read from its headers alone: how many frames a second each "
    "node sends to each other, and what they carry. An overlay network's frames travel in VXLAN, in clear; those of an "
    "encrypted one in ESP, of which nothing more can be read. Port 7946 is the engines' gossip, port 2377 the "
    "managers' Raft and their workers, over TLS. Below is the way of the last request: the connections that were "
    "opened for it. ✘ marks frames that a fault of the network took."
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


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:  # noqa: ARG001  a pane's shape
    """Return the rates between the nodes, what is carried, and one request's way."""
    return finish(_all(world, max(room, 30), now), room)


def _all(world: World, room: int, now: float) -> Iterator[Line]:
    rates = find_rates(world, now)
    if not rates.seconds:
        yield from wrap([(EMPTY, "quiet")], room)
        return
    yield heading("Between the nodes", room, f"{_number(rates.total.frames)} frames/s  {_bytes(rates.total)}")
    yield from _matrix(world, rates, room)
    if rates.sampled < 1:
        yield from wrap(
            [(f"reckoned from a sample: {rates.sampled * 100:.0f} % of the frames were read", "quiet")], room
        )
    yield ()
    yield heading("What they carry", room, f"the last {rates.seconds:.0f} s")
    yield from _carried(world, rates, room)
    for text, frames in sorted(world.wire.marks.items()):
        yield from wrap([("◉ ", "bad"), (text, "code"), (f" was in clear in {count_of(frames, 'frame')}", "")], room)
    yield ()
    yield from _path(world, room, now)


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
        return f"✘{_number(rate.frames)}".rjust(each), "bad"
    return _number(rate.frames).rjust(each), "run" if rate.frames >= 1 else ""


def _carried(world: World, rates: Rates, room: int) -> Iterator[Line]:
    rows = sorted(rates.carried.items(), key=lambda row: (_ORDER.index(row[0][0]), row[0][1]))
    if not rows:
        yield from wrap([("nothing passed", "quiet")], room)
        return
    named = [(_name(world, key), rate) for key, rate in rows]
    label = min(room // 2, max(cell_len(name) for name, _ in named) + 2)
    top = max(*(rate.frames for _, rate in named), 0.1)
    size = max(4, min(40, room - label - 22))
    for name, rate in named:
        left: Line = ((_cut(name, label), ""), (_bar(rate.frames / top, size), "run"))
        yield fit(left, ((f"{_number(rate.frames)}/s", ""), (f" {_bytes(rate):>11}", "quiet")), room)


def _name(world: World, key: Carried) -> str:
    what, number = key
    if what != "vxlan":
        return _NAMES[what]
    return f"VXLAN {number} {find_network(world, number)}".rstrip()


def find_network(world: World, number: int) -> str:
    """Return the name of the overlay network with a VXLAN number; "" when it is not known."""
    objects = world.swarm.objects.values()
    return next((one.name for one in objects if one.what == "network" and one.number == number and number), "")


def _path(world: World, room: int, now: float) -> Iterator[Line]:
    yield heading("One request's way", room)
    path = find_path(world, now)
    if path is None:
        text = "None was seen yet."
        yield from wrap([(text, "quiet")], room)
        return
    hit = path.hit
    yield fit(
        ((hit.node, "name"), (f"  {hit.address}", "code")),
        ((f"status {hit.status}", ""), (f"  {hit.ms:.0f} ms, {max(0.0, path.ago):.0f} s ago", "quiet")),
        room,
    )
    if path.local:
        yield from wrap(
            [("a replica on the same node answered: nothing crossed the wire", "quiet")], room, (("  ", ""),)
        )
    for number, hop in enumerate(path.hops):
        yield from wrap(_hop(world, hop), room, ((f"{'  ' * number}└▶ ", "run"),))


def _hop(world: World, hop: Hop) -> Iterator[Span]:
    one = hop.opening
    yield f"{one.source} → {one.target}", "name"
    yield f"  {find_network(world, one.network) or f'VXLAN {one.network}'}", "lab"
    yield f"  {one.address}:{one.port}", "code"
    if hop.task:
        yield f"  {hop.task}", ""
    if hop.others:
        yield f"  (or one of {hop.others} more that were opened then)", "quiet"


def _number(value: float) -> str:
    return f"{value:.1f}" if 0 < value < 9.95 else f"{value:.0f}"


def _bytes(rate: Rate) -> str:
    for size, unit in ((1e6, "MB"), (1e3, "kB")):
        if rate.size >= size:
            return f"{_number(rate.size / size)} {unit}/s"
    return f"{rate.size:.0f} B/s"


def _cut(text: str, room: int) -> str:
    return text.ljust(room) if cell_len(text) < room else f"{text[: room - 2]}… "


def _bar(share: float, size: int) -> str:
    eighths = round(share * size * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()) or "▏"
