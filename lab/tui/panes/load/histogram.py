"""Latency over time as a picture: columns are moments, rows are latencies, shades are numbers of requests."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from lab.tui.spans import LONGEST, Line, Span, format_stamp
from lab.world.load import BUCKETS, reaches

if TYPE_CHECKING:
    from lab.world.entries import LoadReport
    from lab.world.load import Load

GUTTER = 9
"""Cells left of the picture: a label and a rule."""

_SHADES = " ░▒▓█"
_SHOWN = 60.0
"""The fewest seconds that the picture goes back."""
_FEWEST = 8
"""The fewest buckets shown, so that the scale does not jump with every request."""
_SLACK = 0.1
"""Columns by which a report may miss a column's middle and still cover it."""
_SHORTEST = 0.001
"""The shortest length of a report in seconds, however odd the report is."""
_MOST = 10**12
"""The most requests counted per bucket of a report."""
_EVERY = (5, 10, 15, 20, 30, 60, 120, 300, 600, 1800, 3600)


@dataclass(frozen=True)
class Axis:
    """Time in columns: column x is `step` seconds long and begins at `start + x * step`."""

    start: float
    step: float
    many: int

    @property
    def end(self) -> float:
        """When the last column ends."""
        return self.start + self.many * self.step

    def place(self, at: float) -> int:
        """Return the column of a time; below 0, or from `many` on, it is outside the picture."""
        x = (at - self.start) / self.step + 1e-6
        return math.floor(max(-LONGEST, min(LONGEST, x)))  # nan counts as farthest out


@dataclass(frozen=True)
class Column:
    """Requests a second by bucket, where there were any; failed requests; and whether there was any report."""

    rates: Mapping[int, float]
    bad: int = 0
    known: bool = False


def axis(load: Load, end: float, many: int) -> Axis:
    """Return an axis of `many` columns, the last of which contains the time `end`. A column is one or more reports long
    and begins where a report began, so that each contains as many reports as the next."""
    lengths = [fact.seconds for _, fact in load.ticks[-20:] if 0 < fact.seconds < LONGEST]
    period = max(0.1, round(median(lengths), 1)) if lengths else 1.0
    step = period * max(1, math.ceil(_SHOWN / (max(1, many) * period) - 1e-9))
    phase = math.fmod(_bound_time(load.ticks[-1][0]), period) if load.ticks else 0.0
    last = math.ceil((_bound_time(end) - phase) / step - 1e-6)
    return Axis(phase + (last - many) * step, step, many)


def _bound_time(at: float) -> float:
    """Return a time that can be drawn, whatever the recording says."""
    return at if abs(at) < LONGEST else 0.0


def columns(load: Load, time: Axis) -> tuple[Column, ...]:
    """Return what each column of the axis holds. A column that a report covers, but that does not contain the report's
    middle, shows its rates too, so that no gap is drawn where there was none."""
    middles: list[list[LoadReport]] = [[] for _ in range(time.many)]
    covers: list[LoadReport | None] = [None] * time.many
    bad = [0] * time.many
    for at, fact in load.ticks:
        if at < time.start:
            continue
        began, middle = at - fact.seconds, time.place(at - fact.seconds / 2)
        if 0 <= middle < time.many:
            middles[middle].append(fact)
        for x in range(max(0, time.place(began)), min(time.many, time.place(at) + 1)):
            centre = time.start + (x + 0.5) * time.step
            if -_SLACK * time.step <= at - centre <= fact.seconds + _SLACK * time.step:
                covers[x] = fact
        for x in (time.place(at - failure.ago) for failure in fact.failures):
            if 0 <= x < time.many:
                bad[x] += 1
        if 0 <= middle < time.many:
            bad[middle] += max(0, fact.bad - len(fact.failures))
    return tuple(map(_column, middles, covers, bad))


def _column(middles: Sequence[LoadReport], cover: LoadReport | None, bad: int) -> Column:
    told = middles or ((cover,) if cover else ())
    seconds = max(_SHORTEST, sum(fact.seconds for fact in told))
    rates: dict[int, float] = {}
    for fact in told:
        for index, count in enumerate(fact.counts[:BUCKETS]):
            if count > 0:
                rates[index] = rates.get(index, 0.0) + min(count, _MOST) / seconds
    return Column(rates, bad, bool(told) or bad > 0)


def heat(seen: Sequence[Column], rows: int) -> Iterator[Line]:
    """Yield the picture in at most `rows` rows, the longest latency at the top, shaded relative to the darkest cell."""
    found = [index for column in seen for index in column.rates]
    bands = _bands(min(found, default=4), max(found, default=4), max(1, rows))
    band_of = {index: row for row, band in enumerate(bands) for index in band}
    levels = [[0.0] * len(seen) for _ in bands]
    for x, column in enumerate(seen):
        for index, rate in column.rates.items():
            levels[band_of[index]][x] += rate
    most = max(map(max, levels), default=0.0) if seen else 0.0
    for band, row in zip(reversed(bands), reversed(levels), strict=True):
        cells = "".join([_SHADES[_level(value, most)] if value else " " for value in row])
        yield (f"{_label(band[-1]):>{GUTTER - 1}}│", "quiet"), (cells, "run")


def _bands(low: int, high: int, rows: int) -> tuple[range, ...]:
    """Return the buckets in at most `rows` equal parts, each ending at a whole power of 2 where it has several."""
    size = 1
    while -(-high // size) + low // -size >= rows:
        size *= 2
    first, last, most = -(low // -size), -(high // -size), -((BUCKETS - 1) // -size)
    wanted = min(rows, _FEWEST // size)
    last = max(last, min(most, first + wanted - 1))
    first = min(first, max(0, last - wanted + 1))
    return tuple(range(max(0, (n - 1) * size + 1), min(n * size, BUCKETS - 1) + 1) for n in range(first, last + 1))


def _level(value: float, most: float) -> int:
    """Return a shade by the square root, so that a single request among thousands is visible."""
    return min(4, 1 + int(4 * math.sqrt(value / most)))


def _label(index: int) -> str:
    """Return the upper limit of a row, where it is a round number."""
    if index >= BUCKETS - 1:
        return "longer"
    if index % 2:
        return ""
    return f"{reaches(index):.0f} ms" if index < 20 else f"{2 ** (index // 2 - 10)} s"


def failure_row(seen: Sequence[Column]) -> Line:
    """Return the failures per column: a digit, `+` for ten or more, `·` where there were reports and none failed."""
    some = any(column.bad for column in seen)
    label: Span = (f"{'✘ failed' if some else 'failed':>{GUTTER - 1}}", "bad" if some else "quiet")
    return (label, ("│", "quiet"), *map(_failure_cell, seen))


def _failure_cell(column: Column) -> Span:
    if not column.bad:
        return "·" if column.known else " ", "quiet"
    return str(column.bad) if column.bad < 10 else "+", "bad"


def scale(time: Axis) -> Line:
    """Return the time axis: a rule with times on it."""
    cells = ["─"] * time.many
    wide = len(format_stamp(time.end, False)) + 3
    every = next((each for each in _EVERY if each >= wide * time.step), _EVERY[-1])
    first = math.ceil(max(0.0, time.start) / every) * every
    for at in range(first, math.ceil(time.end) + every, every):
        x = time.place(at)
        text = f"┴{format_stamp(at, False)}"
        if x >= 0 and x + len(text) <= time.many:
            cells[x : x + len(text)] = text
    return ((f"{'└':>{GUTTER}}{''.join(cells)}", "quiet"),)
