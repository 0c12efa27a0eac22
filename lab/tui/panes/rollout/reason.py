"""Describes what an update waits for. `now` is the managers' clock, in seconds since the epoch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.text import count_of
from lab.tui.cluster.grid import task_mark
from lab.tui.panes.rollout.slots import Place, is_old
from lab.tui.spans import Line

if TYPE_CHECKING:
    from lab.world.swarm import Service, Task
    from lab.world.world import World


def seconds_watched(service: Service, place: Place, now: float) -> float | None:
    """Return for how many seconds a slot's new task has been watched, or None when it is not, or no longer."""
    task = place.serving
    if task is None or place.kind != "new" or service.status.state != "updating":
        return None
    if task.created < service.status.started - 1.0:
        return None
    seconds = max(0.0, now - task.changed)
    return seconds if seconds < service.spec.update.monitor else None


def describe_wait(world: World, service: Service, slots: Sequence[Place], now: float) -> Line:
    """Return a sentence on what the update waits for, or nothing when it does not wait."""
    state, name, said = service.status.state, service.name, service.status.message or "the engine does not say why"
    if state == "paused":
        command = f"docker service update --rollback {name}"
        return (f"paused: {said}. Now ", "bad"), (command, "code"), (", or update it again", "bad")
    if state == "rollback_paused":
        return ((f"the rollback is paused too: {said}. Update {name} again with a version that runs", "bad"),)
    if state == "rollback_completed":
        return ((f"nothing more: {said}", "quiet"),)
    coming = [place.coming for place in slots if place.kind == "way" and place.coming is not None]
    if state == "completed":
        return ((_comes(world, service, coming), "move"),) if coming else ()
    if state not in ("updating", "rollback_started"):
        return (("its tasks are of two versions, but the engine tells of no update under way", "move"),)
    back = "goes back to the version before; " if state == "rollback_started" else ""
    return ((back + _waits(world, service, slots, coming, now), "bad" if back else "move"),)


def _waits(world: World, service: Service, slots: Sequence[Place], coming: list[Task], now: float) -> str:
    if coming:
        return _comes(world, service, coming)
    policy, old = service.spec.update, [place for place in slots if place.kind == "old"]
    ran = [place.serving.changed for place in slots if place.kind == "new" and place.serving is not None]
    passed = max(0.0, now - max(ran)) if ran else policy.delay
    # A rollback follows another policy, which the world does not have.
    if service.status.state == "updating":
        if old and passed < policy.delay:
            return f"waits {policy.delay:g} s between batches: {passed:.1f} s have passed"
        seen = [(place, seconds) for place in slots if (seconds := seconds_watched(service, place, now)) is not None]
        if seen and not old:
            names = _name_tasks(world, [place.serving for place, _ in seen if place.serving])
            youngest = min(seconds for _, seconds in seen)
            return f"watches {names} for {policy.monitor:g} s: {youngest:.1f} s have passed"
    if old:
        return "takes the last old task" if len(old) == 1 else f"takes the next of {len(old)} old tasks"
    if any(place.kind == "failed" for place in slots):
        return f"waits until {count_of(sum(p.kind == 'failed' for p in slots), 'slot')} that failed is tried again"
    return "every task is new: waits for the managers' word that it is done"


def _comes(world: World, service: Service, coming: list[Task]) -> str:
    first = coming[0]
    _, word, _ = task_mark(world, first)
    if first.error and not first.node:
        return f"waits for a node for {world.swarm.task_name(first)}: {first.error}"
    where = f" on {world.swarm.node_name(first.node)}" if first.node else ""
    how = f"it is {word}{where}" if len(coming) == 1 else f"the first is {word}{where}"
    again = " (of an old version)" if is_old(service, first) else ""
    return f"waits for {_name_tasks(world, coming)}{again} to run: {how}"


def _name_tasks(world: World, tasks: Sequence[Task]) -> str:
    names = [world.swarm.task_name(task) for task in tasks[:3]]
    more = [f"{len(tasks) - 3} more"] if len(tasks) > 3 else []
    every = [*names, *more]
    return every[0] if len(every) == 1 else f"{', '.join(every[:-1])} and {every[-1]}"
