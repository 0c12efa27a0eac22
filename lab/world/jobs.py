"""Tasks that come to an end by themselves: of jobs, and of one-shots, whose restart policy lets a task stay complete.
How many of them are done, counted as docker counts them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lab.world.swarm import STATES, Service, Task

if TYPE_CHECKING:
    from lab.world.swarm_state import Swarm

_PLACES = {state: place for place, state in enumerate(STATES)}


def may_end(swarm: Swarm, task: Task) -> bool:
    """Whether a task that comes to its end with success has done what it should."""
    service = swarm.services.get(task.service)
    return task.desired == "complete" or (service is not None and service.restart != "any")


def count_completed(swarm: Swarm, service: Service) -> int:
    """How many of a service's tasks are complete and stay so: of a job, those of its present execution; of another
    service, the slots that will not be filled again."""
    if service.spec.is_job:
        return sum(task.state == "complete" for task in _deciding(swarm, service))
    if service.restart == "any" or service.spec.mode != "replicated":
        return 0
    keys = swarm.slots.get(service.id) or ()
    newest = (swarm.tasks[swarm.attempts[service.id, key][0]] for key in keys)
    return sum(task.state == "complete" for task in newest)


def count_wanted(swarm: Swarm, service: Service) -> int:
    """How many of a service's tasks are to be complete, 0 for one that is to run on. A global job has one task on each
    node that it was given; its engine counts those that are not complete yet."""
    if service.spec.mode == "replicated-job":
        return service.total_completions
    return service.desired + count_completed(swarm, service) if service.spec.mode == "global-job" else 0


def owed(swarm: Swarm, service: Service) -> int:
    """How many of a service's tasks should run now, without those that are complete for good."""
    if service.spec.mode == "replicated-job":
        return max(0, min(service.desired, service.total_completions - count_completed(swarm, service)))
    return service.desired if service.spec.is_job else max(0, service.desired - count_completed(swarm, service))


def is_settled(swarm: Swarm, service: Service) -> bool:
    """Whether a service has what it should have: a job has all its tasks complete, another one has its tasks running,
    but for those that are complete and stay so."""
    if service.spec.mode == "global-job":
        found = [*_deciding(swarm, service)]
        return bool(found) and all(task.state == "complete" for task in found)
    if service.spec.mode == "replicated-job":
        return count_completed(swarm, service) >= service.total_completions
    running = swarm.running.get(service.id, 0)
    return running == service.desired or running == owed(swarm, service)


def _deciding(swarm: Swarm, service: Service) -> Iterator[Task]:
    """Of each slot of a job's present execution the one task that counts: the least far on, for what failed before it
    does not matter, and what is tried again does."""
    for key in swarm.slots.get(service.id) or ():
        tasks = [swarm.tasks[id] for id in swarm.attempts.get((service.id, key), ())]
        present = [task for task in tasks if task.iteration == service.iteration and task.state in _PLACES]
        if present:
            yield min(present, key=lambda task: _PLACES[task.state])
