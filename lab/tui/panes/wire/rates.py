"""Rates on the nodes' own network over the last seconds: by pair of nodes, and by what is carried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.world import World

#: Seconds that the rates look back.
WINDOW = 12.0
#: Seconds from which there are rates.
SHORTEST = 0.01

Carried = tuple[str, int]
"""What is carried, and the number of its network."""


@dataclass
class Rate:
    """Frames and bytes a second, and the share of the frames that was lost."""

    frames: float = 0.0
    size: float = 0.0
    lost: float = 0.0


@dataclass
class Rates:
    """The rates by source and target ("": all others), and by what is carried; `sampled` is the share of the frames
    that was read."""

    pairs: Mapping[tuple[str, str], Rate] = field(default_factory=dict)
    carried: Mapping[Carried, Rate] = field(default_factory=dict)
    total: Rate = field(default_factory=Rate)
    sampled: float = 1.0
    seconds: float = 0.0


def find_rates(world: World, now: float) -> Rates:
    """Return the rates of the last seconds; none when nothing was read in them."""
    reports = world.wire.recent(now, WINDOW)
    seconds = sum(report.seconds for report in reports)
    if seconds < SHORTEST:
        return Rates()
    pairs: defaultdict[tuple[str, str], Rate] = defaultdict(Rate)
    carried: defaultdict[Carried, Rate] = defaultdict(Rate)
    total, read = Rate(), 0
    for report in reports:
        scale = report.scale / seconds
        for flow in report.flows:
            read += flow.frames
            key = (flow.carries, flow.network if flow.carries == "vxlan" else 0)
            for one in (pairs[flow.source, flow.target], carried[key], total):
                one.frames += flow.frames * scale
                one.size += flow.size * scale
                one.lost += flow.lost * scale
    every = read + sum(report.unread for report in reports)
    return Rates(dict(pairs), dict(carried), total, read / every if every else 1.0, seconds)


def format_number(value: float) -> str:
    """Return a number with one decimal if it is small."""
    return f"{value:.1f}" if 0 < value < 9.95 else f"{value:.0f}"


def format_size(size: float) -> str:
    """Return a number of bytes in the unit that suits it."""
    for each, unit in ((1e6, "MB"), (1e3, "kB")):
        if size >= each:
            return f"{format_number(size / each)} {unit}"
    return f"{size:.0f} B"
