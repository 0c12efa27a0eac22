"""Task replacements between two worlds: which task replaced which, and how long that took."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from lab.world.swarm import ENDED, WANTED, Task
from lab.world.world import Change, World


@dataclass(frozen=True, slots=True)
class Replacement:
    """A task that ran and has ended (or is to end), and the newest task in its slot, None until it is created."""

    old: Task
    new: Task | None

    @property
    def done(self) -> bool:
        """Whether the newer task is running."""
        return self.new is not None and self.new.live


def replacements(since: World, world: World, service: str) -> Iterator[Replacement]:
    """Yield the replacement of each task of the service (by id) that ran in `since` and should no longer run.

    A slot that is gone (scaled down) has no replacement. The task of a node that is down or left counts as ended when
    the managers want it to end, since its own report cannot arrive.
    """
    for old in since.swarm.live_tasks(service):
        now = world.swarm.tasks.get(old.id)
        if now is not None and now.state not in ENDED and now.desired in WANTED:
            continue
        newer = [
            world.swarm.tasks[t] for t in world.swarm.attempts.get((service, old.key), ()) if t not in since.swarm.tasks
        ]
        if now is None and not newer:
            continue
        yield Replacement(now or old, newer[0] if newer else None)


def replacement_times(since: World, world: World, service: str) -> Iterator[str]:
    """Yield `web.3 was replaced 7.4 s after it failed (exit 137) on node2; it now runs on node1`, per replaced task.

    Measured on the journal's time axis, from the first report of the end (an engine's event, else the managers' report,
    else the word that its node is down or left) to the report that the new task runs. The precision depends on the
    polling interval, not on a guest's clock.
    """
    for pair in replacements(since, world, service):
        if not pair.done or pair.new is None:
            continue
        began, ended = _end_seen(since, world, pair.old), _runs_seen(since, world, pair.new)
        if began is None or ended is None:
            continue
        exit = f" (exit {pair.old.exit})" if pair.old.exit else ""
        where = since.swarm.node_name(pair.old.node)
        ends = {
            "failed": f"it failed{exit} on {where}",
            "shutdown": f"it was shut down on {where}",
            "complete": f"it completed on {where}",
            "rejected": f"{where} rejected it",
        }
        gone = {"node-down": f"{where} was down", "node-left": f"{where} left the swarm"}
        node = next((gone[c.kind] for c in _node_ends(since, world, pair.old)), f"it was to end on {where}")
        yield (
            f"{world.swarm.task_name(pair.new)} was replaced {max(0.0, ended - began):.1f} s after "
            f"{ends.get(pair.old.state, node)}; it now runs on {world.swarm.node_name(pair.new.node)}"
        )


def _end_seen(since: World, world: World, task: Task) -> float | None:
    if task.id in world.swarm.died and task.id not in since.swarm.died:
        return world.swarm.died[task.id]
    said = [c.at for c in new_changes(since, world) if c.task == task.id]
    return next(iter([*said, *(c.at for c in _node_ends(since, world, task))]), None)


def _node_ends(since: World, world: World, task: Task) -> list[Change]:
    """Return the lines that say that the task's node is down or has left."""
    ends = ("node-down", "node-left")
    return [change for change in new_changes(since, world) if change.node == task.node and change.kind in ends]


def _runs_seen(since: World, world: World, task: Task) -> float | None:
    return next((c.at for c in new_changes(since, world) if c.task == task.id and c.kind == "task-runs"), None)


def new_changes(since: World, world: World) -> list[Change]:
    """Return the timeline's lines since then, oldest first."""
    last = since.changes[-1] if since.changes else None
    return list(reversed(list(takewhile(lambda change: change is not last, reversed(world.changes)))))
