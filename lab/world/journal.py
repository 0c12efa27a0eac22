"""The journal: the one place where entries are put in order, folded, and handed on.

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
    """Entries in, worlds out. Readers are called in order, one entry at a time, on the writer's thread: they must be
    quick and must not write."""

    def __init__(self, clock: Clock = time.monotonic, world: World | None = None) -> None:
        self._clock, self._start = clock, clock()
        self._world = world or World()
        self._readers: tuple[Reader, ...] = ()
        self._turn = threading.Condition(threading.RLock())

    @property
    def world(self) -> World:
        """The world now."""
        return self._world

    def now(self) -> float:
        """Seconds since the journal began."""
        return max(self._world.at, self._clock() - self._start)

    def write(self, fact: Fact) -> Entry:
        """Put a fact on the time axis, now."""
        with self._turn:
            return self._put(Entry(round(self.now(), 4), fact))

    def put(self, entry: Entry) -> Entry:
        """Put an entry that has its time already (a replay's); a time before the last one counts as that."""
        with self._turn:
            return self._put(Entry(max(entry.at, self._world.at), entry.fact))

    def put_all(self, entries: Iterable[Entry]) -> None:
        """Put many."""
        for entry in entries:
            self.put(entry)

    def restart(self) -> None:
        """Begin anew with an empty world at 0 seconds, as a replay does that is wound back. Readers get one entry, a
        first look that finds nothing; in its world all that was known is dirty."""
        with self._turn:
            entry = Entry(0.0, SwarmChanged(by="", first=True))
            self._start = self._clock()
            self._world = World(dirty=fold(self._world, entry).dirty)
            self._tell(entry)

    def read(self, reader: Reader) -> Callable[[], None]:
        """Call `reader` for every entry from now on; the answer ends that."""
        with self._turn:
            self._readers = (*self._readers, reader)

        def stop() -> None:
            with self._turn:
                self._readers = tuple(r for r in self._readers if r is not reader)

        return stop

    def wait(self, until: Callable[[World], bool], seconds: float) -> bool:
        """Wait until the world is so, at most `seconds`; looks after every entry. The answer: whether it is so."""
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
