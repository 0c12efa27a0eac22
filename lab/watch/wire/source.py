"""The wire source: reads the heads of the frames between the nodes, and reports who talked to whom.

It keeps numbers only. `open_wire` begins to read; nothing is read before the source is started, and none of it is read
any more once it is closed or its process has ended.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection

from lab.cluster.wire import Reading, Wire
from lab.watch.source import PollInterval, Source
from lab.watch.wire.connections import Connections
from lab.watch.wire.headers import read_headers
from lab.world.journal import Journal
from lab.world.wire import Carries, Flow, WireSeen

#: Seconds of one report, and at the least when one is asked for.
REPORT, SOON = 3.0, 0.3
_STEP = 0.25


class WireSource(Source):
    """A source that writes a `WireSeen` for all that passed in a few seconds. `marks` are texts that are looked for."""

    def __init__(
        self, journal: Journal, open_wire: Callable[[Collection[str]], Wire], marks: Collection[str] = ()
    ) -> None:
        super().__init__("wire", PollInterval(fast=0.5, slow=0.5, most=15.0))
        self._journal, self._open, self._marks = journal, open_wire, tuple(marks)
        self._wire: Wire | None = None
        self._connections = Connections()

    def _look(self) -> bool:
        """Read, and report again and again: what passes between two looks would be missed."""
        if self._wire is None:
            self._wire = self._open(self._marks)
        while not self._closed:
            with self._turn:
                self._begun = wanted = self._asked
            self._report(self._wire)
            with self._turn:
                self._done = wanted
                self._turn.notify_all()
        return True

    def _report(self, wire: Wire) -> None:
        """Write one report, soon when somebody waits for it or for the next."""
        began, report = time.monotonic(), Report(self._connections)
        while not self._closed and time.monotonic() - began < (SOON if self._asked > self._done else REPORT):
            report.take(wire.read(_STEP))
        if not self._closed:
            self._journal.write(report.fact(time.monotonic() - began, time.monotonic()))

    def _release(self) -> None:
        wire, self._wire = self._wire, None
        self._connections = Connections()
        if wire is not None:
            wire.close()


Key = tuple[str, str, Carries, int]
"""From which node to which, what, and in a VXLAN of which number."""


class Report:
    """What was read since it was begun; the `connections` are known from before."""

    def __init__(self, connections: Connections | None = None) -> None:
        self._connections = connections or Connections()
        self._frames: Counter[Key] = Counter()
        self._sizes: Counter[Key] = Counter()
        self._lost: Counter[Key] = Counter()
        self._marks: Counter[str] = Counter()
        self._unread = 0

    def take(self, reading: Reading) -> None:
        """Add what was just read."""
        self._unread += reading.unread
        self._marks.update(reading.marks)
        for frame in reading.frames:
            headers = read_headers(frame.head)
            key = (frame.source, frame.target, headers.carries, headers.network)
            self._frames[key] += 1
            self._sizes[key] += frame.size
            self._lost[key] += frame.lost
            self._connections.take(frame, headers)

    def fact(self, seconds: float, now: float) -> WireSeen:
        """Return it as a fact; `now` is the monotonic clock."""
        flows = [
            Flow(*key[:3], count, self._sizes[key], key[3], self._lost[key])
            for key, count in sorted(self._frames.items())
        ]
        marks = tuple(sorted(self._marks.items()))
        return WireSeen(round(seconds, 2), tuple(flows), self._connections.tell(now), self._unread, marks)
