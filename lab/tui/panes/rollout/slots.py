"""The slots of a service by version: the current spec's version is the new one, every other is old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab.tui.cluster.grid import is_moving, natural_key
from lab.world.swarm import BROKEN, ENDED, Service, Task

if TYPE_CHECKING:
    from lab.world.world import World

Kind = Literal["new", "way", "old", "failed"]


@dataclass(frozen=True)
class Place:
    """A slot: the task that serves it, the one that is on its way in, and the kind that the slot is as a result."""

    label: str
    newest: Task
    serving: Task | None
    coming: Task | None
    kind: Kind


def is_old(service: Service, task: Task) -> bool:
    """Whether a task was created from another version than the service's current spec."""
    if service.template_digest and task.template_digest:
        return task.template_digest != service.template_digest
    return bool(task.image) and task.image != service.spec.image


def places(world: World, service: Service) -> tuple[Place, ...]:
    """Return the service's slots in their order, without those left over from scaling down."""
    found = []
    for key in world.swarm.slots.get(service.id) or ():
        tasks = [world.swarm.tasks[id] for id in world.swarm.attempts.get((service.id, key), ())]
        place = _place(world, service, key, tasks)
        if place is not None:
            found.append(place)
    return tuple(sorted(found, key=lambda place: natural_key(place.label)))


def _place(world: World, service: Service, key: str, tasks: Sequence[Task]) -> Place | None:
    newest = tasks[0]
    if all(task.state in ENDED for task in tasks):
        left = service.spec.mode == "replicated" and newest.slot > service.desired
        if left or newest.state not in BROKEN:
            return None
    running = [task for task in tasks if task.state == "running"]
    serving = next((task for task in running if task.live), running[0] if running else None)
    coming = next((task for task in tasks if is_moving(task) and task is not serving), None)
    kind: Kind = "failed"
    if coming is not None and (serving is None or tasks.index(coming) < tasks.index(serving)):
        kind = "way"
    elif serving is not None:
        kind = "old" if is_old(service, serving) else "new"
    label = key if newest.slot else world.swarm.node_name(newest.node) or "?"
    return Place(label, newest, serving, coming, kind)


def is_mixed(world: World, service: Service) -> bool:
    """Whether tasks of more than one version are alive."""
    alive = [task for task in world.swarm.tasks_of(service.id) if task.state not in ENDED]
    return len({is_old(service, task) for task in alive}) > 1


def version_before(world: World, service: Service) -> Task | None:
    """Return the newest task of an older version."""
    old = [task for task in world.swarm.tasks_of(service.id) if is_old(service, task)]
    return max(old, key=lambda task: task.created, default=None)


def is_rolling_back(service: Service) -> bool:
    """Whether the update is rolled back: the spec then has the previous version, and the update's is the old one."""
    return service.status.state.startswith("rollback")


@dataclass(frozen=True)
class Failed:
    """The tasks of the update's version that were created, and that failed, since it began. The engine compares
    `slots`, the slots with a failed task, to all of them (`of`): a slot that fails again counts once."""

    made: int
    failed: int
    slots: int
    of: int

    @property
    def ratio(self) -> float:
        """The ratio, 0 to 1, that the engine compares with the allowed one."""
        return self.slots / self.of if self.of else 0.0


def count_failed(world: World, service: Service, places: Sequence[Place]) -> Failed:
    """Return the results of the tasks of the update's version."""
    # The first task's timestamp may be just before that of the update.
    since, back = service.status.started - 1.0, is_rolling_back(service)
    made = [t for t in world.swarm.tasks_of(service.id) if is_old(service, t) == back and t.created >= since]
    broken = [task for task in made if task.state in BROKEN]
    return Failed(len(made), len(broken), len({t.key for t in broken}), max(len(places), service.desired))
