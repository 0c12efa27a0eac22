"""Waiting until a world matches a checkpoint, with what is missing in sentences, also at the bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lab.checks.task_words import count_tasks
from lab.errors import Cancelled, LabError, WaitError
from lab.lesson.checkpoint import Checkpoint, NodeState
from lab.reset.stacks import find_pausing
from lab.watch.threads import run_side_by_side
from lab.world.entries import Progressed
from lab.world.journal import Clock, Journal
from lab.world.swarm import ENDED
from lab.world.world import World

Missing = Callable[[World], Iterator[str]]
"""A function that yields what a world lacks, in sentences."""

#: Seconds between two looks.
PAUSE = 1.0


class WaitContext(Protocol):
    """What waiting needs from the outside world; a part of `lab.reset.apply.ResetContext`."""

    journal: Journal

    def look(self) -> None:
        """See `StepDriver.look`."""

    def is_stopping(self) -> bool:
        """See `StepDriver.is_stopping`."""

    def powered_off(self) -> Collection[str]:
        """Return the nodes whose machines are not running, however they ended."""

    def list_refusing(self, port: int) -> list[str]:
        """Return the nodes that refuse a connection to a port published in the swarm, without those that cannot be
        reached from this machine at all."""


@dataclass(frozen=True)
class Limits:
    """The limits of every wait of a reset: it gives up at `end` on `clock`, `bound` seconds after the reset's start;
    when the machine of a node in `needed` ends meanwhile, a new plan is due."""

    bound: float
    end: float
    clock: Clock
    needed: frozenset[str] = frozenset()

    @property
    def left(self) -> float:
        """Seconds left until `end`."""
        return self.end - self.clock()


class MachinesEnded(LabError):
    """Machines that a reset needs ended while it was under way."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self.nodes = tuple(sorted(nodes))
        super().__init__(f"the machine of {', '.join(self.nodes)} ended during the reset", remedy="swarmlab reset")


def find_unsettled(world: World, checkpoint: Checkpoint, *, made_by_lab: bool) -> Iterator[str]:
    """Yield what the world still lacks of the checkpoint, in sentences; nothing when it matches."""
    nodes = {n.name for n in world.swarm.nodes.values()} | {*checkpoint.nodes} if made_by_lab else set()
    for name in sorted(nodes):
        node, wanted = world.swarm.node(name), checkpoint.nodes.get(name, NodeState())
        if (node is not None and node.state == "ready") is not (wanted.machine == "on" and wanted.in_swarm):
            yield f"{name} is {node.state if node else 'not in the swarm'}"
    for name, state in checkpoint.services.items():
        if state.running is not None:
            yield from _not_as_far(world, name, state.running)
        else:
            yield from _find_unsettled(world, name, state.spec.replicas if state.mode == "replicated" else None)
    for stack, each in checkpoint.stacks.items():
        waits = find_pausing(stack, each)
        for name in each.services(stack):
            if name in each.pending_services(stack):
                yield from _not_as_far(world, name, 0)
            else:
                yield from _not_paused(world, name) if name in waits else _find_unsettled(world, name)
    names = {*checkpoint.services, *checkpoint.stack_services}
    ids = {s.id for name in names if (s := world.swarm.service(name)) is not None}
    for task in world.swarm.tasks.values():
        node = world.swarm.nodes.get(task.node)
        leaves = task.service not in world.swarm.services or (
            task.service in ids and task.desired in ("shutdown", "remove")
        )
        if task.state in ENDED or node is None or node.state != "ready":
            continue
        if leaves:
            yield f"{world.swarm.task_name(task)} still ends on {node.name}"
        elif task.service in ids and node.availability == "drain":  # The scheduler has not come round to it.
            yield f"{world.swarm.task_name(task)} still runs on {node.name}, which is drained"


def _not_as_far(world: World, name: str, running: int) -> Iterator[str]:
    """Yield what is missing of a service of which only so many tasks can run, or what runs too many."""
    service = world.swarm.service(name)
    live = 0 if service is None else len(world.swarm.live_tasks(service.id))
    if service is None or live != running:
        yield f"{live} tasks of {name} run, not {running}" if service else f"there is no service {name}"


def _find_unsettled(world: World, name: str, replicas: int | None = None) -> Iterator[str]:
    """Yield what one service lacks; for a stack, the number of replicas is what its deploy set."""
    service = world.swarm.service(name)
    if service is None:
        yield f"there is no service {name}"
        return
    if service.spec.mode.endswith("-job"):  # Its tasks end on their own.
        return
    live = len(world.swarm.live_tasks(service.id))
    if service.spec.mode == "global" and not world.swarm.tasks_of(
        service.id
    ):  # The engine counts what it has created so far.
        yield f"no task of {name} was made yet"
    if live != service.desired or replicas not in (None, service.desired):
        yield count_tasks(world, service, live, replicas or service.desired)
    if service.status.state in ("updating", "rollback_started"):
        yield f"the update of {name} goes on"


def _not_paused(world: World, name: str) -> Iterator[str]:
    """Yield what is wrong unless a service's update is paused. How many of its tasks run then depends on the
    failure."""
    service = world.swarm.service(name)
    if service is None:
        yield f"there is no service {name}"
    elif service.status.state != "paused":
        yield f"the update of {name} is {service.status.state.replace('_', ' ') or 'not begun'}, not paused"


def find_not_running(world: World, names: Iterable[str]) -> Iterator[str]:
    """Yield, in sentences, which of these services do not have the tasks that they want, or are being updated."""
    for name in names:
        yield from _find_unsettled(world, name)


def wait_until_settled(
    lacks: Missing,
    context: WaitContext,
    limits: Limits,
    share: float = 0.9,
    wake: Callable[[World], bool] | None = None,
) -> None:
    """Wait until the world lacks nothing, reporting `share` as the part of the reset that is done. `wake` says for
    which world to look again before the pause is over; by default for one that lacks nothing. Raises WaitError at the
    bound, and what `check_interrupts` raises."""
    told = ""
    while True:
        check_interrupts(context, limits)
        context.look()
        missing = list(lacks(context.journal.world))
        if not missing:
            return
        if limits.left <= 0:
            log = "; ".join(missing[:5])
            raise WaitError("the cluster to be at the checkpoint", limits.bound, log, remedy="swarmlab reset")
        if missing[0] != told:
            told = missing[0]
            context.journal.write(Progressed("reset", f"waiting: {told}", share))
        context.journal.wait(wake or _Settled(lacks), max(0.0, min(PAUSE, limits.left)))


class _Settled:
    """A predicate for `Journal.wait` that evaluates only when the swarm has changed."""

    def __init__(self, lacks: Missing) -> None:
        self._lacks = lacks
        self._seen: tuple[object, ...] = ()
        self._answer = False

    def __call__(self, world: World) -> bool:
        seen = (world.swarm.nodes, world.swarm.services, world.swarm.tasks)
        if len(self._seen) != len(seen) or any(a is not b for a, b in zip(seen, self._seen, strict=True)):
            self._seen = seen
            self._answer = not any(self._lacks(world))
        return self._answer


def wait_for_ports(names: Iterable[str], context: WaitContext, limits: Limits, share: float = 0.95) -> None:
    """Wait until the ports that these services publish answer on every ready node: a program that has just started runs
    before it listens."""
    # The world does not show this: do not ask again for every new journal entry.
    wait_until_settled(lambda world: _deaf(world, context, names), context, limits, share, lambda _: False)


def _deaf(world: World, context: WaitContext, names: Iterable[str]) -> Iterator[str]:
    ready = {node.name for node in world.swarm.nodes.values() if node.state == "ready"}
    published = [
        (name, port.published)
        for name in names
        if (service := world.swarm.service(name)) is not None and world.swarm.live_tasks(service.id)
        for port in service.spec.ports
        if (port.protocol, port.mode) == ("tcp", "ingress")
    ]
    refusing = run_side_by_side(lambda one: context.list_refusing(one[1]), published)
    for (name, port), nodes in zip(published, refusing, strict=True):
        if away := [node for node in nodes if node in ready]:
            yield f"{name} does not answer on port {port} of {', '.join(away)}"


def check_interrupts(context: WaitContext, limits: Limits) -> None:
    """Raise Cancelled when the user asked to stop, MachinesEnded when needed machines are not running."""
    if context.is_stopping():
        raise Cancelled
    if ended := limits.needed.intersection(context.powered_off()):
        raise MachinesEnded(ended)
