"""The load after a report, and the lines that it adds to the timeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from lab.text import count_of
from lab.world.entries import LoadReport
from lab.world.load import Load
from lab.world.timeline import Line

_REASONS = 3
"""Maximum reasons for failed requests in one line of the timeline."""


def fold_load(before: Load, at: float, fact: LoadReport) -> tuple[Load, Sequence[Line]]:
    """Fold a report into the load. Failures get a line at most once every `load.TELL` seconds."""
    load, lines = before.take(at, fact), list[Line]()
    if fact.running and fact.rate and (not before.running or before.rate != fact.rate):
        many = "request" if fact.rate == 1 else "requests"
        lines.append(Line(f"load: {fact.rate:g} {many} a second to {fact.target}", "lab", kind="load"))
    elif before.running and not fact.running:
        lines.append(Line("load: off", "lab", kind="load"))
    if load.tells:
        lines.append(
            Line(f"load: {count_of(load.untold, 'request')} failed ({_reasons(load)})", "bad", kind="load-failed")
        )
        load = replace(load, told=at, untold=0)
    return load, lines


def _reasons(load: Load) -> str:
    """Return why the requests without a line failed, as far as known: the most frequent reasons first."""
    new = load.failures[-min(load.untold, len(load.failures)) :]
    found = Counter(failure.error or f"status {failure.status}" for at, failure in new if at >= load.told)
    return ", ".join(why for why, _ in found.most_common(_REASONS)) or "no reason told"
