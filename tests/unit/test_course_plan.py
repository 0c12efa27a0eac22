"""A reset's plan: nothing is left to do once it is done, and nothing of others is touched on a cluster of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from immutables import Map

from lab import paths
from lab.course.actions import (
    LABEL,
    Action,
    CreateNamed,
    CreateService,
    DeployStack,
    ForgetNode,
    RemoveNamed,
    RemoveService,
    RemoveVolume,
    SetNode,
    StartNode,
    StopNode,
    UpdateService,
)
from lab.course.checkpoint import Checkpoint, Content, NodeState, ServiceState
from lab.course.compare import SOFT, same
from lab.course.plan import plan
from lab.course.stack import read
from lab.course.stack.spec import specs
from lab.course.stack.state import StackState
from lab.errors import InputError
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Named, Node, Port, Service, ServiceSpec, Task, UpdateConfig, UpdateStatus
from lab.world.world import World, fold

NAMES = ("web", "api", "db")
THINGS = ("one", "two")
NODES = ("node1", "node2", "node3", "node4")


KINDS: st.SearchStrategy[Literal["secret", "config"]] = st.sampled_from(["secret", "config"])


def world_of(nodes: list[Node], services: list[Service], named: list[Named], tasks: list[Task] | None = None) -> World:
    """A world as a first look makes it."""
    fact = SwarmChanged("node1", tuple(nodes), tuple(services), tuple(tasks or ()), tuple(named), first=True)
    return fold(World(), Entry(0.0, fact))


def spread(service: Service, nodes: tuple[str, ...] = NODES) -> list[Task]:
    """Running tasks of a service, over the nodes in turn."""
    return [
        Task(f"{service.id}.{n}", service.id, n, f"id-{nodes[(n - 1) % len(nodes)]}", "running", "running", 1.0, 2.0)
        for n in range(1, service.desired + 1)
    ]


def made(spec: ServiceSpec, id: str, name: str) -> Service:
    return Service(id, name, spec, spec.replicas)


def apply_to(world: World, actions: tuple[Action, ...]) -> World:
    """What a faithful engine makes of the actions; raises when their order does not work."""
    nodes, services, named = dict(world.nodes), dict(world.services), dict(world.named)
    for number, action in enumerate(actions):
        uses = {("secret", g.source) for s in services.values() for g in s.spec.secrets}
        there = {n.name for n in named.values()}
        match action:
            case StartNode() | StopNode():
                state = "ready" if isinstance(action, StartNode) else "down"
                found = next((n for n in nodes.values() if n.name == action.name), None)
                id = found.id if found else f"new-{action.name}"
                nodes[id] = replace(found, state=state) if found else Node(id, action.name, "worker", state)
            case SetNode():
                labels = dict(action.labels)
                old = next(n for n in nodes.values() if action.id in (n.id, n.name))
                role = action.role or old.role
                nodes[old.id] = replace(old, availability=action.availability, role=role, labels=labels)
            case ForgetNode():
                assert nodes.pop(action.id).state != "ready"
            case RemoveService():
                del services[action.id]
            case UpdateService():
                old_service = services[action.id]
                new = replace(old_service, spec=action.spec, desired=action.spec.replicas)
                services[action.id] = new
            case CreateService():
                assert action.name not in {s.name for s in services.values()}
                assert {g.source for g in (*action.spec.secrets, *action.spec.configs)} <= there
                assert set(action.spec.networks) <= there
                id = f"made-{number}"
                services[id] = made(
                    replace(action.spec, labels={**action.spec.labels, LABEL: "service"}), id, action.name
                )
            case RemoveNamed():
                assert (action.what, action.name) not in uses
                del named[action.id]
            case RemoveVolume():
                assert not any(action.name in s.spec.volumes for s in services.values())
            case DeployStack():
                deploy(action, services, named)
            case CreateNamed():
                id = f"made-{number}"
                what = next(w for w in ("secret", "config", "network") if w == action.what)
                named[id] = Named(what, id, action.name, {LABEL: action.what})
    ready = tuple(n.name for n in nodes.values() if n.state == "ready")
    tasks = [t for s in services.values() if ready for t in spread(s, tuple(sorted(ready)))]
    return world_of(list(nodes.values()), list(services.values()), list(named.values()), tasks)


def deploy(action: DeployStack, services: dict[str, Service], named: dict[str, Named]) -> None:
    """What a deploy makes; a service that is there may only differ in what does not replace its tasks."""
    expected = specs(read.stack(paths.stacks() / action.file), action.name, action.env)
    there = {(n.what, n.name) for n in named.values()}
    assert expected.needs <= there
    for kind, new in sorted(expected.makes - there):
        what = next(w for w in ("secret", "config", "network") if w == kind)
        named[f"{kind}-{new}"] = Named(what, f"{kind}-{new}", new)
    for full, spec in expected.services.items():
        old = next((s for s in services.values() if s.name == full), None)
        if old is not None:
            assert set(same(spec, services.pop(old.id).spec, {})) <= SOFT
        labels = {**spec.labels, "com.docker.stack.namespace": action.name}
        services[f"s-{full}"] = made(replace(spec, labels=labels), f"s-{full}", full)


@st.composite
def states(draw: st.DrawFn) -> ServiceState:
    mode = draw(st.sampled_from(["replicated", "replicated", "global"]))
    return ServiceState(
        image=draw(st.sampled_from(["nginx:1.26", "nginx", "busybox:1.37"])),
        mode="global" if mode == "global" else "replicated",
        replicas=None if mode == "global" else draw(st.integers(0, 6)),
        env=draw(st.sampled_from([(), ("A=1",), ("B=2", "A=1")])),
        constraints=draw(st.sampled_from([(), ("node.role == manager",)])),
        publish=draw(st.sampled_from([(), ("8080:80",)])),
        secrets=draw(st.sampled_from([(), ("one:file",)])),
    )


checkpoints = st.builds(
    lambda services, networks, nodes: Checkpoint(
        services=services,
        secrets={"one": Content(text="x")},
        networks=networks,
        nodes=nodes,
    ),
    st.dictionaries(st.sampled_from(NAMES), states(), max_size=3),
    st.sampled_from([(), ("front",)]),
    st.dictionaries(
        st.sampled_from(NODES),
        st.builds(NodeState, machine=st.sampled_from(["on", "off"]), availability=st.sampled_from(["active", "drain"])),
        max_size=2,
    ),
)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    label = st.sampled_from([{}, {LABEL: "x"}])
    nodes = [
        Node(
            f"id-{n}",
            n,
            "manager",
            draw(st.sampled_from(["ready", "down"])),
            draw(st.sampled_from(["active", "drain"])),
        )
        for n in draw(st.sets(st.sampled_from(NODES), min_size=1))
    ]
    nodes += [Node("old-node4", "node4", "worker", "down")] if draw(st.booleans()) else []
    services = []
    for name in draw(st.sets(st.sampled_from((*NAMES, "stranger")))):
        spec = replace(draw(states()).spec, labels=draw(label))
        services.append(made(spec, f"s-{name}", name))
    named = [
        Named(what, f"{what}-{name}", name, draw(label))
        for what, name in draw(st.sets(st.tuples(KINDS, st.sampled_from(THINGS))))
    ]
    named.append(Named("network", "ing", "ingress"))
    return world_of(nodes, services, named, [t for s in services for t in spread(s)])


@settings(max_examples=120, deadline=None)
@given(worlds(), checkpoints)
def test_after_a_plan_nothing_is_left_to_do(world: World, checkpoint: Checkpoint) -> None:
    found = plan(world, checkpoint, made_by_lab=True)
    assert found.left == ()
    again = plan(apply_to(world, found.actions), checkpoint, made_by_lab=True)
    assert [a.sentence for a in again.actions] == []


@settings(max_examples=120, deadline=None)
@given(worlds(), checkpoints, st.sets(st.sampled_from(["s-web", "s-stranger", "secret-one", "config-two"])))
def test_on_a_cluster_of_others_only_the_labs_own_is_touched(
    world: World, checkpoint: Checkpoint, ours: set[str]
) -> None:
    mine = {s.id for s in world.services.values() if LABEL in s.spec.labels} | ours
    mine |= {n.id for n in world.named.values() if LABEL in n.labels}
    found = plan(world, checkpoint, made_by_lab=False, ours=frozenset(ours))
    for action in found.actions:
        assert isinstance(action, CreateService | CreateNamed | RemoveService | UpdateService | RemoveNamed)
        assert isinstance(action, CreateService | CreateNamed) or action.id in mine
    after = apply_to(world, found.actions)
    assert {i: s for i, s in world.services.items() if i not in mine}.items() <= dict(after.services).items()
    assert {i: n for i, n in world.named.items() if i not in mine}.items() <= dict(after.named).items()
    strange = {s.name for s in world.services.values() if s.id not in mine and s.name not in checkpoint.services}
    assert strange <= {left.name for left in found.left}
    again = plan(after, checkpoint, made_by_lab=False, ours=frozenset(ours))
    assert again.actions == ()
    assert [x.sentence for x in again.left] == [x.sentence for x in found.left]


def whole(*services: Service, named: tuple[Named, ...] = (), on: tuple[str, ...] = NODES) -> World:
    nodes = [Node(f"id-{n}", n, "worker" if n == "node4" else "manager", "ready") for n in NODES]
    return world_of(nodes, list(services), list(named), [t for s in services for t in spread(s, on)])


def test_what_the_engine_writes_its_own_way_is_no_difference() -> None:
    declared = ServiceState(
        image="nginx",
        replicas=2,
        env=("B=2", "A=1"),
        constraints=("node.role==manager",),
        publish=("8080:80", "53:53/udp"),
        networks=("front",),
    )
    found = ServiceSpec(
        image="docker.io/library/nginx:latest@sha256:0123",
        replicas=2,
        env=("A=1", "B=2"),
        constraints=("node.role == manager",),
        ports=(Port(53, 53, "udp"), Port(8080, 80)),
        networks=("abc123",),
        labels={LABEL: "service", "com.docker.stack.namespace": "x"},
    )
    world = whole(made(found, "s", "web"), named=(Named("network", "abc123", "front"),))
    checkpoint = Checkpoint(services={"web": declared}, networks=("front",))
    assert plan(world, checkpoint, made_by_lab=True).actions == ()


def test_a_number_is_updated_and_an_image_is_made_anew() -> None:
    world = whole(made(ServiceSpec("nginx:1.26", replicas=2), "s", "web"))
    scaled = Checkpoint(services={"web": ServiceState(image="nginx:1.26", replicas=5)})
    assert [a.sentence for a in plan(world, scaled, made_by_lab=True).actions] == [
        "update service web (replicas 2 → 5)"
    ]
    other = Checkpoint(services={"web": ServiceState(image="nginx:1.27", replicas=2)})
    assert [a.sentence for a in plan(world, other, made_by_lab=True).actions] == [
        "remove service web, to make it anew (image)",
        "create service web (2 × nginx:1.27)",
    ]


def test_tasks_that_should_be_on_a_node_and_are_not() -> None:
    checkpoint = Checkpoint(services={"web": ServiceState(image="nginx:1.26", replicas=4, runs_on=("node4",))})
    service = made(ServiceSpec("nginx:1.26", replicas=4), "s", "web")
    assert plan(whole(service), checkpoint, made_by_lab=True).actions == ()
    found = plan(whole(service, on=NODES[:3]), checkpoint, made_by_lab=True)
    assert [type(a) for a in found.actions] == [RemoveService, CreateService]
    assert "no task on node4" in found.actions[0].sentence


def test_nodes_come_first_and_a_machine_goes_off_last() -> None:
    nodes = [
        Node("a", "node1", "manager", "ready", "drain"),
        Node("b", "node4", "worker", "down"),
        Node("c", "node4", "worker", "ready"),
        Node("d", "node3", "manager", "down", labels={"rack": "x"}),
    ]
    world = world_of(nodes, [made(ServiceSpec("x:1"), "s", "old")], [])
    checkpoint = Checkpoint(
        services={"web": ServiceState(image="nginx:1.26")}, nodes={"node4": NodeState(machine="off")}
    )
    found = plan(world, checkpoint, made_by_lab=True)
    assert [a.sentence for a in found.actions] == [
        "start node3 and wait until it is ready",
        "forget the earlier node4, which is down",
        "set node1 to active, a manager, no labels",
        "set node3 to active, a manager, no labels",
        "remove service old",
        "create service web (1 × nginx:1.26)",
        "power node4 off",
    ]
    foreign = plan(world, checkpoint, made_by_lab=False)
    assert [type(a) for a in foreign.actions] == [CreateService]
    assert {left.name for left in foreign.left} == {"node1", "node3", "node4", "old"}


def test_an_empty_world_and_an_empty_checkpoint() -> None:
    assert plan(World(), Checkpoint(), made_by_lab=True).actions == ()
    assert World().nodes == Map()


ENV = {"ACME_DIR": "/nowhere"}
EDGE = Checkpoint(
    stacks={
        "acme": StackState(file="acme.yaml"),
        "edge": StackState(file="edge.yaml", fresh_with=("acme",)),
        "app": StackState(file="app.yaml", env={"VERSION": "2"}),
    },
    networks=("edge",),
    secrets={"users-1": Content(login=True), "api-key-1": Content(random=8)},
)


def planned(world: World, checkpoint: Checkpoint = EDGE) -> list[str]:
    return [a.sentence for a in plan(world, checkpoint, made_by_lab=True, env=ENV).actions]


def deployed() -> World:
    world = whole()
    return apply_to(world, plan(world, EDGE, made_by_lab=True, env=ENV).actions)


def changed(world: World, name: str, **fields: object) -> World:
    """The same world, with a service that differs."""
    services = [
        replace(s, spec=replace(s.spec, **fields)) if s.name == name else s  # type: ignore[arg-type]
        for s in world.services.values()
    ]
    return world_of(list(world.nodes.values()), services, list(world.named.values()), list(world.tasks.values()))


def without(world: World, *names: str) -> World:
    services = [s for s in world.services.values() if s.name not in names]
    return world_of(list(world.nodes.values()), services, list(world.named.values()))


def test_stacks_come_after_what_they_need_and_in_their_order() -> None:
    assert planned(whole()) == [
        "remove volume edge_acme",
        "create network edge",
        "create secret api-key-1",
        "create secret users-1",
        "deploy stack acme (acme.yaml)",
        "deploy stack edge (edge.yaml)",
        "deploy stack app (app.yaml)",
    ]
    assert planned(deployed()) == []
    last = plan(whole(), EDGE, made_by_lab=True, env=ENV).actions[-1]
    assert isinstance(last, DeployStack)
    assert last.env == {**ENV, "VERSION": "2"}


def test_a_service_that_differs_is_made_anew_and_a_number_is_only_deployed() -> None:
    assert planned(changed(deployed(), "app_backend", image="node:18")) == [
        "remove service app_backend, to make it anew (image)",
        "deploy stack app (app.yaml)",
    ]
    assert planned(changed(deployed(), "app_backend", replicas=7)) == ["deploy stack app (app.yaml)"]
    assert planned(changed(deployed(), "app_frontend", update=UpdateConfig(parallelism=9))) == [
        "deploy stack app (app.yaml)"
    ]
    assert planned(without(deployed(), "app_frontend")) == ["deploy stack app (app.yaml)"]


def test_an_update_that_is_stuck_is_not_gone_on_with() -> None:
    world = deployed()
    for state in ("paused", "rollback_paused"):
        services = [
            replace(s, status=UpdateStatus(state)) if s.name == "app_backend" else s for s in world.services.values()
        ]
        stuck = world_of(list(world.nodes.values()), services, list(world.named.values()))
        assert planned(stuck) == [
            "remove service app_backend, to make it anew (its update is stuck)",
            "deploy stack app (app.yaml)",
        ]


def test_what_hangs_on_a_stack_is_made_anew_with_it_and_its_volumes() -> None:
    assert planned(changed(deployed(), "acme_pebble", args=("-strict",))) == [
        "remove service acme_pebble, to make it anew (args)",
        "remove service edge_traefik, to make it anew (with the stack acme)",
        "remove volume edge_acme",
        "deploy stack acme (acme.yaml)",
        "deploy stack edge (edge.yaml)",
    ]
    assert planned(changed(deployed(), "acme_pebble", replicas=2)) == ["deploy stack acme (acme.yaml)"]
    assert planned(changed(deployed(), "edge_traefik", args=())) == [
        "remove service edge_traefik, to make it anew (args)",
        "remove volume edge_acme",
        "deploy stack edge (edge.yaml)",
    ]


def test_a_stack_that_should_not_be_there_goes_with_all_that_it_made() -> None:
    only = EDGE.model_copy(update={"stacks": {"acme": EDGE.stacks["acme"]}})
    assert planned(deployed(), only) == [
        "remove service app_backend",
        "remove service app_frontend",
        "remove service edge_traefik",
        "remove volume edge_acme",
        "remove network app_inside",
        "remove config acme-ca-1",
        "remove config nginx-1",
        "remove config server-1",
        "remove config settings-1",
    ]


def test_a_volume_that_a_service_still_uses_stays() -> None:
    shared = changed(deployed(), "app_frontend", volumes=("edge_acme", "own"), image="nginx:1.25")
    assert planned(shared) == [
        "remove service app_frontend, to make it anew (image, volumes)",
        "remove volume own",
        "deploy stack app (app.yaml)",
    ]


def test_a_stack_of_others_is_left_alone() -> None:
    world = changed(without(deployed(), "app_frontend"), "app_backend", image="node:18")
    found = plan(world, EDGE, made_by_lab=False, env=ENV)
    assert found.actions == ()
    assert [left.sentence for left in found.left if left.name.startswith("app")] == [
        "service app_backend: differs (image), and its stack is not the lab's to deploy",
        "stack app: is not whole, and has services that are not the lab's to change",
    ]
    mine = frozenset(s.id for s in world.services.values() if s.name.startswith("app_"))
    ours = plan(world, EDGE, made_by_lab=False, ours=mine, env=ENV)
    assert [a.sentence for a in ours.actions] == [
        "remove service app_backend, to make it anew (image)",
        "deploy stack app (app.yaml)",
    ]


def test_a_setting_that_a_stack_needs_is_missing() -> None:
    with pytest.raises(InputError, match="ACME_DIR is needed: run swarmlab env"):
        plan(World(), EDGE, made_by_lab=True)


HARM: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "image": st.just("other:1"),
        "replicas": st.integers(0, 5),
        "labels": st.just({"a": "b"}),
        "volumes": st.sampled_from([(), ("edge_acme",), ("stray",)]),
    },
)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["acme_pebble", "edge_traefik", "app_backend", "app_frontend"]), HARM),
    st.sets(st.sampled_from(["acme_pebble", "edge_traefik", "app_backend", "app_frontend"])),
    st.sets(st.sampled_from(["acme", "edge", "app"])),
)
def test_whatever_became_of_the_stacks_one_plan_is_enough(
    harm: dict[str, dict[str, object]], gone: set[str], wanted: set[str]
) -> None:
    world = without(deployed(), *gone)
    for name, fields in harm.items():
        world = changed(world, name, **fields)
    stacks = {
        name: state.model_copy(update={"fresh_with": tuple(wanted & {*state.fresh_with})})
        for name, state in EDGE.stacks.items()
        if name in wanted
    }
    checkpoint = EDGE.model_copy(update={"stacks": stacks})
    after = apply_to(world, plan(world, checkpoint, made_by_lab=True, env=ENV).actions)
    assert planned(after, checkpoint) == []
