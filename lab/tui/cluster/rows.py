"""An index of the rows of the cluster pane, updated from changes: a change in one slot costs a binary search,
however many slots there are."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from lab.world.swarm_state import Slot
    from lab.world.world import World

What = Literal["service", "slot", "global", "gap"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row: its service and, for a slot, the slot's key."""

    what: What
    service: str = ""
    key: str = ""


class RowIndex:
    """Services by name, each with a line of its own, its slots by number, and a gap below."""

    def __init__(self) -> None:
        self._order: list[tuple[str, str]] = []
        self._names: dict[str, str] = {}
        self._slots: dict[str, list[tuple[int, str]]] = {}
        self._global: set[str] = set()
        self._starts: list[int] = [0]
        self._places: dict[str, int] = {}

    def __len__(self) -> int:
        return max(0, self._starts[-1] - 1)

    def update(self, world: World, dirty: Iterable[Slot | str]) -> bool:
        """Follow the world where it is dirty; return True when rows were added, removed or moved."""
        changed = False
        for item in dirty:
            if isinstance(item, tuple):
                changed |= self._slot(world, *item)
            elif item.startswith("service:"):
                changed |= self._service(world, item.removeprefix("service:"))
        if changed:
            self._count()
        return changed

    def at(self, y: int) -> Row:
        """Return row `y`, or a gap past the end."""
        if not 0 <= y < len(self):
            return Row("gap")
        place = bisect_right(self._starts, y) - 1
        service = self._order[place][1]
        inside = y - self._starts[place]
        if inside == 0:
            return Row("service", service)
        if service in self._global:
            return Row("global" if inside == 1 else "gap", service)
        slots = self._slots.get(service, [])
        return Row("slot", service, slots[inside - 1][1]) if inside <= len(slots) else Row("gap", service)

    def find(self, item: Slot | str) -> int | None:
        """Return the row of a slot, or of "service:ID"; None when it has none."""
        service, key = item if isinstance(item, tuple) else (item.removeprefix("service:"), None)
        place = self._places.get(service)
        if place is None:
            return None
        if key is None:
            return self._starts[place]
        if service in self._global:
            return self._starts[place] + 1
        slots = self._slots.get(service, [])
        at = bisect_left(slots, _order(key))
        found = at < len(slots) and slots[at][1] == key
        return self._starts[place] + 1 + at if found else None

    def _slot(self, world: World, service: str, key: str) -> bool:
        changed = self._service(world, service)
        known = service in world.swarm.slots and key in world.swarm.slots[service]
        slots = self._slots.setdefault(service, [])
        entry = _order(key)
        at = bisect_left(slots, entry)
        here = at < len(slots) and slots[at] == entry
        if known and not here:
            insort(slots, entry)
        elif here and not known:
            del slots[at]
        if not slots:
            self._slots.pop(service, None)
        return changed or (known != here and service not in self._global)

    def _service(self, world: World, id: str) -> bool:
        service = world.swarm.services.get(id)
        exists = service is not None or id in world.swarm.slots
        name = service.name if service else self._names.get(id, id)
        old = self._names.get(id)
        everywhere = service is not None and service.spec.mode.startswith("global")
        if exists and old == name and everywhere == (id in self._global):
            return False
        if old is not None:
            self._order.remove((old, id))
            del self._names[id]
        self._global.discard(id)
        if exists:
            insort(self._order, (name, id))
            self._names[id] = name
            if everywhere:
                self._global.add(id)
        else:
            self._slots.pop(id, None)
        return exists or old is not None

    def _count(self) -> None:
        self._starts, total = [0], 0
        for _, id in self._order:
            total += 2 + (1 if id in self._global else len(self._slots.get(id, ())))
            self._starts.append(total)
        self._places = {id: place for place, (_, id) in enumerate(self._order)}


def _order(key: str) -> tuple[int, str]:
    return (int(key), key) if key.isdigit() else (0, key)
