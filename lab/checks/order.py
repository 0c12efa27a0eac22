"""A check on the order in which things came to pass since the step began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field, model_validator

from lab.checks.base import Baseline, Condition, Outcome
from lab.checks.replacements import new_changes
from lab.schema.value import Name, Value, one_of
from lab.text import summarize
from lab.world.world import Change, World

_KINDS = {"running": {"task-runs"}, "ended": {"task-ended", "task-died"}}


class Event(Value):
    """Something that comes to pass: a task of a service is assigned, runs or has ended, or a node is down."""

    service: Name | None = None
    """A service, whose `task` it is."""
    task: Literal["assigned", "running", "ended"] | None = None
    """What becomes of the task."""
    on: Name | None = None
    """Only a task on this node."""
    down: Name | None = None
    """A node that the managers call down."""

    @model_validator(mode="after")
    def _one(self) -> Event:
        if one_of(self, "service", "down") == "service":
            if self.task is None:
                raise ValueError("needs task: assigned, running or ended")
        elif self.task or self.on:
            raise ValueError("task and on go with service, not with down")
        return self

    @property
    def words(self) -> str:
        """The event as a clause: `a task of web has ended on node4`."""
        if self.down:
            return f"{self.down} is down"
        verb = {"assigned": "is assigned", "running": "runs", "ended": "has ended"}[self.task or ""]
        return f"a task of {self.service} {verb}{f' on {self.on}' if self.on else ''}"


class Order(Condition):
    """Since the step began, these events came in this order, in every slot that had all of them. What one look at the
    swarm shows together is taken to be in order."""

    kind = "event"
    example = "{events: [{down: node4}, {service: web, task: assigned}]}"

    events: Annotated[tuple[Event, ...], Field(min_length=2, max_length=6)]

    @property
    def sentence(self) -> str:
        return "in this order: " + ", then ".join(event.words for event in self.events)

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        lines = new_changes(baseline.since, world)
        seen = [dict(_times(event, lines, world, baseline.since)) for event in self.events]
        for event, times in zip(self.events, seen, strict=True):
            if not times:
                return Outcome(False, f"not seen since the step began: {event.words}")
        of_tasks = [set(times) for times in seen if "" not in times]
        slots = set.intersection(*of_tasks) if of_tasks else {""}
        if not slots:
            return Outcome(False, "no slot had all of it")
        wrong = [said for slot in sorted(slots) if (said := self._find_too_early(slot, seen))]
        return Outcome(not wrong, summarize(wrong) if wrong else self.sentence)

    def _find_too_early(self, slot: str, seen: list[dict[str, float]]) -> str:
        """Return what came too early in a slot; "" when it was all in order."""
        at = [times.get(slot, times.get("", 0.0)) for times in seen]
        where = f" (slot {slot})" if slot else ""
        return next(
            (
                f"{self.events[n].words}{where} {at[n - 1] - at[n]:.1f} s before {self.events[n - 1].words}"
                for n in range(1, len(at))
                if at[n] < at[n - 1]
            ),
            "",
        )


def _times(event: Event, lines: Iterable[Change], world: World, since: World) -> Iterator[tuple[str, float]]:
    """Yield when an event was first seen, by the slot of its service ("" for a node), the first one last."""
    if event.down:
        yield from (("", c.at) for c in reversed([*lines]) if c.kind == "node-down" and _node(c, world) == event.down)
        return
    service = world.swarm.service(event.service or "")
    for change in reversed([*lines]):
        task = world.swarm.tasks.get(change.task)
        if (
            task is None
            or service is None
            or change.service != service.id
            or event.on not in (None, _node(change, world))
        ):
            continue
        # A task that is new has been assigned by the time of its first line, whatever that says.
        if change.kind in _KINDS.get(event.task or "", ()) or (
            event.task == "assigned" and task.id not in since.swarm.tasks
        ):
            yield task.key, change.at


def _node(change: Change, world: World) -> str:
    return world.swarm.node_name(change.node)
