"""The swarm itself: the managers' quorum, the machines, and who reaches whom, seen from both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len

from lab.tui.panes.common import finish, heading, pack
from lab.tui.panes.swarm.quorum import Quorum, find_quorum, listed, views
from lab.tui.spans import Line, Span, Tone, join_line, wrap

if TYPE_CHECKING:
    from lab.world.entries import PeerView
    from lab.world.swarm import Node
    from lab.world.world import World

HELP = (
    "The swarm itself. More than half of its managers must agree on every change: the bar shows how many of them are "
    "there, and where half is. Below are the machines as the leader lists them, and what each one's own engine says. "
    "Then who reaches whom: every machine tries a connection to each other one, so that a cut is seen from both sides. "
    "The log's index is how far the managers' Raft log was committed when a node or a service last changed; Raft's "
    "term is in no answer of the engine."
)
EMPTY = "Nothing has been seen of a swarm yet."
_LEGEND: tuple[Line, ...] = (
    (("✔ reached", "run"),),
    (("✘ not reached", "bad"),),
    (("? not known", "quiet"),),
    (("TCP, port 7946", "quiet"),),
)
_SAYS: Mapping[str, tuple[str, Tone]] = {
    "leads": ("leads", "lab"),
    "follows": ("follows {}", "run"),
    "no-leader": ("no leader", "bad"),
    "worker": ("is a worker", ""),
    "silent": ("silent", "bad"),
    "out": ("not in a swarm", "bad"),
}


def lines(world: World, room: int, height: int, now: float) -> tuple[Line, ...]:  # noqa: ARG001  a pane's shape
    """Return the swarm's quorum, machines and ways; the machines' spare columns are left out where there is no room."""
    return finish(_all(world, max(room, 30)), room)


def _all(world: World, room: int) -> Iterator[Line]:
    nodes = listed(world)
    if not nodes:
        yield from wrap([(EMPTY, "quiet")], room)
        return
    own = views(world)
    yield from _quorum(world, find_quorum(world), room)
    yield ()
    yield from _machines(world, nodes, own, room)
    yield ()
    yield from _ways(nodes, own, room)


def _quorum(world: World, quorum: Quorum, room: int) -> Iterator[Line]:
    index = max(
        (*(node.version for node in world.swarm.nodes.values()), *(s.version for s in world.swarm.services.values()))
    )
    yield heading("The managers' quorum", room, f"log committed to {index}" if index else "")
    tone: Tone = "bad" if quorum.spare < 0 else "move" if quorum.spare == 0 or not quorum.led else "run"
    if quorum.managers:
        yield _bar(quorum, room, tone)
    yield from wrap([(quorum.sentence, tone)], room)


def _bar(quorum: Quorum, room: int, tone: Tone) -> Line:
    """Return a block for each manager, those that are there first; `┃` is where more than half begins."""
    each = max(4, min(16, room // len(quorum.managers) - 1))
    order = sorted(quorum.managers, key=lambda name: name not in quorum.there)
    spans: list[Span] = []
    for number, name in enumerate(order):
        there = name in quorum.there
        label = f" {name[: each - 2]} ".center(each, "█" if there else "░")
        spans += [(label, tone if there else "quiet"), ("┃" if number + 1 == quorum.needed else " ", "strong")]
    return join_line(spans)


def _machines(world: World, nodes: Sequence[Node], own: Mapping[str, PeerView], room: int) -> Iterator[Line]:
    said = [_said(own.get(node.name)) for node in nodes]
    rows: list[tuple[Span, ...]] = [
        (("node", "quiet"), ("role", "quiet"), ("state", "quiet"), ("Raft", "quiet"), ("set to", "quiet"), ("", ""))
    ]
    rows[0] = (*rows[0][:-1], ("its engine says", "quiet"))
    live = world.link.state == "live"
    for node, says in zip(nodes, said, strict=True):
        bad: Tone = "bad" if live else "quiet"
        rows.append(
            (
                (node.name, "name"),
                ("leader ★", "lab") if node.leader and live else (node.role, ""),
                (node.state, ("run" if live else "quiet") if node.state == "ready" else bad),
                (node.reachability or "-", bad if node.reachability == "unreachable" else "quiet"),
                (node.availability, "quiet" if node.availability == "active" else "move"),
                says,
            )
        )
    widths = [max(cell_len(row[column][0]) for row in rows) for column in range(6)]
    kept = [0, 1, 2, 3, 4, 5]
    for spare in (4, 3):  # "active" and "reachable" are what is usual
        if sum(widths[column] + 2 for column in kept) > room:
            kept.remove(spare)
    yield heading("The machines", room, "as the leader lists them" if live else "as they were listed last")
    for row in rows:
        spans = [(f"{row[c][0]}{' ' * (widths[c] - cell_len(row[c][0]) + 2)}", row[c][1]) for c in kept]
        yield join_line(spans)


def _said(view: PeerView | None) -> Span:
    if view is None:
        return "…", "quiet"
    text, tone = _SAYS[view.answer]
    return text.format(view.leader), tone


def _ways(nodes: Sequence[Node], own: Mapping[str, PeerView], room: int) -> Iterator[Line]:
    names = [node.name for node in nodes]
    yield heading("Who reaches whom", room, "each machine's own try")
    if not any(view.reaches or view.misses for view in own.values()):
        yield from wrap([("Not known: no machine has told yet.", "quiet")], room)
        return
    label = max(cell_len(name) for name in names) + 2
    each = max(3, min(label, (room - label) // len(names)))
    heads: list[Span] = [(name[: each - 1].ljust(each), "quiet") for name in names]
    yield join_line([(" " * label, ""), *heads])
    for name in names:
        cells = [(mark.ljust(each), tone) for mark, tone in (_cell(own.get(name), name, other) for other in names)]
        yield join_line([(name.ljust(label), "name"), *cells])
    for sentence in _cuts(names, own):
        yield from wrap([(sentence, "bad")], room)
    yield from pack(_LEGEND, room)


def _cell(view: PeerView | None, name: str, other: str) -> Span:
    if name == other:
        return "·", "quiet"
    if view is not None and other in view.reaches:
        return "✔", "run"
    return ("✘", "bad") if view is not None and other in view.misses else ("?", "quiet")


def _cuts(names: Sequence[str], own: Mapping[str, PeerView]) -> Iterator[str]:
    """Yield who does not reach whom: a sentence for each node that is apart from all, and for each other pair."""
    told = [name for name in names if name in own and (own[name].reaches or own[name].misses)]

    def misses(one: str, other: str) -> bool:
        return one in own and other in own[one].misses

    deaf = {name for name in told if not own[name].reaches}
    unheard = {name for name in names if {*told} - {name} and all(misses(one, name) for one in told if one != name)}
    for name in names:
        if name in deaf:
            yield f"{name} reaches nobody" + (", and nobody reaches it" if name in unheard else "")
        elif name in unheard:
            yield f"nobody reaches {name}"
    rest = [name for name in names if name not in deaf | unheard]
    for number, one in enumerate(rest):
        for other in rest[number + 1 :]:
            if misses(one, other) and misses(other, one):
                yield f"{one} and {other} do not reach each other"
            elif misses(one, other) or misses(other, one):
                first, second = (one, other) if misses(one, other) else (other, one)
                back = second in own and first in own[second].reaches
                yield f"{first} does not reach {second}{f', and {second} reaches {first}' if back else ''}"
