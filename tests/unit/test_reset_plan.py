"""A reset's plan: nothing is left to do once it is done, and nothing of others is touched on a cluster of others."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st
from immutables import Map

from lab.engine.labels import LABEL
from lab.lesson.checkpoint import Checkpoint, Content, NodeState, ServiceState
from lab.reset.actions import CreateObject, CreateService, RemoveObject, RemoveService, UpdateService
from lab.reset.plan import plan
from lab.world.swarm import Node, Port, ServiceSpec, SwarmObject
from lab.world.world import World
from tests.unit.plans import NODES, apply_to, made, spread, whole, world_of

NAMES = ("web", "api", "db")
THINGS = ("one", "two")


KINDS: st.SearchStrategy[Literal["secret", "config"]] = st.sampled_from(["secret", "config"])


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
        configs=draw(st.sampled_from([(), ("two:file",)])),
    )


checkpoints = st.builds(
    lambda services, networks, nodes: Checkpoint(
        services=services,
        secrets={"one": Content(text="x")},
        configs={"two": Content(text="y")},
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


CONTENTS = st.sampled_from(["", "of-another-time"])


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
        SwarmObject(what, f"{what}-{name}", name, draw(label), draw(CONTENTS) if what == "config" else "")
        for what, name in draw(st.sets(st.tuples(KINDS, st.sampled_from(THINGS))))
    ]
    named.append(SwarmObject("network", "ing", "ingress"))
    return world_of(nodes, services, named, [t for s in services for t in spread(s)])


@given(worlds(), checkpoints)
def test_after_a_plan_nothing_is_left_to_do(world: World, checkpoint: Checkpoint) -> None:
    found = plan(world, checkpoint, made_by_lab=True)
    assert found.left == ()
    again = plan(apply_to(world, found.actions), checkpoint, made_by_lab=True)
    assert [a.sentence for a in again.actions] == []


@given(worlds(), checkpoints, st.sets(st.sampled_from(["s-web", "s-stranger", "secret-one", "config-two"])))
def test_on_a_cluster_of_others_only_the_labs_own_is_touched(
    world: World, checkpoint: Checkpoint, ours: set[str]
) -> None:
    mine = {s.id for s in world.swarm.services.values() if LABEL in s.spec.labels} | ours
    mine |= {n.id for n in world.swarm.objects.values() if LABEL in n.labels}
    found = plan(world, checkpoint, made_by_lab=False, ours=frozenset(ours))
    for action in found.actions:
        assert isinstance(action, CreateService | CreateObject | RemoveService | UpdateService | RemoveObject)
        assert isinstance(action, CreateService | CreateObject) or action.id in mine
    after = apply_to(world, found.actions)
    assert {i: s for i, s in world.swarm.services.items() if i not in mine}.items() <= dict(
        after.swarm.services
    ).items()
    assert {i: n for i, n in world.swarm.objects.items() if i not in mine}.items() <= dict(after.swarm.objects).items()
    strange = {s.name for s in world.swarm.services.values() if s.id not in mine and s.name not in checkpoint.services}
    assert strange <= {left.name for left in found.left}
    again = plan(after, checkpoint, made_by_lab=False, ours=frozenset(ours))
    assert again.actions == ()
    assert [x.sentence for x in again.left] == [x.sentence for x in found.left]


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
    world = whole(made(found, "s", "web"), named=(SwarmObject("network", "abc123", "front"),))
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
        "forget the earlier node4",
        "set node1 to active, a manager, no labels",
        "set node3 to active, a manager, no labels",
        "remove service old",
        "create service web (1 × nginx:1.26)",
        "power node4 off",
    ]
    foreign = plan(world, checkpoint, made_by_lab=False)
    assert [type(a) for a in foreign.actions] == [CreateService]
    assert {left.name for left in foreign.left} == {"node1", "node3", "node4", "old"}


def test_a_node_has_its_own_role_unless_the_checkpoint_names_another() -> None:
    world, roles = whole(), dict.fromkeys(NODES, "worker") | {"node1": "manager"}

    def sentences(checkpoint: Checkpoint) -> list[str]:
        return [a.sentence for a in plan(world, checkpoint, made_by_lab=True, roles=roles).actions]

    assert sentences(Checkpoint()) == [f"set {name} to active, a worker, no labels" for name in ("node2", "node3")]
    named = Checkpoint(nodes=dict.fromkeys(("node2", "node3"), NodeState(role="manager")))
    assert sentences(named) == []


def test_a_node_that_no_manager_lists_is_missed() -> None:
    three = world_of([Node(f"id-{name}", name, "manager", "ready") for name in NODES[:3]], [], [])
    found = plan(three, Checkpoint(), made_by_lab=True, roles=dict.fromkeys(NODES, "manager"))
    assert [a.sentence for a in found.actions] == ["start node4 and wait until it is ready"]


def test_a_node_that_should_be_outside_leaves_once() -> None:
    outside = Checkpoint(nodes={"node4": NodeState(in_swarm=False)})
    roles = dict.fromkeys(NODES, "manager")
    found = plan(whole(), outside, made_by_lab=True, roles=roles | {"node4": "worker"})
    assert [a.sentence for a in found.actions] == ["have node4 leave the swarm, and forget it"]
    world = apply_to(whole(), found.actions)
    assert plan(world, outside, made_by_lab=True, roles=roles).actions == ()


def test_an_empty_world_and_an_empty_checkpoint() -> None:
    assert plan(World(), Checkpoint(), made_by_lab=True).actions == ()
    assert World().swarm.nodes == Map()


def test_the_labels_of_a_service_are_for_the_domain_of_the_settings() -> None:
    checkpoint = Checkpoint(services={"web": ServiceState(image="nginx:1.26", labels={"rule": "Host(`a.{{domain}}`)"})})
    for env, domain in (({}, "localhost"), ({"DOMAIN": "labs.example.org"}, "labs.example.org")):
        (create,) = plan(whole(), checkpoint, made_by_lab=True, env=env).actions
        assert isinstance(create, CreateService)
        assert create.spec.labels == {"rule": f"Host(`a.{domain}`)"}
