"""The mesh view: which node was asked and which replica answered, at published ports and through Traefik."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.tui.panes.mesh.counts import Replica, Tally, Timed, has_failed, recent, tallies
from lab.tui.spans import Line, Span, Tone, clip, fit, join_line, width, wrap

if TYPE_CHECKING:
    from lab.world.world import World

HELP = (
    "Every row is a node that was asked, every column a replica that answered; a cell counts the requests of the last "
    "minute, and ✘ those that failed. In the routing mesh each node takes turns over the replicas by itself. Through "
    "Traefik one router takes turns for all nodes. The bars are each replica's share; ┃ stands where an even one ends."
)

_MESH = ("▌Routing mesh", "every node takes turns by itself (IPVS)")
_TRAEFIK = ("▌Through Traefik", "one router takes turns, by container")
_SIDE_BY_SIDE = 100
"""The least width in cells for both load balancers side by side."""
_ROOMY = 40
"""The least width in cells for bars below the matrix."""
_WIDEST = 18
"""The greatest width of a column in cells."""
_NARROWEST = 5
"""The least."""
_BARRED = 8
"""The least with a bar in it."""
_FAILED = 7
"""Cells for the number of failed requests."""
_FIGURES = 12
"""Cells for a share in figures."""
_TONES: dict[str, Tone] = {"live": "head", "gone": "quiet", "other": ""}
_LOGGED = 3
"""The fewest requests that are listed one by one."""
_EIGHTHS = " ▏▎▍▌▋▊▉"


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:
    """See `lab.tui.panes.PaneModule`. Where not everything fits, the bars move into the columns; where there is room to
    spare, the last requests are listed below."""
    hits, silent = recent(world, now)
    if not hits:
        return tuple(_describe_nothing(world, room))
    mesh, routed = tallies(world, hits, now)
    age: list[Line] = [((f"The last requests, {silent:.0f} s ago:", "quiet"),)] if silent > 60 else []
    tall = [*age, *_both(mesh, routed, room, now, bars=True)]
    if len(tall) > height:
        return (*age, *_both(mesh, routed, room, now, bars=False))
    spare = height - len(tall) - 2
    return (*tall, *_log(hits[-spare:], (*mesh, *routed), room, now)) if spare >= _LOGGED else tuple(tall)


def _describe_nothing(world: World, room: int) -> Iterator[Line]:
    yield ()
    yield from wrap(
        [("Who answers shows here: for each node that is asked, which replica it was, and what failed. ", "")], room
    )
    open_ports = any(port for service in world.swarm.services.values() for port in service.spec.ports)
    then = (
        "On a live cluster every published port is asked on every node while this view is in sight."
        if open_ports
        else "No service publishes a port yet; when one does, it is asked on every node while this view is in sight."
    )
    yield ()
    yield from wrap([(then, "quiet")], room)


def _both(mesh: Sequence[Tally], routed: Sequence[Tally], room: int, now: float, *, bars: bool) -> Iterator[Line]:
    if mesh and routed and room >= _SIDE_BY_SIDE:
        half = (room - 3) // 2
        left, right = _part(_MESH, mesh, half, now, bars), _part(_TRAEFIK, routed, half, now, bars)
        for one, other in zip_longest(left, right, fillvalue=()):
            gap: Line = ((" " * (half - width(one)), ""), (" │ ", "quiet"))
            yield join_line((*one, *gap, *other))
        return
    if mesh:
        yield from _part(_MESH, mesh, room, now, bars)
    if mesh and routed:
        yield ()
    if routed:
        yield from _part(_TRAEFIK, routed, room, now, bars)


def _part(head: tuple[str, str], some: Sequence[Tally], room: int, now: float, bars: bool) -> Iterator[Line]:
    yield from wrap([(head[1], "quiet")], room, ((f"{head[0]}  ", "name"),))
    for place, tally in enumerate(some):
        if place:
            yield ()
        yield from _table(tally, room, bars)
        yield from _behind(tally, room)
        for node, (at, why) in sorted(tally.why.items()):
            yield fit(((f"✘ {node}: ", "bad"), (why, "why")), ((f" {max(0.0, now - at):.0f} s ago", "quiet"),), room)


def _title(tally: Tally, room: int, service: str) -> Line:
    """Return the address, the service behind it if given, and the sums."""
    lost = sum(tally.failed.values())
    left: Line = ((tally.title, "strong"), (f" → {service}" if service else "", "quiet"))
    right: list[Span] = [(f" {tally.total} in 60 s", "")]
    right += [("  ", ""), (f"✘ {lost}", "bad")] if lost else []
    median: Line = ((f"  {tally.median:.0f} ms" if tally.answered else "", "quiet"),)
    right += median if width(left) + width(right) + width(median) < room else ()
    return fit(left, tuple(right), room)


def _table(tally: Tally, room: int, bars: bool) -> Iterator[Line]:
    label = min(14, max(7, *(cell_len(node) + 1 for node in tally.nodes)))
    shown, rest, each = _columns(tally, room - label - (_FAILED if tally.failed else 0))
    more: list[Span] = [(f"+{len(rest)}", "quiet")] if rest else []
    whole = len(tally.services) > 1 or all(cell_len(replica.name) < each for replica in shown)
    heads: list[Span] = [(_name_column(replica, whole), _TONES[replica.state]) for replica in shown]
    below = bars and room >= _ROOMY
    yield _title(tally, room, "" if whole or below else "".join(tally.services))
    yield _row(("asked", "quiet"), label, each, [*heads, *more])
    places = [_where(replica, each) for replica in shown]
    if any(text for text, _ in places):
        yield _row(("", ""), label, each, places)
    for node in tally.nodes:
        cells = [_cell(tally, node, (replica,)) for replica in shown]
        cells += [_cell(tally, node, rest)] if rest else []
        lost = tally.failed.get(node, 0)
        deaf = lost and not any(tally.counts.get((node, replica.id)) for replica in tally.replicas)
        line = _row((node, "bad" if deaf else ""), label, each, cells)
        yield join_line((*line, (f"✘ {lost}", "bad"))) if lost else line
    yield from _bars(tally, room) if below else _shares(tally, shown, label, each)


def _columns(tally: Tally, room: int) -> tuple[tuple[Replica, ...], tuple[Replica, ...], int]:
    """Return the replicas that have a column, those that share the last one, and a column's width."""
    every = tally.replicas
    fits = max(1, room // _NARROWEST)
    if len(every) > fits:
        return every[: fits - 1], every[fits - 1 :], _NARROWEST
    return every, (), min(_WIDEST, room // max(1, len(every)))


def _name_column(replica: Replica, whole: bool) -> str:
    """Return a column's name, without the service's (which is in the title) where a whole name would be too long."""
    return replica.name if whole or replica.state == "other" else f".{replica.name.rpartition('.')[2]}"


def _name_replica(replica: Replica) -> str:
    """Return a replica's name, and whether it is gone: its slot's next task has the same name."""
    return f"{replica.name} (gone)" if replica.state == "gone" else replica.name


def _where(replica: Replica, each: int) -> Span:
    if replica.state == "gone":
        return "gone", "bad"
    return (replica.node if cell_len(replica.node) < each else "", "quiet")


def _cell(tally: Tally, node: str, replicas: Sequence[Replica]) -> Span:
    count = sum(tally.counts.get((node, replica.id), 0) for replica in replicas)
    if not count:
        return "  ·", "quiet"
    return f"{count:>3}", "strong" if any((node, replica.id) in tally.fresh for replica in replicas) else ""


def _row(head: Span, label: int, each: int, cells: Sequence[Span]) -> Line:
    """Return a row of the matrix; text too long for its column is cut with `…`."""
    spans: list[Span] = []
    for (text, tone), room in zip([head, *cells], [label, *(each for _ in cells)], strict=True):
        if cell_len(text) >= room:
            text = "".join(part for part, _ in clip(((text, ""),), room - 2)) + "…"
        spans += [(text, tone), (" " * (room - cell_len(text)), "")]
    return join_line(spans)


def _bars(tally: Tally, room: int) -> Iterator[Line]:
    """Yield a bar for each replica, below the matrix."""
    even, answered = tally.even, max(1, tally.answered)
    if not tally.replicas:
        return
    yield fit((("share", "quiet"),), ((f"┃ even: {even * 100:.0f} %", "quiet"),), room)
    label = min(room * 2 // 5, max(cell_len(_name_replica(replica)) for replica in tally.replicas) + 1)
    size = (room - label - _FIGURES) // 2 * 2
    top = max(2 * even, *(tally.count(replica) / answered for replica in tally.replicas))
    for replica in tally.replicas:
        count = tally.count(replica)
        share = count / answered
        name = _row((_name_replica(replica), _TONES[replica.state]), label, 0, ())
        figures: Line = ((f" {share * 100:>3.0f} % {count:>5}", "" if count else "quiet"),)
        yield join_line((*name, *_bar(share / top, even / top, size, replica), *figures))


def _shares(tally: Tally, shown: Sequence[Replica], label: int, each: int) -> Iterator[Line]:
    """Yield the same inside the columns; each bar ends at twice the even share."""
    if not shown:
        return
    even, answered = tally.even, max(1, tally.answered)
    shares = [tally.count(replica) / answered for replica in shown]
    if each >= _BARRED:
        spans: list[Span] = [("share", "quiet"), (" " * (label - 5), "")]
        for share, replica in zip(shares, shown, strict=True):
            size = (each - 2) // 2 * 2
            spans += [*_bar(min(1.0, share / even / 2), 0.5, size, replica), (" " * (each - size), "")]
        yield join_line(spans)
    figures: list[Span] = [(f"{share * 100:>3.0f}%", "" if share else "quiet") for share in shares]
    yield _row(("share" if each < _BARRED else "", "quiet"), label, each, figures)


def _bar(share: float, even: float, size: int, replica: Replica) -> Line:
    """Return a bar, with `share` and `even` as parts of `size` cells; the mark is over the bar."""
    eighths = round(share * size * 8)
    cells = ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()).ljust(size)
    mark = min(size - 1, round(even * size))
    tone: Tone = "run" if replica.state != "gone" else "quiet"
    return (cells[:mark], tone), ("┃", "strong"), (cells[mark + 1 :], tone)


def _behind(tally: Tally, room: int) -> Iterator[Line]:
    if tally.behind:
        told = ", ".join(f"{_name_replica(replica)} {many}" for replica, many in tally.behind)
        yield from wrap([(told, "quiet")], room, (("behind them  ", "quiet"),))


def _log(hits: Sequence[Timed], some: Sequence[Tally], room: int, now: float) -> Iterator[Line]:
    """Yield requests one by one, newest first."""
    known = {replica.id: replica for tally in some for replica in tally.replicas}
    nodes = max(cell_len(hit.node) for _, hit in hits)
    addresses = min(room // 2, max(cell_len(hit.address) for _, hit in hits))
    yield ()
    yield (("one by one", "quiet"),)
    for at, hit in reversed(hits):
        replica = known.get(hit.front or hit.replica)
        says: Span = (hit.error or f"status {hit.status}", "why") if has_failed(hit) else ("", "")
        if replica is not None and not says[0]:
            says = (f"{replica.name} on {replica.node}" if replica.node else replica.name, "")
        mark: Span = ("✘ ", "bad") if has_failed(hit) else ("→ ", "run")
        left: Line = ((f"{hit.node:<{nodes}}  ", ""), (f"{hit.address:<{addresses}}  ", "quiet"), mark, says)
        yield fit(left, ((f" {hit.ms:.0f} ms", ""), (f"{max(0.0, now - at):5.0f} s ago", "quiet")), room)
