"""A stack that was deployed well, and then failed to be updated: planned, made, and waited for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lab import paths
from lab.compose import read
from lab.compose.to_spec import service_specs
from lab.engine.labels import NAMESPACE
from lab.errors import WaitError
from lab.lesson.checkpoint import Checkpoint, Content, Patch
from lab.lesson.stack_state import StackState
from lab.reset.actions import DeployStack
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.reset.settle import find_unsettled
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Service, ServiceSpec, SwarmObject, Task, UpdateStatus
from lab.world.world import World, fold
from tests.doubles.driver import ModelDriver

ENV = {"DOMAIN": "example.org"}
WELL = Checkpoint(
    stacks={"app": StackState(file="app.yaml")}, networks=("edge",), secrets={"api-key-1": Content(text="x")}
)
PAUSED = Patch(stacks={"app": {"env": {"VERSION": "0"}, "first": {}}}).apply_to(WELL)
FIRST, OVER = "deploy stack app (app.yaml), and wait until it runs", "deploy stack app (app.yaml)"


def planned(world: World, checkpoint: Checkpoint = PAUSED) -> list[str]:
    return [action.sentence for action in plan(world, checkpoint, made_by_lab=True, env=ENV).actions]


def reset(driver: ModelDriver, checkpoint: Checkpoint, bound: float = 400) -> list[str]:
    driver.look()
    found = plan(driver.journal.world, checkpoint, made_by_lab=True, env=ENV)
    apply(found.actions, checkpoint, driver, bound=bound, clock=driver.time)
    return [action.sentence for action in found.actions]


def world_of(backend: str, status: str = "", *, version: str = "0", replicas: int = 2, more: str = "") -> World:
    """The stack `app`, its backend of a version (as declared) and its update in a state; frontends by number."""
    file, env = read.read_stack(paths.stacks() / "app.yaml"), {**ENV, "VERSION": version}
    made = service_specs(file, "app", {**ENV, "VERSION": backend})
    own = {NAMESPACE: "app"}
    services = [
        Service(name, name, replace(spec, labels={**spec.labels, **own}), spec.replicas)
        for name, spec in made.services.items()
    ]
    services = [
        replace(s, status=UpdateStatus(status))
        if s.name == "app_backend"
        else replace(s, spec=replace(s.spec, replicas=replicas))
        for s in services
    ]
    kinds = {"secret": "secret", "config": "config", "network": "network"}
    things = made.makes | made.needs | service_specs(file, "app", env).makes
    named = [SwarmObject(kinds[what], name, name, own) for what, name in sorted(things)]  # type: ignore[arg-type]
    return fold(World(), Entry(0.0, SwarmChanged("node1", (), tuple(services), (), tuple(named), first=True)))


def test_it_is_deployed_well_and_then_over_it() -> None:
    actions = plan(World(), PAUSED, made_by_lab=True, env=ENV).actions
    deploys = [action for action in actions if isinstance(action, DeployStack)]
    assert [d.env for d in deploys] == [ENV, {**ENV, "VERSION": "0"}]
    assert [d.awaited for d in deploys] == [("app_frontend", "app_backend"), ()]
    assert planned(World()) == ["create network edge", "create secret api-key-1", FIRST, OVER]


def test_a_paused_update_is_as_it_should_be_and_nothing_else_is() -> None:
    assert planned(world_of("0", "paused")) == []
    anew = "remove service app_backend, to make it anew "
    for status in ("", "updating", "completed", "rollback_paused"):
        assert planned(world_of("0", status)) == [f"{anew}(its update is not paused)", FIRST, OVER]
    assert planned(world_of("1", "paused")) == [f"{anew}(image, its update is stuck)", FIRST, OVER]
    assert planned(world_of("2")) == [f"{anew}(image)", FIRST, OVER]


def test_what_runs_well_already_is_only_updated() -> None:
    for status in ("", "completed", "rollback_completed"):
        assert planned(world_of("1", status)) == [FIRST, OVER]


def test_when_something_else_differs_the_failure_is_made_anew_too() -> None:
    assert planned(world_of("0", "paused", replicas=5)) == [
        "remove service app_backend, to make it anew (with its stack)",
        FIRST,
        OVER,
    ]


def test_a_plain_stack_takes_what_was_rolled_back_and_puts_right_what_is_paused() -> None:
    assert planned(world_of("1", "rollback_completed"), WELL) == []
    assert planned(world_of("1", "paused"), WELL) == [
        "remove service app_backend, to make it anew (its update is stuck)",
        OVER,
    ]


def test_what_the_first_deploy_makes_stays() -> None:
    """A config of the earlier version is still used by the tasks that go on."""
    checkpoint = Patch(stacks={"app": {"env": {"NGINX_CONFIG": "2"}, "first": {}}}).apply_to(WELL)
    world = world_of("1")
    assert planned(world, checkpoint) == [FIRST, OVER]
    both = fold(world, Entry(1.0, SwarmChanged("node1", named=(SwarmObject("config", "n2", "nginx-2"),))))
    assert "remove config nginx-1" not in planned(both, checkpoint)
    assert "remove config nginx-2" in planned(both, WELL)


def test_a_patch_makes_it_fail_and_takes_it_back() -> None:
    assert PAUSED.stacks["app"].first == {}
    assert Patch(stacks={"app": {"env": {}, "first": None}}).apply_to(PAUSED) == Checkpoint(
        **{**dict(WELL), "stacks": {"app": StackState(file="app.yaml", env={}, first=None)}}
    )
    with pytest.raises(ValidationError, match="no update could be paused"):
        StackState(file="app.yaml", env={"VERSION": "1"}, first={})
    with pytest.raises(ValidationError, match="secret api-key-7, which is not there"):
        Patch(stacks={"app": {"env": {"VERSION": "0"}, "first": {"API_KEY": "7"}}}).apply_to(WELL)


def test_it_is_made_and_the_second_time_nothing_is_done() -> None:
    driver = ModelDriver()
    reset(driver, PAUSED)
    world = driver.journal.world
    backend = world.swarm.service("app_backend")
    assert backend is not None
    assert backend.status.state == "paused"
    assert backend.spec.image == "backend:0"
    old = world.swarm.live_tasks(backend.id)
    assert old
    assert all(task.template_digest != backend.template_digest for task in old), "what answers is of the version before"
    assert driver.deployed == ["app", "app"]
    assert reset(driver, PAUSED) == []


def test_there_and_back() -> None:
    driver = ModelDriver()
    reset(driver, WELL)
    assert reset(driver, PAUSED) == [FIRST, OVER]
    assert reset(driver, WELL) == ["remove service app_backend, to make it anew (image, its update is stuck)", OVER]
    assert reset(driver, WELL) == []


def test_a_manual_rollback_is_a_plain_stack_again() -> None:
    driver = ModelDriver()
    reset(driver, PAUSED)
    driver.run("docker service rollback --detach app_backend")
    assert reset(driver, WELL) == []
    backend = driver.journal.world.swarm.service("app_backend")
    assert backend is not None
    assert backend.status.state == "rollback_completed"


def test_it_waits_for_the_failure_and_says_so_when_there_is_none() -> None:
    driver = ModelDriver()
    good = Patch(stacks={"app": {"env": {"VERSION": "2"}, "first": {}}}).apply_to(WELL)
    with pytest.raises(WaitError, match="still missing: the update of app_backend is completed, not paused"):
        reset(driver, good, bound=30)


def test_it_goes_on_only_when_the_first_deploy_runs() -> None:
    driver = ModelDriver()
    for node in driver.swarm.nodes.values():
        node["Spec"]["Availability"] = "drain"
    found = plan(driver.journal.world, PAUSED, made_by_lab=False, env=ENV)
    with pytest.raises(WaitError, match="0 of 2 tasks of app_frontend run"):
        apply(found.actions, PAUSED, driver, made_by_lab=False, bound=20, clock=driver.time)
    assert driver.deployed == ["app"]


def test_what_is_missing_until_it_is_paused() -> None:
    for status, said in (("", "not begun"), ("updating", "updating"), ("rollback_started", "rollback started")):
        lacks = list(find_unsettled(running(world_of("0", status)), PAUSED, made_by_lab=False))
        assert lacks == [f"the update of app_backend is {said}, not paused"]
    assert list(find_unsettled(running(world_of("0", "paused")), PAUSED, made_by_lab=False)) == []


def test_a_global_service_without_a_task_is_not_there_yet() -> None:
    """The engine counts the tasks that it has made: none of none is no service that runs."""
    checkpoint = Checkpoint.model_validate({"services": {"each": {"image": "nginx:1.26", "mode": "global"}}})
    each = Service("e", "each", ServiceSpec("nginx:1.26", mode="global", replicas=0), 0)
    world = fold(World(), Entry(0.0, SwarmChanged("node1", services=(each,), first=True)))
    assert list(find_unsettled(world, checkpoint, made_by_lab=False)) == ["no task of each was made yet"]
    made = SwarmChanged("node1", services=(replace(each, desired=1),), tasks=(task("e", 0),))
    assert list(find_unsettled(fold(world, Entry(1.0, made)), checkpoint, made_by_lab=False)) == []


def task(service: str, slot: int) -> Task:
    return Task(f"{service}{slot}", service, slot, "n1", "running", "running", 1.0, 2.0)


def running(world: World) -> World:
    """The same, with the frontends' tasks: how many backends run is as the failure left it."""
    tasks = tuple(task("app_frontend", slot) for slot in (1, 2))
    return fold(world, Entry(1.0, SwarmChanged("node1", tasks=tasks)))


@given(st.lists(st.sampled_from([WELL, PAUSED, Checkpoint()]), min_size=1, max_size=4))
def test_from_wherever_it_was_one_reset_is_enough(way: list[Checkpoint]) -> None:
    driver = ModelDriver()
    for checkpoint in way:
        reset(driver, checkpoint)
        assert reset(driver, checkpoint) == []
