"""The managers' clock, derived from the world: tasks have its timestamps, entries have the journal's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.world.world import World

_EVENTS = 20
"""How many of the latest engine events are used: if the machine has slept since, its clock has jumped."""
_CHANGES = 100
"""How many of the latest lines of the timeline are used."""


def clock_ahead(world: World) -> float:
    """Return how many seconds the managers' clock is ahead of the journal's; 0 if nothing has a timestamp.

    Nothing is seen before it happens, so each observation gives a lower bound; the highest one is taken. A line of the
    timeline has the timestamp that was seen with it: a task gets a new one when its state is only reported again, as to
    a new leader, or when it is to stop.
    """
    return max(_at_least(world), default=0.0)


def _at_least(world: World) -> Iterator[float]:
    for at, event in world.swarm.events[-_EVENTS:]:
        if event.at:
            yield event.at - at
    yield from (change.stamp - change.at for change in world.changes[-_CHANGES:] if change.stamp)
    tasks = (max(task.created, task.changed) for task in world.swarm.tasks.values())
    services = (max(service.status.started, service.status.completed) for service in world.swarm.services.values())
    newest = max((*tasks, *services), default=0.0)
    if newest:
        yield newest - world.at
