"""The differences between the world and a checkpoint's stacks, as actions. Pure.

A service that differs in more than its replicas, labels or update settings is removed first, and the deploy recreates
it; a deploy alone does the rest. Where an update should be paused, there are two deploys: one that succeeds, and one
over it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from lab.compose.to_spec import Expected, Use
from lab.engine.labels import NAMESPACE
from lab.lesson.checkpoint import Checkpoint
from lab.lesson.stack_state import StackState
from lab.reset.actions import Action, DeployStack, RemoveService, RemoveVolume, Untouched
from lab.reset.compare import IN_PLACE, changed_fields, describe_changes, list_uses, networks
from lab.world.swarm import Service, ServiceSpec
from lab.world.world import World

Mine = Callable[[Service], bool]
#: An update in one of these states would continue, or block the next one.
_STUCK = frozenset({"paused", "rollback_paused"})


@dataclass(frozen=True)
class _Differences:
    """One stack compared with the world: its existing services, why some must be recreated, what else a deploy must
    do."""

    there: tuple[Service, ...]
    hard: Mapping[str, str]
    soft: Mapping[str, str]
    missing: tuple[str, ...]
    lacks: bool

    @property
    def anew(self) -> bool:
        return bool(self.hard or self.missing)

    @property
    def any(self) -> bool:
        return self.anew or bool(self.soft) or self.lacks


def stack_changes(
    world: World,
    checkpoint: Checkpoint,
    expected: Mapping[str, Expected],
    env: Mapping[str, str],
    mine: Mine,
    outdated: frozenset[Use],
) -> Iterator[Action | Untouched]:
    """Yield the actions that make the stacks match what is expected, by name. `mine` says whether the lab may change a
    service; a stack with one that it may not is left alone. `outdated` is what else is recreated, and so is what uses
    it."""
    stacks = checkpoint.stacks
    found = {
        name: _differences(world, name, expected[name], _firsts(name, state, env), outdated)
        for name, state in stacks.items()
    }
    anew = _find_recreated(checkpoint, found)
    # A Traefik that finds no certificate authority when it starts does not ask again until a route changes.
    leaned_on = {below for state in stacks.values() for below in state.fresh_with}
    for place, (name, state) in enumerate(stacks.items()):
        differences = found[name]
        if not all(mine(service) for service in differences.there):
            yield from _list_left(name, differences)
            continue
        for service in differences.there:
            why = differences.hard.get(service.name) or anew.get(name)
            if why:
                yield RemoveService(service.id, service.name, why)
        if differences.any or name in anew:
            if state.first is not None:
                yield DeployStack(name, state.files, {**env, **state.first}, place, state.services(name))
            awaited = state.services(name) if name in leaned_on else ()
            yield DeployStack(name, state.files, {**env, **state.env}, place, awaited)


def find_pausing(name: str, state: StackState) -> frozenset[str]:
    """Return the full names of the services whose update should be paused: the deploy over the first one replaces their
    tasks."""
    if state.first is None:
        return frozenset()
    first, now = state.first_outline(name).services, state.outline(name).services
    return frozenset(full for full, spec in now.items() if not set(changed_fields(first[full], spec, {})) <= IN_PLACE)


def volume_changes(
    world: World, expected: Mapping[str, Expected], actions: Iterable[Action | Untouched]
) -> Iterator[RemoveVolume]:
    """Yield the removal of the volumes of services that are removed, or that a deploy creates: their data is out of
    date. Volumes that a service still uses stay."""
    removed = {a.id for a in actions if isinstance(a, RemoveService)}
    deployed = [expected[a.name] for a in actions if isinstance(a, DeployStack)]
    gone = {v for s in world.swarm.services.values() if s.id in removed for v in s.spec.volumes}
    gone |= {v for e in deployed for n, s in e.services.items() if world.swarm.service(n) is None for v in s.volumes}
    used = {v for s in world.swarm.services.values() if s.id not in removed for v in s.spec.volumes}
    yield from (RemoveVolume(name) for name in sorted(gone - used))


def _firsts(name: str, state: StackState, env: Mapping[str, str]) -> Mapping[str, ServiceSpec]:
    """Return what the services whose update should be paused were before it."""
    waits = find_pausing(name, state)
    return {full: state.expect_first(name, env).services[full] for full in waits}


def _differences(
    world: World, stack: str, expected: Expected, firsts: Mapping[str, ServiceSpec], outdated: frozenset[Use]
) -> _Differences:
    hard: dict[str, str] = {}
    soft: dict[str, str] = {}
    there: list[Service] = []
    paused: list[str] = []
    names = networks(world)
    for full, spec in expected.services.items():
        service = world.swarm.service(full)
        if service is None:
            continue
        there.append(service)
        differs = changed_fields(spec, service.spec, names)
        why = describe_changes(differs, service.spec, spec)
        stuck = service.status.state in _STUCK
        wrong = [f"the {what} {name}" for what, name in sorted(outdated & list_uses(world, service))]
        if service.spec.labels.get(NAMESPACE) != stack:
            wrong.append("it is not of the stack")
        if wrong:
            hard[full] = ", ".join([*([why] if why else []), *wrong])
        elif full in firsts and not differs:
            if service.status.state == "paused":
                paused.append(full)
            else:
                hard[full] = "its update is not paused"
        elif full in firsts and not stuck and not changed_fields(firsts[full], service.spec, names):
            soft[full] = why  # As the first deploy leaves it: it need not be recreated.
        elif stuck:
            why = ", ".join(part for part in (why, "its update is stuck") if part)
            hard[full] = why
        elif differs:
            (soft if set(differs) <= IN_PLACE else hard)[full] = why
    known = {(n.what, n.name) for n in world.swarm.objects.values()}
    missing = tuple(full for full in expected.services if full not in {s.name for s in there})
    found = _Differences(tuple(there), hard, soft, missing, bool(expected.makes - (known - outdated)))
    # A first deploy over a paused update would continue that update.
    return replace(found, hard={**hard, **dict.fromkeys(paused, "with its stack")}) if found.any else found


def _find_recreated(checkpoint: Checkpoint, found: Mapping[str, _Differences]) -> Mapping[str, str]:
    """Return the stacks that are recreated only because another one is, and why."""
    anew = {name for name, differences in found.items() if differences.anew}
    why: dict[str, str] = {}
    while more := {
        name: other
        for name, state in checkpoint.stacks.items()
        for other in state.fresh_with
        if name not in why and other in anew
    }:
        why |= {name: f"with the stack {other}" for name, other in more.items()}
        anew |= more.keys()
    return why


def _list_left(name: str, differences: _Differences) -> Iterator[Untouched]:
    for full, why in {**differences.soft, **differences.hard}.items():
        yield Untouched("service", full, f"differs ({why}), and its stack is not the lab's to deploy")
    if differences.missing or differences.lacks:
        yield Untouched("stack", name, "is not whole, and has services that are not the lab's to change")
