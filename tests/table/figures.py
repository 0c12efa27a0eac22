"""What a load's reports say of an event: how many requests failed, the worst gap, the slowest answer. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lab.errors import LabError
from lab.world.entries import LoadReport
from lab.world.load import latencies

#: Milliseconds by which the load may be late: beyond it, this machine was too busy to tell.
LATEST = 2000.0


class Unmeasured(LabError):
    """A cell could not be measured, and why."""


@dataclass(frozen=True)
class Figures:
    """`failed` of `sent` requests. `gap` is the longest time without an answer, in seconds: from the first of a row of
    failed requests to the next good one, by when they were due; 0 if none failed. `slowest` is the longest time that a
    good answer took, in seconds, `late` the longest delay with which one was sent. `reasons` counts why they failed."""

    sent: int
    failed: int
    gap: float
    slowest: float
    late: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)


def read_figures(reports: Sequence[tuple[float, LoadReport]], rate: float) -> Figures:
    """Return the figures of a load of `rate` requests a second, from all of its reports (time, report). Raises
    Unmeasured when they do not tell all."""
    told = [report for _, report in reports]
    sent, failed = sum(report.sent for report in told), sum(report.bad for report in told)
    ended = failed + sum(report.good for report in told)
    if not sent or sent != ended:
        raise Unmeasured("the load did not tell how each of its requests ended")
    late = max(report.late for report in told)
    if late > LATEST:
        raise Unmeasured("this machine was too busy to send every request in time")
    failures = [(at, failure) for at, report in reports for failure in report.failures]
    if len(failures) != failed:
        raise Unmeasured("more requests failed at once than the load lists")
    due = sorted(at - failure.ago - failure.ms / 1000 for at, failure in failures)
    reasons = Counter(failure.error or f"status {failure.status}" for _, failure in failures)
    slowest = max(latencies(told), default=0.0) / 1000
    return Figures(
        sent, failed, round(_worst_gap(due, 1 / rate), 2), round(slowest, 2), round(late / 1000, 2), dict(reasons)
    )


def _worst_gap(due: Sequence[float], apart: float) -> float:
    """Return the longest row of failed requests, in seconds, where requests are due `apart` seconds from each other."""
    worst = began = last = 0.0
    for place, at in enumerate(due):
        if not place or at - last > 1.5 * apart:
            began = at
        last = at
        worst = max(worst, last - began + apart)
    return worst
