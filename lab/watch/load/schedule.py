"""A load's arithmetic: when each request is due, and what was counted since the last report."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from lab.world.entries import Failure, LoadReport
from lab.world.load import BUCKETS, bucket, step

#: Maximum failures reported in full per report.
WHOLE = 20


@dataclass(frozen=True, slots=True)
class Schedule:
    """The schedule of an open loop: request `first` (which may be fractional) is due at `start`, and `rate` requests
    per second from then on. Times are seconds of one clock."""

    start: float
    rate: float
    first: float = 0.0

    def due(self, number: int) -> float:
        """Return when a request is due; infinity means never."""
        return self.start + (number - self.first) / self.rate if self.rate > 0 else math.inf

    def change_rate(self, now: float, rate: float) -> Schedule:
        """Return a schedule with another rate from now on, with neither a gap nor a burst in between."""
        return Schedule(now, rate, self.first + max(0.0, now - self.start) * self.rate)


@dataclass(slots=True)
class LoadStats:
    """Counts since `began`; `sent` counts the requests that were due, even if they could not be sent. `late` is the
    longest delay in milliseconds."""

    began: float
    sent: int = 0
    good: int = 0
    bad: int = 0
    late: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    bad_counts: list[int] = field(default_factory=lambda: [0] * BUCKETS)
    steps: Counter[int] = field(default_factory=Counter)
    failures: list[tuple[float, Failure]] = field(default_factory=list)

    def send(self, late: float) -> None:
        """Count a request that was due, and is sent `late` seconds after its time."""
        self.sent += 1
        self.late = max(self.late, late * 1000)

    def end(self, now: float, due: float, node: str, status: int, error: str = "") -> None:
        """Count a request that ended; `status` is 0 if nobody answered. Its latency is measured from when it was
        due."""
        ms = max(0.0, now - due) * 1000
        if 200 <= status < 400:
            self.good += 1
            self.counts[bucket(ms)] += 1
            self.steps[step(ms)] += 1
            return
        self.bad += 1
        self.bad_counts[bucket(ms)] += 1
        if len(self.failures) < WHOLE:
            self.failures.append((now, Failure(0.0, node, status, error, round(ms, 1))))

    def report(self, now: float, *, running: bool, rate: float, target: str, in_flight: int) -> LoadReport:
        """Return the counts as a fact. A histogram without requests is empty."""
        return LoadReport(
            running=running,
            rate=rate,
            target=target,
            seconds=round(now - self.began, 4),
            sent=self.sent,
            good=self.good,
            bad=self.bad,
            in_flight=in_flight,
            late=round(self.late, 1),
            counts=tuple(self.counts) if self.good else (),
            bad_counts=tuple(self.bad_counts) if self.bad else (),
            steps=tuple(sorted(self.steps.items())),
            failures=tuple(Failure(round(now - at, 4), f.node, f.status, f.error, f.ms) for at, f in self.failures),
        )
