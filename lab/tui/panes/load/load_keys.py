"""The effects of the load's keys, as pure functions of a UI state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.tui.ui_state import UiState
    from lab.world.world import World

#: The rates that + and - step through, in requests a second.
RATES = (10.0, 20.0, 50.0, 100.0, 200.0, 500.0)


def change_rate(s: UiState, how: str) -> dict[str, Any]:
    """Return the UI state's changes after a key: `how` is toggle (starts or ends the load), more or less."""
    if how == "toggle":
        return {"loading": not s.loading}
    if how == "more":
        return {"rate": next((rate for rate in RATES if rate > s.rate), RATES[-1])}
    return {"rate": next((rate for rate in reversed(RATES) if rate < s.rate), RATES[0])}


def follow_load(before: World | None, world: World) -> dict[str, Any]:
    """Return the UI state's changes after a report: a step, or something else, may have started or ended load."""
    was, load = before.load if before is not None else None, world.load
    changes: dict[str, Any] = {}
    if was is None or was.running != load.running:
        changes["loading"] = load.running
    if load.running and (was is None or was.rate != load.rate):
        changes["rate"] = load.rate
    return changes


def requested_rate(s: UiState) -> float | None:
    """Return the request to the stage: a rate in requests a second, or None for no load."""
    return s.rate if s.loading else None
