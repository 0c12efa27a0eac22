"""The load that the lab makes, and what came of it: a latency histogram on a log scale, totals, failed requests.

Latencies fall into buckets: bucket 0 is up to 1 ms, and each one after it reaches the square root of 2 times as far;
the last takes all that is longer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.entries import Failure, LoadMoved

BUCKETS = 31
"""The last bucket begins at 2 ** 14.5 ms, 23 s."""

KEEP_TICKS, KEEP_FAILURES = 600, 200
TELL = 5.0
"""Seconds between two lines of the timeline about failed requests."""


def bucket(ms: float) -> int:
    """The bucket of a latency."""
    return 0 if ms <= 1 else min(BUCKETS - 1, math.ceil(round(2 * math.log2(ms), 9)))


def reaches(index: int) -> float:
    """How far a bucket reaches, in milliseconds; infinity for the last."""
    return math.inf if index >= BUCKETS - 1 else 2 ** (index / 2)


def percentile(counts: Iterable[int], share: float) -> float:
    """The latency that `share` (0 to 1) of the requests did not exceed, to the reach of its bucket; 0 for none."""
    given = tuple(counts)
    left = share * sum(given)
    if not sum(given):
        return 0.0
    for index, count in enumerate(given):
        left -= count
        if left <= 1e-9 and count:
            return min(reaches(index), 2 ** (BUCKETS / 2))
    return 2 ** (BUCKETS / 2)


@dataclass(frozen=True, slots=True)
class Wish:
    """A load that is wanted: `rate` requests a second (open loop: each at its time, however long the ones before
    take), spread over all nodes, to their published `port`. With a `host` the requests bear its name; `fresh`: each
    over a new connection."""

    rate: float = 50.0
    port: int = 443
    path: str = "/"
    host: str = ""
    https: bool = True
    fresh: bool = True

    @property
    def target(self) -> str:
        """`https://node-app.localhost/`, or `port 8080 /` without a host."""
        scheme = "https" if self.https else "http"
        return f"{scheme}://{self.host}{self.path}" if self.host else f"port {self.port} {self.path}"


@dataclass(frozen=True, slots=True)
class Load:
    """`rate` is what is asked for, requests a second; 0 when none is made. `sent`, `good` and `bad` count all
    requests of this journal; `ticks` are the last reports (time, report), `failures` the last failed requests. `told`
    is when failures last had a line in the timeline, `untold` how many failed since."""

    running: bool = False
    rate: float = 0.0
    target: str = ""
    began: float = 0.0
    sent: int = 0
    good: int = 0
    bad: int = 0
    in_flight: int = 0
    ticks: tuple[tuple[float, LoadMoved], ...] = ()
    failures: tuple[tuple[float, Failure], ...] = field(default=())
    told: float = -math.inf
    untold: int = 0

    @property
    def tells(self) -> bool:
        """The failures that have no line yet get one now."""
        return bool(self.untold) and (not self.running or self.ticks[-1][0] - self.told >= TELL)

    def take(self, at: float, fact: LoadMoved) -> Load:
        """The load after one more report."""
        failures = tuple((max(0.0, at - failure.ago), failure) for failure in fact.failures)
        return replace(
            self,
            running=fact.running,
            rate=fact.rate,
            target=fact.target,
            began=at if fact.running and not self.running else self.began,
            sent=self.sent + fact.sent,
            good=self.good + fact.good,
            bad=self.bad + fact.bad,
            in_flight=fact.in_flight,
            ticks=(*self.ticks, (at, fact))[-KEEP_TICKS:],
            failures=(*self.failures, *failures)[-KEEP_FAILURES:],
            untold=self.untold + fact.bad,
        )

    def since(self, before: Load) -> tuple[int, int, int]:
        """Requests sent, answered well and failed since an earlier load of the same journal."""
        return self.sent - before.sent, self.good - before.good, self.bad - before.bad
