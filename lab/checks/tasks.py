"""Checks on what happened to tasks since the step began."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from lab.checks.base import Baseline, Condition, Count, Outcome, Some
from lab.checks.replacements import replacement_times, replacements
from lab.checks.task_words import (
    count_tasks,
    describe_coming,
    describe_end,
    describe_replacement,
    describe_task,
    find_waits,
    has_moved,
)
from lab.schema.value import Name
from lab.text import summarize
from lab.world.swarm import ENDED, Task
from lab.world.world import World

_VERBS = {
    "pending": "had to wait for a node",
    "starting": "was starting",
    "running": "started",
    "complete": "completed",
    "shutdown": "was shut down",
    "failed": "failed",
    "rejected": "was rejected",
    "orphaned": "was orphaned",
}


class Happened(Condition):
    """Since the step began, tasks of a service have entered a state, optionally with an exit status or on a node."""

    kind = "event"
    example = "{service: web, task: failed, exit: 137}"

    service: Name
    task: Literal["pending", "starting", "running", "complete", "shutdown", "failed", "rejected", "orphaned"]
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    on: Name | None = None
    at_least: Some = 1

    @property
    def sentence(self) -> str:
        if self.at_least == 1:
            return f"a task of {self.service} {self._did}"
        return f"{self.at_least} tasks of {self.service} {self._did.replace('was ', 'were ')}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(False, f"there is no service {self.service}")
        fresh = [t for t in world.swarm.tasks_of(service.id) if t.state == self.task and has_moved(t, baseline.since)]
        fits = [t for t in fresh if self._fits(t, world)]
        if len(fits) >= self.at_least:
            return Outcome(True, summarize(self._describe(t, world) for t in fits))
        others = [
            t
            for t in world.swarm.tasks_of(service.id)
            if t not in fits and has_moved(t, baseline.since) and t.state in ENDED
        ]
        tail = f"; {summarize(describe_end(world, t) for t in others)}" if others else ""
        if self.task in ("running", "complete"):
            tail += "".join(f"; {coming}" for coming in describe_coming(world, service))
        why = f"no task of {self.service} {self._did} since the step began{tail}"
        if self.at_least > 1:
            why = f"{len(fits)} of {self.at_least} tasks of {self.service} {self._did} since{tail}"
        return Outcome(False, why, find_waits(world, service, why))

    @property
    def _did(self) -> str:
        """The past event of one such task: `failed (exit 137) on node2`."""
        exit = f" (exit {self.exit})" if self.exit is not None else ""
        where = f" on {self.on}" if self.on else ""
        return f"{_VERBS[self.task]}{exit}{where}"

    def _describe(self, task: Task, world: World) -> str:
        return describe_end(world, task) if task.state in ENDED else describe_task(world, task)

    def _fits(self, task: Task, world: World) -> bool:
        return self.exit in (None, task.exit) and (not self.on or world.swarm.node_name(task.node) == self.on)


class Replaced(Condition):
    """Since the step began, a task that ran (on a node) has ended, and a newer task in its slot runs."""

    kind = "event"
    example = "{service: web, on: node2, then_running: 4}"

    service: Name
    on: Name | None = None
    at_least: Some = 1
    then_running: Count | None = None
    """The number of tasks of the service that must then be running."""

    @property
    def sentence(self) -> str:
        where = f" on {self.on}" if self.on else ""
        who = f"a task of {self.service}" if self.at_least == 1 else f"{self.at_least} tasks of {self.service}"
        then = f", and {self.then_running} of {self.then_running} run again" if self.then_running else ""
        return f"{who}{where} {'was' if self.at_least == 1 else 'were'} replaced{then}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        service = world.swarm.service(self.service)
        if service is None:
            return Outcome(False, f"there is no service {self.service}")
        pairs = [
            p
            for p in replacements(baseline.since, world, service.id)
            if not self.on or world.swarm.node_name(p.old.node) == self.on
        ]
        live = len(world.swarm.live_tasks(service.id))
        whole = self.then_running is None or live == self.then_running
        done = [p for p in pairs if p.done]
        if len(done) >= self.at_least and whole:
            names = ", ".join(
                sorted(
                    {
                        f"{world.swarm.task_name(p.new)} now runs on {world.swarm.node_name(p.new.node)}"
                        for p in done
                        if p.new
                    }
                )
            )
            return Outcome(True, names)
        if len(done) >= self.at_least:
            why = count_tasks(world, service, live, self.then_running or 0)
            return Outcome(False, why, find_waits(world, service, why))
        going = [describe_replacement(world, p.old, p.new) for p in pairs if not p.done]
        if going:
            return Outcome(False, why := summarize(going), find_waits(world, service, why))
        where = f" on {self.on}" if self.on else ""
        ran = [
            t
            for t in baseline.since.swarm.live_tasks(service.id)
            if not self.on or baseline.since.swarm.node_name(t.node) == self.on
        ]
        if not ran:
            return Outcome(False, f"no task of {self.service} ran{where} when the step began")
        return Outcome(False, f"every task of {self.service}{where} that ran when the step began still does")

    def measure(self, world: World, baseline: Baseline) -> Iterable[str]:
        """Return how long each replacement took, one sentence each."""
        service = world.swarm.service(self.service)
        return () if service is None else replacement_times(baseline.since, world, service.id)
