"""The managers' clock, told from what the world has: tasks bear its stamps, entries the journal's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.world import World

_TOLD = frozenset({"running", "complete", "shutdown", "failed", "rejected"})
_EVENTS = 20
"""Engine events that are looked at: a machine that slept has jumped since."""
_CHANGES = 100
"""Lines of the timeline that are."""


def clock_ahead(world: World) -> float:
    """How many seconds the managers' clock is ahead of the journal's; 0 when nothing bears a stamp.

    Nothing is seen before it happens, so each thing seen says how much it is at least; the most of these is taken.
    """
    return max(_at_least(world), default=0.0)


def _at_least(world: World) -> Iterator[float]:
    for at, event in world.swarm.events[-_EVENTS:]:
        if event.at:
            yield event.at - at
    seen = {change.task: change.at for change in world.changes[-_CHANGES:] if change.task}
    for id, at in seen.items():
        task = world.swarm.tasks.get(id)
        if task is not None and task.state in _TOLD and task.changed:
            yield task.changed - at
    tasks = (max(task.created, task.changed) for task in world.swarm.tasks.values())
    services = (max(service.status.started, service.status.completed) for service in world.swarm.services.values())
    newest = max((*tasks, *services), default=0.0)
    if newest:
        yield newest - world.at
