"""Carrying a reset's actions out through an engine's API, and waiting until the world matches the checkpoint.

Deletes are idempotent, a create whose result already exists counts as done, an update that is out of sequence reads the
object again. Every wait is bounded, and reports at the bound what was missing.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

from lab.engine import encode
from lab.engine.labels import LABEL
from lab.errors import CommandError, EngineError, WaitError
from lab.lesson.checkpoint import Checkpoint, Content
from lab.reset.actions import (
    Action,
    CreateObject,
    CreateService,
    DeployStack,
    ForgetNode,
    LeaveSwarm,
    RemoveObject,
    RemoveService,
    RemoveVolume,
    SetNode,
    StartNode,
    StopNode,
    UpdateService,
)
from lab.reset.plan import find_misplaced
from lab.reset.settle import (
    PAUSE,
    Limits,
    WaitContext,
    check_interrupts,
    find_not_running,
    find_unsettled,
    wait_for_ports,
    wait_until_settled,
)
from lab.reset.stacks import find_pausing
from lab.world.entries import ActDone, Progressed
from lab.world.journal import Clock
from lab.world.swarm import ServiceSpec
from lab.world.world import World

Engine = Any
"""Docker's low-level client, `docker.APIClient` (half of its stubs are untyped, so they cannot be relied on)."""
#: Seconds within which everything must match the checkpoint.
BOUND = 420.0
#: Seconds to retry an action that is refused because something is still stopping.
PATIENCE = 60.0
#: How often a service is recreated when its tasks did not spread as they should.
_ROUNDS = 2


class ResetContext(WaitContext, Protocol):
    """What a reset needs from the outside world: `lab.run.driver.StepDriver`, and a manager's API."""

    def act(self, action: str, node: str) -> None:
        """See `StepDriver.act`."""

    def cut_off(self) -> Collection[str]:
        """Return the nodes that are disconnected from the nodes' own network, whatever the managers report."""

    def leave(self, node: str) -> None:
        """Have a node's engine leave whatever swarm it is in. Raises EngineError."""

    def engine(self) -> Engine:
        """Return the low-level client of a reachable manager. Raises EngineError when there is none."""

    def deploy(self, name: str, files: Sequence[str], env: Mapping[str, str]) -> None:
        """Run `docker stack deploy` on files below the stacks' folder, with these settings; services that they no
        longer name are removed. Raises CommandError with its output when it fails."""

    def remove_volume(self, name: str) -> None:
        """Remove a named volume from every node; do nothing when there is none. Raises CommandError or EngineError
        while it is in use."""

    def login(self) -> bytes:
        """Return the line of a users file for basic authentication: the lab's own user, and a hash of the password."""


def apply(
    actions: Iterable[Action],
    checkpoint: Checkpoint,
    context: ResetContext,
    *,
    made_by_lab: bool = True,
    bound: float = BOUND,
    clock: Clock = time.monotonic,
    needed: Collection[str] = (),
) -> None:
    """Carry out the actions in order, then wait until the cluster is at the checkpoint.

    Raises WaitError at `bound` seconds with what was missing, EngineError when an engine refuses or none answers,
    MachinesEnded when the machine of a node in `needed` ends meanwhile, Cancelled when the user asked to stop.
    """
    limits = Limits(bound, clock() + bound, clock, frozenset(needed))
    steps = tuple(actions)
    for number, action in enumerate(steps):
        check_interrupts(context, limits)
        share = number / (len(steps) + 1)
        context.journal.write(Progressed("reset", action.sentence, share))
        _do(action, context, limits)
        if isinstance(action, DeployStack) and action.awaited:
            wait_until_settled(partial(find_not_running, names=action.awaited), context, limits, share)
            wait_for_ports(action.awaited, context, limits, share)
    there = partial(find_unsettled, checkpoint=checkpoint, made_by_lab=made_by_lab)
    wait_until_settled(there, context, limits)
    for _ in range(_ROUNDS):
        again = tuple(_again(context.journal.world, checkpoint, made_by_lab))
        if not again:
            break
        for action in again:
            _do(action, context, limits)
        wait_until_settled(there, context, limits)
    paused = {name for stack, each in checkpoint.stacks.items() for name in find_pausing(stack, each)}
    wait_for_ports(sorted({*checkpoint.services, *checkpoint.stack_services} - paused), context, limits)


def _again(world: World, checkpoint: Checkpoint, made_by_lab: bool) -> Iterator[Action]:
    """Yield actions to recreate services whose tasks did not spread as they should: the scheduler then spreads them
    over all nodes."""
    for name in find_misplaced(world, checkpoint):
        service = world.swarm.service(name)
        if service is not None and (made_by_lab or LABEL in service.spec.labels):
            yield RemoveService(service.id, name, "its tasks did not spread")
            yield CreateService(name, checkpoint.services[name].spec)


def _do(action: Action, context: ResetContext, limits: Limits) -> None:
    match action:
        case StartNode():  # a node that is down may be off, or only cut off: the managers cannot tell which
            context.act("start", action.name)
            context.look()
            node = context.journal.world.swarm.node(action.name)
            if node is None or node.state != "ready" or action.name in context.cut_off():
                context.act("heal", action.name)
        case StopNode():
            context.act("stop", action.name)
        case DeployStack():
            context.journal.write(ActDone(f"reset: {action.sentence}"))
            _order(action.sentence, context, lambda: context.deploy(action.name, action.files, action.env), limits)
        case RemoveVolume():
            context.journal.write(ActDone(f"reset: {action.sentence}"))
            _order(action.sentence, context, lambda: context.remove_volume(action.name), limits)
        case _:
            context.journal.write(ActDone(f"reset: {action.sentence}"))
            if isinstance(action, LeaveSwarm):
                context.leave(action.name)
            _carry(action, context, lambda engine: _call(action, engine, context), limits)


def _call(action: Action, engine: Engine, context: ResetContext) -> None:
    match action:
        case SetNode():
            raw = engine.inspect_node(action.id)
            role = action.role or raw["Spec"]["Role"]
            spec = {"Availability": action.availability, "Role": role, "Labels": dict(action.labels)}
            if any(raw["Spec"].get(key) != value for key, value in spec.items()):
                engine.update_node(raw["ID"], raw["Version"]["Index"], {**raw["Spec"], **spec})
        case ForgetNode() | LeaveSwarm():
            raw = engine.inspect_node(action.id)
            # One of Raft's members is not removed, not even by force; one that is none is not demoted.
            if raw["Spec"]["Role"] == "manager" and raw.get("ManagerStatus"):
                engine.update_node(raw["ID"], raw["Version"]["Index"], {**raw["Spec"], "Role": "worker"})
            engine.remove_node(action.id, force=True)
        case RemoveService():
            engine.remove_service(action.id)
        case CreateService():
            engine.create_service(name=action.name, **encode.service_body(action.spec, _ids(action.spec, engine)))
        case UpdateService():
            _update(action, engine)
        case RemoveObject():
            _remove(action, engine)
        case CreateObject():
            _create(action, engine, context)


def _update(action: UpdateService, engine: Engine) -> None:
    raw = engine.inspect_service(action.id)
    spec = raw["Spec"]
    kept = {k: v for k, v in (spec.get("Labels") or {}).items() if k.startswith((LABEL, "com.docker."))}
    engine.update_service(
        action.id,
        raw["Version"]["Index"],
        name=action.name,
        task_template=spec["TaskTemplate"],
        labels={**action.spec.labels, **kept},
        mode=encode.service_mode(action.spec),
        update_config=encode.update_config(action.spec.update),
        endpoint_spec=spec.get("EndpointSpec"),
    )


def _remove(action: RemoveObject, engine: Engine) -> None:
    if action.what == "network":
        engine.remove_network(action.id)
    elif action.what == "secret":
        engine.remove_secret(action.id)
    else:
        engine.remove_config(action.id)


def _create(action: CreateObject, engine: Engine, context: ResetContext) -> None:
    labels = {LABEL: action.what}
    if action.what == "network":
        engine.create_network(action.name, driver="overlay", labels=labels, scope="swarm")
    elif action.what == "secret":
        engine.create_secret(action.name, _bytes(action.content, context), labels)
    else:
        engine.create_config(action.name, _bytes(action.content, context), labels)


def _bytes(content: Content | None, context: ResetContext) -> bytes:
    if content is not None and content.login:
        return context.login()
    if content is None or content.random:
        return secrets.token_hex(content.random if content and content.random else 16).encode()
    return (content.text or "").encode()


def _ids(spec: ServiceSpec, engine: Engine) -> dict[tuple[str, str], str]:
    """Return the ids of what a service is granted. Raises EngineError for one that does not exist."""
    found: dict[tuple[str, str], str] = {}
    for what, grants, ask in (("secret", spec.secrets, engine.secrets), ("config", spec.configs, engine.configs)):
        for grant in grants:
            named = [raw["ID"] for raw in ask(filters={"name": grant.source}) if raw["Spec"]["Name"] == grant.source]
            if not named:
                raise EngineError(f"there is no {what} {grant.source} for the service to be granted")
            found[what, grant.source] = named[0]
    return found


def _carry(action: Action, context: ResetContext, call: Callable[[Engine], None], limits: Limits) -> None:
    """Make a call until it succeeds: retry through another manager when one is silent, when the object changed in
    between, and while what uses it is still stopping."""
    import docker.errors  # slow to import: not before an engine is called
    import requests.exceptions

    what, done_when = action.sentence, getattr(action, "done_when", "")
    end = limits.clock() + PATIENCE
    while True:
        check_interrupts(context, limits)
        try:
            return call(context.engine())
        except docker.errors.NotFound as error:
            if done_when == "absent":
                return None
            refused = str(error.explanation or error)
        except docker.errors.APIError as error:
            refused = str(error.explanation or error)
            if done_when == "present" and any(words in refused for words in _THERE):
                return None
            if not any(words in refused for words in _PASSING):
                raise EngineError(f"the engine refused to {what}: {refused}") from error
        except requests.exceptions.RequestException as error:
            refused = f"no answer ({type(error).__name__})"
        if limits.clock() >= end:
            raise WaitError(f"the engine to {what}", PATIENCE, refused, remedy="swarmlab status")
        _breathe(context)


def _order(what: str, context: ResetContext, call: Callable[[], None], limits: Limits) -> None:
    """Run a command until it succeeds: retry while what it waits for is still stopping."""
    end = limits.clock() + PATIENCE
    while True:
        check_interrupts(context, limits)
        try:
            return call()
        except (CommandError, EngineError) as error:
            refused = error.output.strip() if isinstance(error, CommandError) else error.sentence
            if not _PASSES.search(refused):
                raise
        if limits.clock() >= end:
            raise WaitError(f"the engine to {what}", PATIENCE, refused, remedy="swarmlab status")
        _breathe(context)


#: What the engine says of an object that already exists, and of a refusal that is only temporary.
_THERE = ("already exists", "existing object")
_PASSING = (
    "update out of sequence",
    "is in use by",
    "has active endpoints",
    "is being removed",
    "not a leader",
    "does not have a leader",
    "deadline exceeded",
    "is not down and can't be removed",
    "already in use by service",
)
#: The same in a command's output. A network that was just removed is still known by its name (moby#29293).
_PASSES = re.compile(
    "|".join([*map(re.escape, _PASSING), r"network \S+ not found", "already in use", "name conflicts", "is in use"])
)


def _breathe(context: ResetContext) -> None:
    """Wait until the journal has something new, but only a moment at most."""
    count = context.journal.world.count
    context.journal.wait(lambda world: world.count > count, PAUSE)
