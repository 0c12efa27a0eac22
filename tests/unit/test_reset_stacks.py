"""A reset's plan where stacks are to be, or are not to be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lab import paths
from lab.errors import InputError
from lab.lesson.checkpoint import Checkpoint, Content
from lab.lesson.stack_state import StackState
from lab.reset.actions import DeployStack
from lab.reset.plan import plan
from lab.world.swarm import UpdateConfig, UpdateStatus, fingerprint
from lab.world.world import World
from tests.unit.plans import apply_to, whole, world_of

ENV = {"ACME_DIR": "/nowhere"}
EDGE = Checkpoint(
    stacks={
        "acme": StackState(file="acme.yaml"),
        "edge": StackState(file="edge.yaml", over=("edge.pebble.yaml",), fresh_with=("acme",)),
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
        for s in world.swarm.services.values()
    ]
    return world_of(
        list(world.swarm.nodes.values()), services, list(world.swarm.objects.values()), list(world.swarm.tasks.values())
    )


def without(world: World, *names: str) -> World:
    services = [s for s in world.swarm.services.values() if s.name not in names]
    return world_of(list(world.swarm.nodes.values()), services, list(world.swarm.objects.values()))


def test_stacks_come_after_what_they_need_and_in_their_order() -> None:
    assert planned(whole()) == [
        "remove volume edge_acme",
        "create network edge",
        "create secret api-key-1",
        "create secret users-1",
        "deploy stack acme (acme.yaml), and wait until it runs",
        "deploy stack edge (edge.yaml, edge.pebble.yaml)",
        "deploy stack app (app.yaml)",
    ]
    assert planned(deployed()) == []
    last = plan(whole(), EDGE, made_by_lab=True, env=ENV).actions[-1]
    assert isinstance(last, DeployStack)
    assert last.env == {**ENV, "VERSION": "2"}


def test_a_service_that_differs_is_made_anew_and_a_number_is_only_deployed() -> None:
    assert planned(changed(deployed(), "app_backend", image="backend:9")) == [
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
            replace(s, status=UpdateStatus(state)) if s.name == "app_backend" else s
            for s in world.swarm.services.values()
        ]
        stuck = world_of(list(world.swarm.nodes.values()), services, list(world.swarm.objects.values()))
        assert planned(stuck) == [
            "remove service app_backend, to make it anew (its update is stuck)",
            "deploy stack app (app.yaml)",
        ]


def test_what_hangs_on_a_stack_is_made_anew_with_it_and_its_volumes() -> None:
    assert planned(changed(deployed(), "acme_pebble", args=("-strict",))) == [
        "remove service acme_pebble, to make it anew (args)",
        "remove service edge_socket, to make it anew (with the stack acme)",
        "remove service edge_traefik, to make it anew (with the stack acme)",
        "remove volume edge_acme",
        "deploy stack acme (acme.yaml), and wait until it runs",
        "deploy stack edge (edge.yaml, edge.pebble.yaml)",
    ]
    assert planned(changed(deployed(), "acme_pebble", replicas=2)) == [
        "deploy stack acme (acme.yaml), and wait until it runs"
    ]
    assert planned(changed(deployed(), "edge_traefik", args=())) == [
        "remove service edge_traefik, to make it anew (args)",
        "remove volume edge_acme",
        "deploy stack edge (edge.yaml, edge.pebble.yaml)",
    ]


def test_a_volume_whose_contents_are_outdated_is_emptied_and_what_uses_it_made_anew() -> None:
    world = deployed()
    found = plan(world, EDGE, made_by_lab=True, env=ENV, outdated_volumes={"edge_acme"}).actions
    assert [a.sentence for a in found] == [
        "remove service edge_traefik, to make it anew (the volume edge_acme)",
        "remove volume edge_acme",
        "deploy stack edge (edge.yaml, edge.pebble.yaml)",
    ]
    assert planned(apply_to(world, found)) == []
    elsewhere = plan(world, EDGE, made_by_lab=False, env=ENV, outdated_volumes={"edge_acme"}).actions
    assert not any("volume" in a.sentence for a in elsewhere), "on a cluster that the lab did not make"


def holding(world: World, config: str, content: bytes, labels: Mapping[str, str] | None = None) -> World:
    """The same world, with a config that holds this."""
    named = [
        replace(n, content=fingerprint(content), labels=labels or n.labels) if n.name == config else n
        for n in world.swarm.objects.values()
    ]
    return world_of(
        list(world.swarm.nodes.values()), list(world.swarm.services.values()), named, list(world.swarm.tasks.values())
    )


def test_a_config_that_holds_something_else_is_made_anew_with_the_services_that_use_it() -> None:
    """A config cannot be changed: a deploy over it fails. So it was after an update of the lab."""
    settings = (paths.stacks() / "app" / "settings.json").read_bytes()
    assert planned(holding(deployed(), "settings-1", settings)) == []
    old = holding(deployed(), "settings-1", settings + b"\n")
    assert planned(old) == [
        "remove service app_backend, to make it anew (the config settings-1)",
        "remove config settings-1, to make it anew (it holds something else)",
        "deploy stack app (app.yaml)",
    ]
    assert planned(apply_to(old, plan(old, EDGE, made_by_lab=True, env=ENV).actions)) == []


def test_a_config_of_others_that_holds_something_else_is_left_alone() -> None:
    old = holding(deployed(), "settings-1", b"theirs")
    found = plan(old, EDGE, made_by_lab=False, env=ENV)
    assert found.actions == ()
    assert "config settings-1: holds something else, and is not the lab's to make anew" in [
        left.sentence for left in found.left
    ]


def test_what_bears_a_name_of_a_stack_and_is_not_of_it_is_made_anew() -> None:
    """A deploy takes it for somebody else's, and fails: the name is taken."""
    world = deployed()
    named = [replace(n, labels={}) if n.name == "app_inside" else n for n in world.swarm.objects.values()]
    byhand = world_of(list(world.swarm.nodes.values()), list(world.swarm.services.values()), named)
    assert planned(byhand) == [
        "remove service app_backend, to make it anew (the network app_inside)",
        "remove service app_frontend, to make it anew (the network app_inside)",
        "remove network app_inside, to make it anew (it is not of the stack app)",
        "deploy stack app (app.yaml)",
    ]
    assert planned(apply_to(byhand, plan(byhand, EDGE, made_by_lab=True, env=ENV).actions)) == []
    frontend = world.swarm.service("app_frontend")
    assert frontend is not None
    assert planned(changed(world, "app_frontend", labels={})) == [
        "remove service app_frontend, to make it anew (labels, it is not of the stack)",
        "deploy stack app (app.yaml)",
    ]


def test_a_config_beside_the_stacks_that_holds_something_else_is_made_anew() -> None:
    kept = EDGE.model_copy(update={"configs": {"note": Content(text="new")}})
    world = apply_to(deployed(), plan(deployed(), kept, made_by_lab=True, env=ENV).actions)
    assert planned(holding(world, "note", b"new"), kept) == []
    assert planned(holding(world, "note", b"old"), kept) == [
        "remove config note, to make it anew (it holds something else)",
        "create config note",
    ]


def test_a_stack_that_should_not_be_there_goes_with_all_that_it_made() -> None:
    only = EDGE.model_copy(update={"stacks": {"acme": EDGE.stacks["acme"]}})
    assert planned(deployed(), only) == [
        "remove service app_backend",
        "remove service app_frontend",
        "remove service edge_socket",
        "remove service edge_traefik",
        "remove volume edge_acme",
        "remove network app_inside",
        "remove network edge_socket",
        "remove config acme-ca-1",
        "remove config edge-dynamic-1",
        "remove config edge-socket-1",
        "remove config nginx-1",
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
    world = changed(without(deployed(), "app_frontend"), "app_backend", image="backend:9")
    found = plan(world, EDGE, made_by_lab=False, env=ENV)
    assert found.actions == ()
    assert [left.sentence for left in found.left if left.name.startswith("app")] == [
        "service app_backend: differs (image), and its stack is not the lab's to deploy",
        "stack app: is not whole, and has services that are not the lab's to change",
    ]
    mine = frozenset(s.id for s in world.swarm.services.values() if s.name.startswith("app_"))
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


def test_services_that_wait_for_a_node_are_services_of_the_stack() -> None:
    edge = {"file": "edge.yaml", "pending": ["traefik"]}
    assert StackState.model_validate(edge, strict=False).pending_services("edge") == {"edge_traefik"}
    with pytest.raises(ValidationError, match=r"edge\.yaml has no service traffic"):
        StackState.model_validate({**edge, "pending": ["traffic"]}, strict=False)
