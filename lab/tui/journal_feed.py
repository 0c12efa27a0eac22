"""Passes news from the journal's writers, on their threads, to the app's frames, gathered until it is taken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.entries import Entry
    from lab.world.journal import Journal
    from lab.world.swarm_state import Slot
    from lab.world.world import World


@dataclass(frozen=True)
class Batch:
    """Everything since the last batch: the current world, what changed in it (None: treat all of it as changed), what
    was printed, the node that a command was last sent to ("": none), and whether the journal started again (a replay
    was rewound)."""

    world: World
    dirty: frozenset[Slot | str] | None
    printed: tuple[tuple[str, str], ...]
    node: str
    anew: bool = False


class JournalFeed:
    """Reads a journal, and calls `wake`, on the writer's thread, once for each waiting batch."""

    def __init__(self, journal: Journal, wake: Callable[[], None]) -> None:
        self.journal = journal
        self._wake = wake
        self._lock = threading.Lock()
        self._dirty: set[Slot | str] = set()
        self._all, self._woken, self._anew, self._node = True, False, False, ""
        self._printed: list[tuple[str, str]] = []
        self._stop = journal.read(self._read)

    def take(self) -> Batch:
        """Return what is waiting, and start an empty batch."""
        with self._lock:
            batch = Batch(
                self.journal.world,
                None if self._all else frozenset(self._dirty),
                tuple(self._printed),
                self._node,
                self._anew,
            )
            self._dirty.clear()
            self._printed.clear()
            self._all, self._woken, self._anew, self._node = False, False, False, ""
        return batch

    def close(self) -> None:
        """Stop reading."""
        self._stop()

    def _read(self, entry: Entry, world: World) -> None:
        fact = entry.fact
        with self._lock:
            if world.count == 0:
                self._all = self._anew = True
                self._printed.clear()
            self._dirty |= world.dirty
            if fact.kind == "output":
                self._printed.append((fact.node, fact.text))
            elif fact.kind == "command":
                self._node = fact.node
            first, self._woken = not self._woken, True
        if first:
            self._wake()
