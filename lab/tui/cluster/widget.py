"""The cluster pane: desired against actual state, drawn line by line.

A frame costs only what changed: rows are found by `RowIndex`, drawn by `lab.tui.cluster.grid`, cached as strips until
they are dirty, and only their own regions are repainted.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from textual.geometry import Region, Size

from lab.tui.cluster import grid
from lab.tui.cluster.rows import Row, RowIndex
from lab.tui.spans import Span
from lab.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip
    from textual.timer import Timer

    from lab.world.swarm_state import Slot
    from lab.world.world import World

_HEAD = 2
_KEPT = 2000
_TICK = 0.25


class ClusterGrid(Lines):
    """The cluster: nodes as columns, services and their slots as rows. `show` gives it a world and what is dirty."""

    HELP = (
        "Every column is a node, every row a slot of a service. A slot shows each attempt on the node where it is or "
        "was, the newest with its state in words. An arrow is a slot on its way to another node. "
        "The service's own line holds what it should be (desired) against what is (running)."
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.keep_bar()
        self.world: World | None = None
        self._index = RowIndex()
        self._columns = grid.columns(None, 80)
        self._strips: dict[Row, Strip] = {}
        self._phase = 0
        self._moving: set[Slot] = set()
        self._march: Timer | None = None

    def on_mount(self) -> None:
        self._refresh_scrollbars()
        self.border_subtitle = grid.LEGEND
        self._march = self.set_interval(_TICK, self._step, pause=True)

    def show(self, world: World, dirty: frozenset[Slot | str] | None = None) -> None:
        """Draw this world. `dirty` is what changed in it since the last one; None means all of it."""
        self.world = world
        whole = dirty is None
        if dirty is None:
            self._index = RowIndex()
            self._moving.clear()
            dirty = frozenset(
                {*world.swarm.attempts, *(f"service:{id}" for id in (*world.swarm.services, *world.swarm.slots))}
            )
            moved = True
            self._index.update(world, dirty)
            self._strips.clear()
        else:
            moved = self._index.update(world, dirty)
        nodes = any(isinstance(d, str) and d.startswith("node:") for d in dirty)
        if moved or nodes:
            self._lay_out(afresh=nodes or whole)
        self._follow(world, dirty)
        width, top = self.size.width, self.scroll_offset.y
        regions = []
        for item in dirty:
            y = self._index.find(item)
            if y is not None:
                self._strips.pop(self._index.at(y), None)
                if top <= y < top + self.size.height:
                    regions.append(Region(0, y - top + _HEAD, width, 1))
        if moved:
            self.refresh()
        elif regions:
            self.refresh(*regions)

    def _lay_out(self, afresh: bool = True) -> None:
        """Recompute columns and heights after nodes or rows were added, removed or changed."""
        if afresh:
            self._columns = grid.columns(self.world, self.room)
            self._strips.clear()
        self.virtual_size = Size(self.size.width, len(self._index) + _HEAD)
        self.refresh()

    def _follow(self, world: World, dirty: Iterable[Slot | str]) -> None:
        for item in dirty:
            if isinstance(item, tuple):
                ids = world.swarm.attempts.get(item)
                if ids and grid.is_moving(world.swarm.tasks[ids[0]]):
                    self._moving.add(item)
                else:
                    self._moving.discard(item)
        if self._march is not None:
            animated = self._moving and self.app.animation_level != "none"
            self._march.resume() if animated else self._march.pause()

    def _step(self) -> None:
        """Move the arrows of visible rows by one step; the timer is paused when nothing moves."""
        if self._march is not None and self.app.animation_level == "none":  # since motion was turned off
            self._march.pause()
            return
        self._phase += 1
        top = self.scroll_offset.y
        seen = [(slot, self._index.find(slot)) for slot in self._moving] if len(self._moving) < 200 else []
        for _, y in seen:
            if y is not None and top <= y < top + self.size.height:
                self._strips.pop(self._index.at(y), None)
                self.refresh(Region(0, y - top + _HEAD, self.size.width, 1))

    def on_resize(self, _: events.Resize) -> None:
        self._strips.clear()
        self._lay_out()

    def notify_style_update(self) -> None:
        """Drop the cached strips, which hold colours, after a change of the theme or of `stale`."""
        super().notify_style_update()
        self._strips.clear()

    def line(self, y: int) -> Strip:
        world, width = self.world, self.size.width
        if world is None or not world.swarm.nodes:
            words = _describe_nothing(world)
            return self.strip([(words[y] if y < len(words) else "", "quiet")], width)
        if y < _HEAD:
            return self.strip(grid.head_row(world, self._columns)[y], width)
        row = self._index.at(y - _HEAD + self.scroll_offset.y)
        if not world.swarm.services and not world.swarm.slots and y == _HEAD + 1:
            return self.strip([(" No services yet: there is nothing to keep running.", "quiet")], width)
        strip = self._strips.get(row)
        if strip is None:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            strip = self._strips[row] = self.strip(self._spans(world, row), width)
        return strip

    def _spans(self, world: World, row: Row) -> tuple[Span, ...]:
        cols = self._columns
        if row.what == "service":
            service = world.swarm.services.get(row.service)
            return grid.service_row(world, service, cols) if service else ((f"▌{row.service[:12]} is going", "quiet"),)
        if row.what == "slot":
            return grid.slot_row(world, row.service, row.key, cols, self._phase)
        return grid.global_row(world, row.service, cols, self._phase) if row.what == "global" else ()


def _describe_nothing(world: World | None) -> tuple[str, ...]:
    if world is None:
        return ("", " One moment ...")
    why = world.link.why
    return ("", " No cluster found yet.", f" {why}" if why else " Its nodes appear here after the first look.")
