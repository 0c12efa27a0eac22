"""A pane's lines as it shows a world, without the app."""

from __future__ import annotations

from collections.abc import Iterator

from lab.panes import CLUSTER
from lab.tui.cluster import grid
from lab.tui.cluster.rows import RowIndex
from lab.tui.draw_guard import draw_safely
from lab.tui.panes import find_module
from lab.tui.spans import Line, plain
from lab.world.world import World

ROOM = 76
"""How wide a pane is drawn, in cells."""
_MOST = 60
"""The most rows that are drawn."""


def pane_lines(world: World, pane: str) -> tuple[Line, ...]:
    """Return the lines of the pane with this id; none while no node is known."""
    if not world.swarm.nodes:
        return ()
    found = draw_safely(_cluster, world, ROOM) if pane == CLUSTER else draw_safely(_view, world, ROOM, pane)
    rows = list(found[:_MOST])
    while rows and not plain(rows[-1:]).strip():
        rows.pop()
    return tuple(rows)


def _view(world: World, room: int, pane: str) -> tuple[Line, ...]:
    return find_module(pane).lines(world, room, _MOST, world.at)


def _cluster(world: World, room: int) -> Iterator[Line]:
    columns, index = grid.columns(world, room), RowIndex()
    services = {*world.swarm.services, *world.swarm.slots}
    index.update(world, {*world.swarm.attempts, *(f"service:{id}" for id in services)})
    yield from grid.head_row(world, columns)
    for y in range(len(index)):
        row = index.at(y)
        service = world.swarm.services.get(row.service)
        if row.what == "service" and service is not None:
            yield grid.service_row(world, service, columns)
        elif row.what == "slot":
            yield grid.slot_row(world, row.service, row.key, columns)
        elif row.what == "global":
            yield grid.global_row(world, row.service, columns)
        else:
            yield ()
