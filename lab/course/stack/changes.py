"""What differs between the world and a checkpoint's stacks, as actions. Pure.

A service that differs in more than its number, labels or pace goes first, and the deploy makes it anew; a deploy alone
does the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lab.course.actions import Action, DeployStack, Left, RemoveService, RemoveVolume
from lab.course.checkpoint import Checkpoint
from lab.course.compare import SOFT, change, networks, same
from lab.course.stack.spec import Expected
from lab.world.swarm import Service
from lab.world.world import World

Mine = Callable[[Service], bool]
#: An update in one of these states would go on, or hold up the next one.
_STUCK = frozenset({"paused", "rollback_paused"})


@dataclass(frozen=True)
class _Differences:
    """One stack beside the world: services there are, why some must be made anew, what else a deploy must do."""

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
    world: World, checkpoint: Checkpoint, expected: Mapping[str, Expected], env: Mapping[str, str], mine: Mine
) -> Iterator[Action | Left]:
    """What brings the stacks to what is expected of them, by their names. `mine` says of a service whether the lab
    may change it; a stack with one that it may not is left alone."""
    found = {name: _differences(world, each) for name, each in expected.items()}
    anew = _fresh(checkpoint, found)
    for place, (name, state) in enumerate(checkpoint.stacks.items()):
        differences = found[name]
        if not all(mine(service) for service in differences.there):
            yield from _left(name, differences)
            continue
        for service in differences.there:
            why = differences.hard.get(service.name) or anew.get(name)
            if why:
                yield RemoveService(service.id, service.name, why)
        if differences.any or name in anew:
            yield DeployStack(name, state.file, {**env, **state.env}, place)


def volume_changes(
    world: World, expected: Mapping[str, Expected], actions: Iterable[Action | Left]
) -> Iterator[RemoveVolume]:
    """The volumes that go with services that go, or that a deploy makes: what stands in them is of another time.
    Those that a service still uses stay."""
    removed = {a.id for a in actions if isinstance(a, RemoveService)}
    deployed = [expected[a.name] for a in actions if isinstance(a, DeployStack)]
    gone = {v for s in world.services.values() if s.id in removed for v in s.spec.volumes}
    gone |= {v for e in deployed for n, s in e.services.items() if world.service(n) is None for v in s.volumes}
    used = {v for s in world.services.values() if s.id not in removed for v in s.spec.volumes}
    yield from (RemoveVolume(name) for name in sorted(gone - used))


def _differences(world: World, expected: Expected) -> _Differences:
    hard: dict[str, str] = {}
    soft: dict[str, str] = {}
    there: list[Service] = []
    names = networks(world)
    for full, spec in expected.services.items():
        service = world.service(full)
        if service is None:
            continue
        there.append(service)
        differs = same(spec, service.spec, names)
        why = change(differs, service.spec, spec)
        if service.status.state in _STUCK:
            why = ", ".join(part for part in (why, "its update is stuck") if part)
            hard[full] = why
        elif differs:
            (soft if set(differs) <= SOFT else hard)[full] = why
    known = {(n.what, n.name) for n in world.named.values()}
    missing = tuple(full for full in expected.services if full not in {s.name for s in there})
    return _Differences(tuple(there), hard, soft, missing, bool(expected.makes - known))


def _fresh(checkpoint: Checkpoint, found: Mapping[str, _Differences]) -> Mapping[str, str]:
    """The stacks that are made anew only because another one is, and why."""
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


def _left(name: str, differences: _Differences) -> Iterator[Left]:
    for full, why in {**differences.soft, **differences.hard}.items():
        yield Left("service", full, f"differs ({why}), and its stack is not the lab's to deploy")
    if differences.missing or differences.lacks:
        yield Left("stack", name, "is not whole, and has services that are not the lab's to change")
