"""Tasks that run to completion: those of jobs, and of one-shots, whose restart policy lets a task stay complete. Counts
completed tasks as docker does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.world.swarm import STATES, Service, Task

if TYPE_CHECKING:
    from lab.world.swarm_state import Swarm

_PLACES = {state: place for place, state in enumerate(STATES)}


def may_end(swarm: Swarm, task: Task) -> bool:
    """Return whether a task that ends successfully has done what it should."""
    service = swarm.services.get(task.service)
    return task.desired == "complete" or (service is not None and service.restart != "any")


def count_completed(swarm: Swarm, service: Service) -> int:
    """Return how many of a service's tasks are complete for good: for a job, those of its current execution; for
    another service, the slots that will not be filled again."""
    if service.spec.is_job:
        return sum(task.state == "complete" for task in _find_deciding(swarm, service))
    if service.restart == "any" or service.spec.mode != "replicated":
        return 0
    keys = swarm.slots.get(service.id) or ()
    newest = (swarm.tasks[swarm.attempts[service.id, key][0]] for key in keys)
    return sum(task.state == "complete" for task in newest)


def count_wanted(swarm: Swarm, service: Service) -> int:
    """Return how many of a service's tasks should complete, 0 for a service that runs on. A global job has one task on
    each node assigned to it; the engine counts those that are not complete yet."""
    if service.spec.mode == "replicated-job":
        return service.total_completions
    return service.desired + count_completed(swarm, service) if service.spec.mode == "global-job" else 0


def count_owed(swarm: Swarm, service: Service) -> int:
    """Return how many of a service's tasks should run now, without those that are complete for good."""
    if service.spec.mode == "replicated-job":
        return max(0, min(service.desired, service.total_completions - count_completed(swarm, service)))
    return service.desired if service.spec.is_job else max(0, service.desired - count_completed(swarm, service))


def is_settled(swarm: Swarm, service: Service) -> bool:
    """Return whether a service has reached its desired state: a job has all its tasks complete, another service has its
    tasks running, except those that are complete for good."""
    if service.spec.mode == "global-job":
        found = [*_find_deciding(swarm, service)]
        return bool(found) and all(task.state == "complete" for task in found)
    if service.spec.mode == "replicated-job":
        return count_completed(swarm, service) >= service.total_completions
    running = swarm.running.get(service.id, 0)
    return running == service.desired or running == count_owed(swarm, service)


def _find_deciding(swarm: Swarm, service: Service) -> Iterator[Task]:
    """Yield the one task that counts in each slot of a job's current execution: the one in the earliest state, because
    a retry matters and the failures before it do not."""
    for key in swarm.slots.get(service.id) or ():
        tasks = [swarm.tasks[id] for id in swarm.attempts.get((service.id, key), ())]
        present = [task for task in tasks if task.iteration == service.iteration and task.state in _PLACES]
        if present:
            yield min(present, key=lambda task: _PLACES[task.state])
