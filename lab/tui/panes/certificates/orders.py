"""The progress of Traefik's certificate orders, from its log: the stages of each host's last order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.tui.panes.common import format_duration
from lab.tui.spans import Line, Span, Tone, format_stamp, width, wrap

if TYPE_CHECKING:
    from lab.world.entries import AcmeTold
    from lab.world.world import World

STAGES = ("renewing", "ordering", "proving", "issued")
RECENT = 300.0
"""Seconds after which a certificate is no longer reported as new."""
NO_RETRY = "Traefik has no timer for another try: it asks again when its configuration changes, or when it restarts."


@dataclass(frozen=True)
class Order:
    """An order: when each of its stages was first logged, and its log lines, oldest first. `before` is the number of
    certificates issued to the host before it."""

    times: tuple[tuple[str, float], ...]
    told: tuple[tuple[float, AcmeTold], ...]
    before: int = 0

    @property
    def stage(self) -> str:
        """The stage it has reached."""
        return self.told[-1][1].stage

    @property
    def at(self) -> float:
        """When it reached that stage."""
        return next(at for stage, at in self.times if stage == self.stage)


def last_order(world: World, host: str) -> Order | None:
    """Return a host's last order, or None when the log has none."""
    told: list[tuple[float, AcmeTold]] = []
    issued = 0
    for at, line in world.edge.acme:
        if not line.hosts and (
            not told or told[-1][1].stage in ("issued", "failed") or _rank(line) < _rank(told[-1][1])
        ):
            continue  # a line without a name can only belong to an order in progress
        if line.hosts and host not in {name.lower() for name in line.hosts}:
            continue
        if told and (told[-1][1].stage in ("issued", "failed") or _rank(line) < _rank(told[-1][1])):
            issued += told[-1][1].stage == "issued"
            told = []
        told.append((at, line))
    if not told:
        return None
    times: dict[str, float] = {}
    for at, line in told:
        times.setdefault(line.stage, at)
    return Order(tuple(times.items()), tuple(told), issued)


def _rank(line: AcmeTold) -> int:
    return len(STAGES) if line.stage == "failed" else STAGES.index(line.stage)


def order_news(world: World, host: str, now: float) -> Span | None:
    """Return the latest news on a host's certificate in a few words, such as `renewed 12 s ago`, or None."""
    order = last_order(world, host)
    if order is not None and order.stage == "failed":
        return f"✘ order failed {format_duration(now - order.at)} ago", "bad"
    if order is not None and order.stage != "issued":
        what = "renewal" if dict(order.times).get("renewing") is not None or order.before else "order"
        return f"◑ {what} under way, {order.stage} for {format_duration(now - order.at)}", "move"
    changed = _changes(world, host)
    again = len(changed) > 1
    if order is not None and now - order.at <= RECENT:
        renewed = again or order.before or "renewing" in dict(order.times)
        return f"✔ {'renewed' if renewed else 'issued'} {format_duration(now - order.at)} ago", "run"
    if again and now - changed[-1] <= RECENT:
        return f"✔ renewed {format_duration(now - changed[-1])} ago", "run"
    return None


def _changes(world: World, host: str) -> list[float]:
    """Return when the host was first seen with an issued certificate, and with each one after it."""
    return [at for at, _ in world.edge.issued.get(host, ())]


def order_track(order: Order, room: int) -> Line:
    """Return its stages: those passed, the current one, and those to come, with their times where they fit."""
    times = dict(order.times)
    stages = [stage for stage in STAGES if stage != "renewing" or stage in times]
    if "renewing" in times and "ordering" not in times:
        stages.remove("ordering")
    if order.stage == "failed":
        stages = [stage for stage in stages if stage in times] + ["failed"]
    for timed in (True, False):
        line = tuple(_stations(stages, order.stage, times if timed else {}))
        if width(line) <= room:
            break
    return line


def _stations(stages: list[str], here: str, times: dict[str, float]) -> Iterator[Span]:
    passed = True
    for place, stage in enumerate(stages):
        if place:
            yield " ─ ", "quiet"
        glyph, tone = _station(stage, here, passed)
        passed = passed and stage != here
        yield f"{glyph} {stage}", tone
        if stage in times:
            yield f" {format_stamp(max(0.0, times[stage]), False)}", "quiet"


def _station(stage: str, here: str, passed: bool) -> tuple[str, Tone]:
    if stage == "failed":
        return "✘", "bad"
    if stage == here:
        return ("●", "run") if stage == "issued" else ("◑", "move")
    return ("●", "run") if passed else ("◌", "quiet")


def order_progress(world: World, host: str, room: int, lead: int, short: bool) -> Iterator[Line]:
    """Yield the order's track and the last lines of Traefik's log about it, indented by `lead` cells."""
    order = last_order(world, host)
    if order is None:
        return
    name: Line = (("  ", ""), ("ACME".ljust(lead - 2), "quiet"))
    yield (*name, *order_track(order, room - lead))
    blank: Line = ((" " * lead, ""),)
    failed = order.stage == "failed"
    shown = order.told[-1:] if failed or short else order.told[-2:]
    if order.stage == "issued" and short:
        return
    for at, line in shown:
        yield from wrap(
            [(f"{format_stamp(at, False)} ", "quiet"), (line.text, "bad" if failed else "quiet")], room, blank
        )
    if failed:
        yield from wrap([(NO_RETRY, "why")], room, blank)
