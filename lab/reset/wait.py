"""Waiting until a world is as a checkpoint says: what is missing, in sentences, and at the bound."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from lab.errors import Cancelled, LabError, WaitError
from lab.lesson.checkpoint import Checkpoint, NodeState
from lab.reset.stacks import pausing
from lab.world.entries import Progressed
from lab.world.journal import Clock, Journal
from lab.world.swarm import ENDED
from lab.world.world import World

Missing = Callable[[World], Iterator[str]]
"""What a world lacks, in sentences."""

#: Seconds between two looks.
PAUSE = 1.0


class WaitContext(Protocol):
    """What waiting needs of the world outside; a part of `lab.reset.apply.ResetContext`."""

    journal: Journal

    def look(self) -> None:
        """See `StepDriver.look`."""

    def stopping(self) -> bool:
        """See `StepDriver.stopping`."""

    def powered_off(self) -> Collection[str]:
        """The nodes whose machines do not run, whoever ended them."""

    def refusing(self, port: int) -> list[str]:
        """The nodes that refuse a connection to a port published in the swarm; one that is not reached from this
        machine at all is not among them."""


@dataclass(frozen=True)
class Limits:
    """What every wait of a reset keeps to: at `end` on `clock`, which is `bound` seconds after its begin, it gives up;
    and when the machine of a node of `needed` ends meanwhile, a new plan is due."""

    bound: float
    end: float
    clock: Clock
    needed: frozenset[str] = frozenset()

    @property
    def left(self) -> float:
        """Seconds to the end."""
        return self.end - self.clock()


class MachinesEnded(LabError):
    """Machines that a reset needs ended while it was under way."""

    def __init__(self, nodes: Iterable[str]) -> None:
        self.nodes = tuple(sorted(nodes))
        super().__init__(f"the machine of {', '.join(self.nodes)} ended during the reset", remedy="swarmlab reset")


def find_unsettled(world: World, checkpoint: Checkpoint, *, made_by_lab: bool) -> Iterator[str]:
    """What the world still lacks of the checkpoint, in sentences; nothing when it is there."""
    nodes = {n.name for n in world.swarm.nodes.values()} | {*checkpoint.nodes} if made_by_lab else set()
    for name in sorted(nodes):
        node, wanted = world.swarm.node(name), checkpoint.nodes.get(name, NodeState())
        if (node is not None and node.state == "ready") is not (wanted.machine == "on"):
            yield f"{name} is {node.state if node else 'not in the swarm'}"
    for name, state in checkpoint.services.items():
        yield from _unsettled(world, name, state.spec.replicas if state.mode == "replicated" else None)
    for stack, each in checkpoint.stacks.items():
        waits = pausing(stack, each)
        for name in each.services(stack):
            yield from _not_paused(world, name) if name in waits else _unsettled(world, name)
    names = {*checkpoint.services, *checkpoint.stack_services}
    ids = {s.id for name in names if (s := world.swarm.service(name)) is not None}
    for task in world.swarm.tasks.values():
        node = world.swarm.nodes.get(task.node)
        leaves = task.service not in world.swarm.services or (
            task.service in ids and task.desired in ("shutdown", "remove")
        )
        if leaves and task.state not in ENDED and node is not None and node.state == "ready":
            yield f"{world.swarm.task_name(task)} still ends on {node.name}"


def _unsettled(world: World, name: str, replicas: int | None = None) -> Iterator[str]:
    """Of one service; a stack's number of replicas is what its deploy has said."""
    service = world.swarm.service(name)
    if service is None:
        yield f"there is no service {name}"
        return
    if service.spec.mode.endswith("-job"):  # Its tasks come to an end by themselves.
        return
    live = len(world.swarm.live_tasks(service.id))
    if service.spec.mode == "global" and not world.swarm.tasks_of(
        service.id
    ):  # The engine counts what it has made so far.
        yield f"no task of {name} was made yet"
    if live != service.desired or replicas not in (None, service.desired):
        yield f"{live} of {replicas or service.desired} tasks of {name} run"
    if service.status.state in ("updating", "rollback_started"):
        yield f"the update of {name} goes on"


def _not_paused(world: World, name: str) -> Iterator[str]:
    """Of a service whose update is to be found paused. How many of its tasks run then is as the failure left it."""
    service = world.swarm.service(name)
    if service is None:
        yield f"there is no service {name}"
    elif service.status.state != "paused":
        yield f"the update of {name} is {service.status.state.replace('_', ' ') or 'not begun'}, not paused"


def find_not_running(world: World, names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from _unsettled(world, name)


def wait_until_settled(
    lacks: Missing,
    context: WaitContext,
    limits: Limits,
    share: float = 0.9,
    wake: Callable[[World], bool] | None = None,
) -> None:
    """Wait until the world lacks nothing; `share` of the reset is done by then. `wake` says in which world to look
    again before the pause is over; by default in one that lacks nothing. Raises WaitError at the bound, and what
    `check` raises."""
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
    """A predicate for `Journal.wait` that looks only when the swarm changed."""

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
    """Wait until what these services publish is answered on every node that is ready: a program that has just been
    started runs before it listens."""
    # Nothing in the world tells of it: asking is not for every entry that comes.
    wait_until_settled(lambda world: _deaf(world, context, names), context, limits, share, lambda _: False)


def _deaf(world: World, context: WaitContext, names: Iterable[str]) -> Iterator[str]:
    ready = {node.name for node in world.swarm.nodes.values() if node.state == "ready"}
    for name in names:
        service = world.swarm.service(name)
        if service is None or not world.swarm.live_tasks(service.id):
            continue
        for port in service.spec.ports:
            if (port.protocol, port.mode) == ("tcp", "ingress"):
                away = [node for node in context.refusing(port.published) if node in ready]
                if away:
                    yield f"{name} does not answer on port {port.published} of {', '.join(away)}"


def check_interrupts(context: WaitContext, limits: Limits) -> None:
    """Raises Cancelled when the user asked to stop, MachinesEnded when machines that are needed do not run."""
    if context.stopping():
        raise Cancelled
    if ended := limits.needed.intersection(context.powered_off()):
        raise MachinesEnded(ended)
