"""The journal: the one place where entries are ordered, folded, and passed on.

A live session and a replay differ only in who writes here. All methods may be called from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable

from lab.world.entries import Entry, Fact, SwarmChanged
from lab.world.world import World, fold

Reader = Callable[[Entry, World], None]
Clock = Callable[[], float]


class Journal:
    """The entries so far, folded into a world. Readers are called in order, one entry at a time, on the writer's
    thread: they must be quick and must not write."""

    def __init__(self, clock: Clock = time.monotonic, world: World | None = None) -> None:
        self._clock, self._start = clock, clock()
        self._world = world or World()
        self._readers: tuple[Reader, ...] = ()
        self._turn = threading.Condition(threading.RLock())

    @property
    def world(self) -> World:
        """The current world."""
        return self._world

    def now(self) -> float:
        """Return the seconds since the journal began."""
        return max(self._world.at, self._clock() - self._start)

    def write(self, fact: Fact) -> Entry:
        """Add a fact at the current time."""
        with self._turn:
            return self._put(Entry(round(self.now(), 4), fact))

    def put(self, entry: Entry) -> Entry:
        """Add an entry that already has a time (a replay's); a time before the last entry's is raised to it."""
        with self._turn:
            return self._put(Entry(max(entry.at, self._world.at), entry.fact))

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Add several entries."""
        for entry in entries:
            self.put(entry)

    def restart(self) -> None:
        """Start over with an empty world at 0 seconds, as a replay does when it is rewound. Readers get one entry, a
        first poll that finds nothing; in its world, everything known before is dirty."""
        with self._turn:
            entry = Entry(0.0, SwarmChanged(by="", first=True))
            self._start = self._clock()
            self._world = World(dirty=fold(self._world, entry).dirty)
            self._tell(entry)

    def read(self, reader: Reader) -> Callable[[], None]:
        """Call `reader` for every entry from now on; return a function that stops this."""
        with self._turn:
            self._readers = (*self._readers, reader)

        def stop() -> None:
            with self._turn:
                self._readers = tuple(r for r in self._readers if r is not reader)

        return stop

    def wait(self, until: Callable[[World], bool], seconds: float) -> bool:
        """Wait until `until` holds for the world, at most `seconds`; it is checked after every entry. Return whether it
        holds."""
        with self._turn:
            return self._turn.wait_for(lambda: until(self._world), timeout=seconds)

    def _put(self, entry: Entry) -> Entry:
        self._world = fold(self._world, entry)
        self._tell(entry)
        return entry

    def _tell(self, entry: Entry) -> None:
        for reader in self._readers:
            reader(entry, self._world)
        self._turn.notify_all()
