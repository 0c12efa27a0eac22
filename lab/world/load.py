"""The load that the lab makes, and its results: latency histograms on log scales, totals, failed requests.

For display, latencies fall into buckets: bucket 0 is up to 1 ms, and each one after it reaches the square root of 2
times as far; the last takes everything longer. For percentiles, they fall into steps, 32 per doubling, so that none is
reported more than 2.2 % too long.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.entries import Failure, LoadReport

BUCKETS = 31
"""The number of buckets. The last one begins at 2 ** 14.5 ms, 23 s."""

_FINE = 32
_LOWEST = 13
STEPS = _FINE * (_LOWEST + 16)
LONGEST = 2.0**16
"""The upper bound of the last step, in milliseconds: 65 s, more than any request may take."""

KEEP_TICKS = 600
KEEP_FAILURES = 200
TELL = 5.0
"""Minimum seconds between two lines of the timeline about failed requests."""


def bucket(ms: float) -> int:
    """Return the bucket of a latency."""
    return 0 if ms <= 1 else min(BUCKETS - 1, math.ceil(round(2 * math.log2(ms), 9)))


def reaches(index: int) -> float:
    """Return the upper bound of a bucket, in milliseconds; infinity for the last."""
    return math.inf if index >= BUCKETS - 1 else 2 ** (index / 2)


def step(ms: float) -> int:
    """Return the step of a latency. Step 0 is up to 2 ** -13 ms, a tenth of a microsecond, faster than any answer."""
    return max(0, min(STEPS, math.ceil(round(_FINE * (math.log2(max(ms, 1e-9)) + _LOWEST), 9))))


def step_reaches(index: int) -> float:
    """Return the upper bound of a step, in milliseconds."""
    return float(2 ** (min(max(index, 0), STEPS) / _FINE - _LOWEST))


def latencies(reports: Iterable[LoadReport]) -> Mapping[float, int]:
    """Count the good requests of several reports by the upper bound of their latency, in milliseconds: by step, and by
    bucket for a report from an old tape, which has no steps."""
    found: Counter[float] = Counter()
    for report in reports:
        if report.steps:
            found.update({step_reaches(index): count for index, count in report.steps})
        else:
            for index, count in enumerate(report.counts):
                found[reaches(min(index, BUCKETS - 1))] += count
    return {reach: count for reach, count in found.items() if count > 0}


def percentile(found: Mapping[float, int], share: float) -> float:
    """Return the latency that `share` (0 to 1) of the requests counted by `latencies` did not exceed, in milliseconds;
    0 if there are none."""
    left = share * sum(found.values())
    for reach in sorted(found):
        left -= found[reach]
        if left <= 1e-9:
            # The last bucket of an old tape has no upper bound.
            return min(reach, LONGEST)
    return 0.0


@dataclass(frozen=True, slots=True)
class LoadSpec:
    """A requested load: `rate` requests per second (open loop: each at its time, however long the ones before take),
    spread over all nodes or to one `node`, to their published `port`. With a `host`, the requests are sent under its
    name; with `fresh`, each over a new connection."""

    rate: float = 50.0
    port: int = 443
    path: str = "/"
    host: str = ""
    https: bool = True
    fresh: bool = True
    node: str = ""

    @property
    def target(self) -> str:
        """The target in words: `https://node-app.localhost/`, or `port 8080 /` without a host; with a node its name."""
        scheme = "https" if self.https else "http"
        words = f"{scheme}://{self.host}{self.path}" if self.host else f"port {self.port} {self.path}"
        return f"{words} of {self.node}" if self.node else words


@dataclass(frozen=True, slots=True)
class Load:
    """The load so far. `rate` is the requested rate in requests per second, 0 if there is no load. `sent`, `good` and
    `bad` count all requests of this journal; `ticks` are the last reports (time, report), `failures` the last failed
    requests. `told` is when failures last had a line in the timeline, `untold` how many failed since."""

    running: bool = False
    rate: float = 0.0
    target: str = ""
    began: float = 0.0
    sent: int = 0
    good: int = 0
    bad: int = 0
    in_flight: int = 0
    ticks: tuple[tuple[float, LoadReport], ...] = ()
    failures: tuple[tuple[float, Failure], ...] = field(default=())
    told: float = -math.inf
    untold: int = 0

    @property
    def tells(self) -> bool:
        """Whether the failures without a line in the timeline get one now."""
        return bool(self.untold) and (not self.running or self.ticks[-1][0] - self.told >= TELL)

    def take(self, at: float, fact: LoadReport) -> Load:
        """Return the load after one more report."""
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

    def count_since(self, before: Load) -> tuple[int, int, int]:
        """Return how many requests were sent, succeeded and failed since an earlier load of the same journal."""
        return self.sent - before.sent, self.good - before.good, self.bad - before.bad

    def slow_since(self, before: Load, ms: float) -> tuple[int, float]:
        """Return how many good requests since an earlier load took longer than `ms`, and the latency of the longest, in
        milliseconds."""
        last = before.ticks[-1] if before.ticks else None
        new = takewhile(lambda each: each is not last, reversed(self.ticks))
        slow = {reach: count for reach, count in latencies(report for _, report in new).items() if reach > ms}
        return sum(slow.values()), max(slow, default=0.0)

    def failures_since(self, before: Load) -> tuple[float, ...]:
        """Return when the requests were due that failed since an earlier load, as far as they are still listed."""
        known = before.failures[-1] if before.failures else None
        new = takewhile(lambda each: each is not known, reversed(self.failures))
        return tuple(sorted(max(0.0, at - failure.ms / 1000) for at, failure in new))
