"""Checks on services: how many tasks run, how they are declared, updated and placed."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Count, Outcome, Some
from lab.checks.task_words import count_tasks, describe_coming, describe_stopping, find_update, find_waits
from lab.schema.value import Name, one_of
from lab.text import count_of, either, summarize
from lab.world.manager_clock import clock_ahead
from lab.world.waiting import Waiting
from lab.world.world import World


class Running(Condition):
    """A number of tasks of a service are running and should be: `exactly` that many, or `at_least`."""

    example = "{service: web, exactly: 3}"

    service: Name
    exactly: Count | None = None
    at_least: Some | None = None

    @model_validator(mode="after")
    def _one(self) -> Running:
        if (self.exactly is None) == (self.at_least is None):
            raise ValueError("needs exactly one of exactly, at_least")
        return self

    @property
    def sentence(self) -> str:
        if self.exactly is None:
            return f"at least {count_of(self.at_least or 0, 'task')} of {self.service} {_verb(self.at_least, 'run')}"
        if not self.exactly:
            return f"no task of {self.service} runs"
        return f"{count_of(self.exactly, 'task')} of {self.service} {_verb(self.exactly, 'run')}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(self.exactly == 0, f"there is no service {self.service}")
        live = len(world.swarm.live_tasks(service.id))
        leaving = [] if self.exactly is None else list(describe_stopping(world, service))
        if self.exactly is None:
            why = count_tasks(world, service, live, max(self.at_least or 0, service.desired))
            return Outcome(live >= (self.at_least or 0), why, find_waits(world, service, why))
        if live == self.exactly == service.desired and not leaving:
            return Outcome(True, count_tasks(world, service, live, self.exactly))
        if live == self.exactly and service.desired == live:
            return Outcome(False, f"{live} tasks of {service.name} run; {summarize(leaving)}")
        if live == self.exactly:
            return Outcome(False, f"{live} tasks of {service.name} run, but {service.desired} are wanted")
        why = count_tasks(world, service, live, self.exactly)
        return Outcome(False, why, find_waits(world, service, why))


class Steady(Condition):
    """The tasks that a service wants have all run for this many seconds, and none is being replaced."""

    example = "{service: web, seconds: 20}"

    service: Name
    seconds: Annotated[int, Field(ge=1, le=600)]

    @property
    def sentence(self) -> str:
        return f"the tasks of {self.service} have all run for {count_of(self.seconds, 'second')}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(False, f"there is no service {self.service}")
        live = world.swarm.live_tasks(service.id)
        if not live or len(live) != service.desired:
            why = count_tasks(world, service, len(live), service.desired)
            return Outcome(False, why, find_waits(world, service, why))
        if leaving := list(describe_stopping(world, service)):
            return Outcome(False, summarize(leaving))
        newest = max(live, key=lambda task: task.changed)
        since = newest.changed - clock_ahead(world)
        text = f"{world.swarm.task_name(newest)}, the newest, has run"
        return Outcome(world.at - since >= self.seconds, text, (Waiting(text, since, newest.id),))


class ServiceIs(Condition):
    """A service exists with these settings, or is absent."""

    example = "{name: web, replicas: 3}"

    name: Name
    absent: bool = False
    replicas: Count | None = None
    image: Name | None = None
    constraint: Name | None = None
    failure_action: Literal["pause", "continue", "rollback"] | None = None
    """What happens when an update of it fails."""
    monitor: Some | None = None
    """The least number of seconds for which an update watches each new task."""
    update: (
        Literal["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"] | None
    ) = None

    @model_validator(mode="after")
    def _sane(self) -> ServiceIs:
        if self.absent and self.model_fields_set - {"name", "absent"}:
            raise ValueError("absent goes with no other key")
        return self

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"there is no service {self.name}"
        asks = [
            f"wants {count_of(self.replicas, 'replica')}" if self.replicas is not None else "",
            f"has the image {self.image}" if self.image else "",
            f"has the constraint {self.constraint}" if self.constraint else "",
            f"has the failure action {self.failure_action}" if self.failure_action else "",
            f"watches new tasks for {count_of(self.monitor, 'second')}" if self.monitor else "",
            f"has its update {self.update.replace('_', ' ')}" if self.update else "",
        ]
        return f"service {self.name} " + (" and ".join(a for a in asks if a) or "exists")

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        service = world.swarm.service(self.name)
        if service is None:
            return Outcome(self.absent, f"there is no service {self.name}")
        if self.absent:
            return Outcome(
                False, f"service {self.name} is there, with {len(world.swarm.live_tasks(service.id))} running tasks"
            )
        state, policy = service.status.state.replace("_", " ") or "not updated yet", service.spec.update
        wrong = [
            f"{self.name} wants {count_of(service.desired, 'replica')}, not {self.replicas}"
            if self.replicas not in (None, service.desired)
            else "",
            f"{self.name} has the image {service.spec.image}, not {self.image}"
            if self.image not in (None, service.spec.image)
            else "",
            f"{self.name} has the constraints {', '.join(service.spec.constraints) or 'none'}, not {self.constraint}"
            if self.constraint is not None and _bare(self.constraint) not in map(_bare, service.spec.constraints)
            else "",
            f"{self.name} has the failure action {policy.failure_action}, not {self.failure_action}"
            if self.failure_action not in (None, policy.failure_action)
            else "",
            f"{self.name} watches new tasks for {policy.monitor:g} s, not for {self.monitor} s"
            if self.monitor is not None and policy.monitor < self.monitor
            else "",
            f"{self.name} is {state}" + (f": {service.status.message}" if service.status.message else "")
            if self.update not in (None, service.status.state)
            else "",
        ]
        said = [w for w in wrong if w]
        waits = find_update(world, service, f"{self.name} is {state}")
        right = f"{self.name} wants {count_of(service.desired, 'replica')} of {service.spec.image}"
        return Outcome(not said, summarize(said) if said else right + (f"; {state}" if self.update else ""), waits)


def _bare(constraint: str) -> str:
    """Return a constraint without its spaces, which mean nothing."""
    return "".join(constraint.split())


class Updated(Condition):
    """Since the step began, an update of a service has reached this state."""

    kind = "event"
    example = "{service: web, state: completed}"

    service: Name
    state: Literal["completed", "paused", "rollback_completed", "rollback_paused"]
    whole: bool = False
    """Only an update that also began since then."""

    @property
    def sentence(self) -> str:
        came = {
            "completed": "has been updated",
            "paused": "has its update paused",
            "rollback_completed": "has been rolled back",
            "rollback_paused": "has its rollback paused",
        }
        return f"{self.service} {came[self.state]}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(False, f"there is no service {self.service}")
        before, now = baseline.since.swarm.services.get(service.id), service.status
        if not now.state or (before is not None and before.status == now):
            return Outcome(False, f"no update of {self.service} since the step began")
        if self.whole and before is not None and before.status.started == now.started:
            return Outcome(False, f"the update of {self.service} was under way when the step began")
        head = f"{self.service}: {now.state.replace('_', ' ')}"
        told = head + (f" ({now.message})" if now.message else "")
        return Outcome(now.state == self.state, told, find_update(world, service, head))


class Placed(Condition):
    """Where the running tasks of a service are: only on nodes with a role, only on these nodes, on at least a number of
    nodes, on every node, or how many on each."""

    example = "{service: web, role: manager}"

    service: Name
    role: Literal["manager", "worker"] | None = None
    nodes: tuple[Name, ...] = ()
    at_least: Some | None = None
    """A number of nodes, not of tasks."""
    every_node: bool = False
    """Every node that is ready and active."""
    spread: Annotated[tuple[Some, ...], Field(max_length=50)] = ()
    """How many tasks each node that runs any has, in any order: `[2, 2, 1, 1]`."""

    @model_validator(mode="after")
    def _one(self) -> Placed:
        one_of(self, "role", "nodes", "at_least", "every_node", "spread")
        return self

    @property
    def sentence(self) -> str:
        if self.role:
            return f"{self.service} runs on {self.role}s only"
        if self.nodes:
            return f"{self.service} runs on {either(self.nodes)} only"
        if self.at_least:
            return f"{self.service} runs on at least {count_of(self.at_least, 'node')}"
        if self.spread:
            many = ", ".join(map(str, self.spread))
            return f"{self.service} runs {many} tasks on {count_of(len(self.spread), 'node')}"
        return f"{self.service} runs on every node"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(False, f"there is no service {self.service}")
        live = world.swarm.live_tasks(service.id)
        if not live:
            why = "; ".join([f"no task of {self.service} runs", *describe_coming(world, service)])
            return Outcome(False, why, find_waits(world, service, why))
        ids = {t.node for t in live}
        here = ", ".join(
            f"{n} {sum(t.node == i for t in live)}" for n, i in sorted((world.swarm.node_name(i), i) for i in ids)
        )
        why, coming = f"tasks of {self.service} by node: {here}", describe_coming(world, service)
        if self.role:
            wrong = sorted(
                {
                    world.swarm.node_name(i)
                    for i in ids
                    if (n := world.swarm.nodes.get(i)) is None or n.role != self.role
                }
            )
            return Outcome(not wrong, why + (f"; no {self.role}: {', '.join(wrong)}" if wrong else ""))
        if self.nodes:
            wrong = sorted({world.swarm.node_name(i) for i in ids} - set(self.nodes))
            return Outcome(not wrong, why + (f"; {', '.join(wrong)} should have none" if wrong else ""))
        if self.at_least:
            ok = len(ids) >= self.at_least
            why = "; ".join([f"{why}; that is {count_of(len(ids), 'node')}", *(() if ok else coming)])
            return Outcome(ok, why, find_waits(world, service, why))
        if self.spread:
            ok = sorted(self.spread) == sorted(sum(t.node == i for t in live) for i in ids)
            why = "; ".join([why, *(() if ok else coming)])
            return Outcome(ok, why, find_waits(world, service, why))
        idle = sorted(
            n.name for n in world.swarm.nodes.values() if _takes_tasks(n.state, n.availability) and n.id not in ids
        )
        why = "; ".join([why, f"none on {', '.join(idle)}", *coming]) if idle else why
        return Outcome(not idle, why, find_waits(world, service, why))


def _verb(count: int | None, word: str) -> str:
    return word + "s" if count == 1 else word


def _takes_tasks(state: str, availability: str) -> bool:
    return state == "ready" and availability == "active"
