"""The differences between the world and a checkpoint, as actions in an order that works. Pure.

On a cluster that the lab made, what the checkpoint does not name is removed, whoever created it. On any other, only
what has the lab's label or an id recorded as the lab's is ever removed or changed, and no node is touched; the
differences that remain are returned as `Untouched`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from lab.compose.to_spec import Expected, Use
from lab.engine.labels import LABEL, NAMESPACE
from lab.lesson.checkpoint import Checkpoint, Content, NodeState
from lab.reset.actions import (
    Action,
    CreateObject,
    CreateService,
    ForgetNode,
    LeaveSwarm,
    Plan,
    RemoveObject,
    RemoveService,
    SetNode,
    StartNode,
    StopNode,
    Untouched,
    UpdateService,
    sort_key,
)
from lab.reset.compare import IN_PLACE, changed_fields, describe_changes, list_uses, networks
from lab.reset.stacks import stack_changes, volume_changes
from lab.world.swarm import ENDED, WANTED, Node, Service, SwarmObject, fingerprint
from lab.world.world import World

_OWN_NETWORKS = frozenset({"ingress", "docker_gwbridge"})


def plan(
    world: World,
    checkpoint: Checkpoint,
    *,
    made_by_lab: bool,
    ours: frozenset[str] = frozenset(),
    env: Mapping[str, str] | None = None,
    off: Collection[str] = (),
    roles: Mapping[str, str] | None = None,
    outdated_volumes: Collection[str] = (),
) -> Plan:
    """Return the plan from the world to the checkpoint. `ours` are ids of what lesson steps created, `env` this
    machine's settings for stack files, `off` the nodes whose machines do not run or are cut off from the others,
    whatever the managers report. `roles` are those of the cluster's own nodes, by name, where the checkpoint names
    none. `outdated_volumes` are those whose contents are of no use any more: on a cluster that the lab made, the
    stacks' services that use them are recreated with empty ones.

    Raises InputError when a stack file needs a setting that is missing."""

    def mine(id: str, labels: Mapping[str, str]) -> bool:
        return made_by_lab or id in ours or LABEL in labels

    settings = env or {}
    # The stack files have the same default.
    domain = settings.get("DOMAIN") or "localhost"
    named = {name: state.with_domain(domain) for name, state in checkpoint.services.items()}
    checkpoint = checkpoint.model_copy(update={"services": named})
    expected = {name: state.expect(name, settings) for name, state in checkpoint.stacks.items()}
    in_stacks = {name for each in expected.values() for name in each.services}
    kept = {(what, name) for what, things in _list_wanted(checkpoint).items() for name in things}
    stacks = checkpoint.stacks.items()
    firsts = {name: state.expect_first(name, settings) for name, state in stacks if state.first is not None}
    deploys = [*expected.items(), *firsts.items()]
    kept = kept.union(*(each.makes for _, each in deploys))
    services = [s for s in world.swarm.services.values() if s.name not in in_stacks]
    stay = {s.name for s in world.swarm.services.values() if not mine(s.id, s.spec.labels)}
    # A stack with a service that is not the lab's is left alone entirely.
    stay |= {full for each in expected.values() if stay & each.services.keys() for full in each.services}
    used = {use for s in world.swarm.services.values() if s.name in stay for use in list_uses(world, s)}
    outdated = _find_outdated(world, checkpoint, deploys)
    anew: frozenset[Use] = frozenset((n.what, n.name) for n, _ in outdated if mine(n.id, n.labels)) - used
    if made_by_lab:
        anew |= {("volume", name) for name in outdated_volumes}
    found = [
        *_nodes(world, checkpoint, made_by_lab, off, roles or {}),
        *(a for s in services for a in _service(world, checkpoint, s, mine(s.id, s.spec.labels), anew)),
        *_new_services(world, checkpoint),
        *stack_changes(world, checkpoint, expected, settings, lambda s: mine(s.id, s.spec.labels), anew),
        *(a for n in world.swarm.objects.values() for a in _plan_object(n, mine(n.id, n.labels), kept, used)),
        *(_renew(n, why, (n.what, n.name) in anew) for n, why in outdated),
        *_new_named(world, checkpoint, anew),
    ]
    if made_by_lab:  # Volumes hold data: those on any other cluster are not the lab's.
        found += volume_changes(world, expected, found)
    actions = sorted((a for a in found if not isinstance(a, Untouched)), key=sort_key)
    return Plan(tuple(actions), tuple(a for a in found if isinstance(a, Untouched)))


def find_misplaced(world: World, checkpoint: Checkpoint) -> tuple[str, ...]:
    """Return the services of the checkpoint that have no task on a node where one should run."""
    services = ((world.swarm.service(name), state) for name, state in checkpoint.services.items())
    return tuple(s.name for s, state in services if s is not None and _find_idle(world, s, state.runs_on))


def _nodes(
    world: World, checkpoint: Checkpoint, made_by_lab: bool, off: Collection[str], roles: Mapping[str, str]
) -> Iterator[Action | Untouched]:
    names = sorted({n.name for n in world.swarm.nodes.values()} | {*checkpoint.nodes} | {*roles})
    for name in names:
        wanted, node = checkpoint.nodes.get(name, NodeState()), world.swarm.node(name)
        found: list[Action] = list(_node(name, node, wanted, name in off, roles.get(name, "")))
        found += [ForgetNode(n.id, name) for n in world.swarm.nodes.values() if n.name == name and n is not node]
        if made_by_lab:
            yield from found
        elif found:
            yield Untouched(
                "node", name, f"would have to be changed ({found[0].sentence}), but this cluster is not the lab's"
            )


def _node(name: str, node: Node | None, wanted: NodeState, off: bool, own_role: str) -> Iterator[Action]:
    if not wanted.in_swarm:
        if node is not None:
            yield LeaveSwarm(node.id, name)
        return
    if wanted.machine == "on" and (node is None or node.state != "ready" or off):
        yield StartNode(name)
    if wanted.machine == "off" and node is not None and node.state == "ready" and not off:
        yield StopNode(name)
    if node is None:
        if wanted != NodeState(machine=wanted.machine) and wanted.machine == "on":
            yield SetNode(name, name, wanted.availability, wanted.role or "", wanted.labels)
        return
    role = wanted.role or own_role or node.role
    labels = {k: v for k, v in node.labels.items() if not k.startswith(LABEL)}
    if (wanted.availability, role, dict(wanted.labels)) != (node.availability, node.role, labels):
        own = {k: v for k, v in node.labels.items() if k.startswith(LABEL)}
        yield SetNode(node.id, name, wanted.availability, role, {**wanted.labels, **own})


def _service(
    world: World, checkpoint: Checkpoint, service: Service, mine: bool, anew: frozenset[Use]
) -> Iterator[Action | Untouched]:
    state = checkpoint.services.get(service.name)
    if state is None:
        gone: Action | Untouched = RemoveService(service.id, service.name)
        yield (
            gone
            if mine
            else Untouched("service", service.name, "is not in the checkpoint, and not the lab's to remove")
        )
        return
    differs = changed_fields(state.spec, service.spec, networks(world))
    idle = _find_idle(world, service, state.runs_on)
    old = sorted(anew & list_uses(world, service))
    if not differs and not idle and not old:
        return
    why = ", ".join([*differs, *(f"no task on {n}" for n in idle), *(f"the {what} {name}" for what, name in old)])
    if not mine:
        yield Untouched("service", service.name, f"differs ({why}), and is not the lab's to change")
    elif not idle and not old and set(differs) <= IN_PLACE:
        yield UpdateService(service.id, service.name, state.spec, describe_changes(differs, service.spec, state.spec))
    else:
        yield RemoveService(service.id, service.name, why)
        yield CreateService(service.name, state.spec)


def _new_services(world: World, checkpoint: Checkpoint) -> Iterator[Action]:
    for name, state in checkpoint.services.items():
        if world.swarm.service(name) is None:
            yield CreateService(name, state.spec)


def _plan_object(thing: SwarmObject, mine: bool, kept: set[Use], used: set[Use]) -> Iterator[Action | Untouched]:
    if (thing.what, thing.name) in kept or (thing.what == "network" and thing.name in _OWN_NETWORKS):
        return
    if mine and (thing.what, thing.name) in used:
        yield Untouched(thing.what, thing.name, "is used by a service that is not the lab's to remove")
    elif mine:
        yield RemoveObject(thing.what, thing.id, thing.name)
    else:
        yield Untouched(thing.what, thing.name, "is not in the checkpoint, and not the lab's to remove")


def _find_outdated(
    world: World, checkpoint: Checkpoint, deploys: Iterable[tuple[str, Expected]]
) -> tuple[tuple[SwarmObject, str], ...]:
    """Return what has the right name but is not the right object, and why: a deploy over it fails. A config cannot be
    changed, and a stack accepts only its own network."""
    found = []
    stack_of: dict[Use, str] = {}
    wanted = {name: fingerprint(c.text.encode()) for name, c in checkpoint.configs.items() if c.text is not None}
    for name, each in deploys:
        wanted |= each.contents
        stack_of |= {use: name for use in each.makes if use[0] == "network"}
    for thing in world.swarm.objects.values():
        stack = stack_of.get((thing.what, thing.name))
        if thing.what == "config" and thing.content and wanted.get(thing.name, thing.content) != thing.content:
            found.append((thing, "it holds something else"))
        elif stack is not None and thing.labels.get(NAMESPACE) != stack:
            found.append((thing, f"it is not of the stack {stack}"))
    return tuple(found)


def _renew(thing: SwarmObject, why: str, mine: bool) -> Action | Untouched:
    if mine:
        return RemoveObject(thing.what, thing.id, thing.name, why)
    return Untouched(thing.what, thing.name, f"{why.removeprefix('it ')}, and is not the lab's to make anew")


def _new_named(world: World, checkpoint: Checkpoint, anew: frozenset[Use]) -> Iterator[Action]:
    there = {(n.what, n.name) for n in world.swarm.objects.values()} - anew
    for what, things in _list_wanted(checkpoint).items():
        for name, content in things.items():
            if (what, name) not in there:
                yield CreateObject(what, name, content)


def _list_wanted(checkpoint: Checkpoint) -> Mapping[str, Mapping[str, Content | None]]:
    networks: Mapping[str, Content | None] = dict.fromkeys(checkpoint.networks)
    return {"network": networks, "config": dict(checkpoint.configs), "secret": dict(checkpoint.secrets)}


def _find_idle(world: World, service: Service, runs_on: tuple[str, ...]) -> tuple[str, ...]:
    """Return the nodes without a task that is running or starting."""
    tasks = world.swarm.tasks_of(service.id)
    busy = {world.swarm.node_name(t.node) for t in tasks if t.desired in WANTED and t.state not in ENDED}
    return tuple(name for name in runs_on if name not in busy)
