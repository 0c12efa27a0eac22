"""A reset carried out: the real docker client, on a model of the engine's API."""

from __future__ import annotations

import copy

import pytest
import requests

from lab import paths
from lab.engine import encode as api
from lab.engine.decode import service_spec
from lab.engine.labels import LABEL
from lab.errors import Cancelled, CommandError, EngineError, WaitError
from lab.lesson.checkpoint import Checkpoint, Content, NodeState, ServiceState
from lab.lesson.stack_state import StackState
from lab.reset.actions import CreateObject, CreateService, Plan, RemoveObject, RemoveService
from lab.reset.apply import apply
from lab.reset.plan import plan
from lab.world.swarm import fingerprint
from tests.doubles.driver import ModelDriver
from tests.doubles.model import ENDED, ModelSwarm, Refused, Time

WEB = ServiceState(image="nginx:1.26", replicas=4, publish=("8080:80",), runs_on=("node4",))


ENV = {"ACME_DIR": "/nowhere"}
EDGE = Checkpoint(
    stacks={
        "acme": StackState(file="acme.yaml"),
        "edge": StackState(file="edge.yaml", over=("edge.pebble.yaml",), env={"ACME_HOURS": "2"}, fresh_with=("acme",)),
        "app": StackState(file="app.yaml"),
    },
    networks=("edge",),
    nodes={"node2": NodeState(labels={"edge": "true"})},
    secrets={"users-1": Content(login=True), "api-key-1": Content(random=8)},
)


def reset(driver: ModelDriver, checkpoint: Checkpoint, *, made_by_lab: bool = True) -> Plan:
    driver.look()
    found = plan(driver.journal.world, checkpoint, made_by_lab=made_by_lab, env=ENV)
    apply(found.actions, checkpoint, driver, made_by_lab=made_by_lab, clock=driver.time)
    return found


def test_a_declaration_survives_the_engine() -> None:
    """What is sent is what the world later reads: no field is left to the client's defaults."""
    state = ServiceState(
        image="nginx:1.26",
        replicas=3,
        args=("-g", "daemon off;"),
        env=("A=1",),
        constraints=("node.role==manager",),
        publish=("8080:80", "53:53/udp", "8081:80/tcp/host"),
        secrets=("SSL_KEY:ssl-key",),
        configs=("site:/etc/nginx/conf.d/default.conf",),
        networks=("front",),
        labels={"tier": "web"},
    )
    driver = ModelDriver()
    checkpoint = Checkpoint(
        services={"web": state},
        secrets={"SSL_KEY": Content(text="not a real key")},
        configs={"site": Content(text="server {}")},
        networks=("front",),
    )
    reset(driver, checkpoint)
    raw = driver.swarm.service("web")["Spec"]
    assert raw["Labels"] == {"tier": "web", LABEL: "service"}
    assert raw["UpdateConfig"]["Parallelism"] == 1
    assert raw["UpdateConfig"]["FailureAction"] == "pause"
    assert raw["TaskTemplate"]["RestartPolicy"]["Condition"] == "any"
    read = service_spec(raw)
    assert read.ports[2].mode == "host"
    assert (read.ports, read.secrets, read.configs) == (state.spec.ports, state.spec.secrets, state.spec.configs)
    (secret,) = driver.swarm.named["secrets"].values()
    assert (secret["Spec"]["Data"], secret["Spec"]["Labels"]) == ("not a real key", {LABEL: "secret"})
    assert plan(driver.journal.world, checkpoint, made_by_lab=True).actions == ()


def test_the_second_reset_does_nothing() -> None:
    driver = ModelDriver()
    checkpoint = Checkpoint(services={"web": WEB}, secrets={"KEY": Content(random=8)})
    assert len(reset(driver, checkpoint).actions) == 2
    (secret,) = driver.swarm.named["secrets"].values()
    assert len(secret["Spec"]["Data"]) == 16
    asked = len(driver.swarm.asked)
    assert reset(driver, checkpoint).actions == ()
    assert len(driver.swarm.asked) == asked


def test_backwards_all_that_is_not_named_goes_and_its_tasks_have_ended() -> None:
    driver = ModelDriver()
    checkpoint = Checkpoint(services={"web": WEB}, secrets={"KEY": Content(text="x")}, networks=("front",))
    reset(driver, checkpoint)
    driver.run("docker service create --name stray --replicas 2 --no-resolve-image nginx:1.26")
    reset(driver, Checkpoint())
    assert not driver.swarm.services
    assert not driver.swarm.named["secrets"]
    assert [n["Name"] for n in driver.swarm.named["networks"].values()] == ["ingress"]
    assert all(task["Status"]["State"] in ENDED for task in driver.swarm.tasks.values())


def test_a_machine_that_is_off_comes_back_and_one_goes_off() -> None:
    driver = ModelDriver()
    off = Checkpoint(
        services={"web": WEB.model_copy(update={"runs_on": ()})}, nodes={"node4": NodeState(machine="off")}
    )
    reset(driver, off)
    node = driver.journal.world.swarm.node("node4")
    assert node is not None
    assert node.state == "down"
    assert reset(driver, off).actions == ()
    on = Checkpoint(services={"web": WEB})
    kinds = [type(a).__name__ for a in reset(driver, on).actions]
    assert kinds == ["StartNode", "RemoveService", "CreateService"]
    assert reset(driver, on).actions == ()


def test_a_machine_that_was_just_cut_off_is_connected_again_before_the_managers_miss_it() -> None:
    driver = ModelDriver()
    driver.look()
    driver.cut.add("node3")
    actions = plan(driver.journal.world, Checkpoint(), made_by_lab=True, off=driver.cut_off()).actions
    apply(actions, Checkpoint(), driver)
    assert [type(action).__name__ for action in actions] == ["StartNode"]
    assert driver.cut == set()


def test_nodes_are_set_back() -> None:
    driver = ModelDriver()
    driver.run("docker node update --availability drain node2")
    reset(driver, Checkpoint(nodes={"node3": NodeState(labels={"rack": "a"}, role="worker")}))
    specs = {name: driver.swarm.nodes[f"id-{name}"]["Spec"] for name in ("node2", "node3")}
    assert specs["node2"]["Availability"] == "active"
    assert (specs["node3"]["Role"], specs["node3"]["Labels"]) == ("worker", {"rack": "a"})


def test_an_update_out_of_sequence_reads_again() -> None:
    driver = ModelDriver()
    reset(driver, Checkpoint(services={"web": WEB}))
    driver.swarm.stale = 2
    reset(driver, Checkpoint(services={"web": WEB.model_copy(update={"replicas": 6})}))
    assert driver.swarm.service("web")["Spec"]["Mode"] == {"Replicated": {"Replicas": 6}}
    assert [m for m, path, _ in driver.swarm.asked if path.endswith("/update")] == ["POST"] * 3


def test_deletes_are_idempotent_and_a_create_that_meets_itself_is_done() -> None:
    driver = ModelDriver()
    driver.look()
    gone = (RemoveService("svc-gone", "web"), RemoveObject("secret", "gone", "KEY"))
    apply(gone, Checkpoint(), driver, clock=driver.time)
    driver.swarm.create_named("secrets", "KEY")
    wanted = Checkpoint(secrets={"KEY": Content(text="x")})
    apply((CreateObject("secret", "KEY", Content(text="x")),), wanted, driver, clock=driver.time)
    assert len(driver.swarm.named["secrets"]) == 1


def test_an_answer_that_is_lost_and_a_refusal_that_passes() -> None:
    driver = ModelDriver()
    driver.swarm.trouble = [
        requests.ConnectionError("gone"),
        requests.ReadTimeout("slow"),
        Refused(500, "rpc error: The swarm does not have a leader."),
    ]
    reset(driver, Checkpoint(services={"web": WEB}))
    assert driver.swarm.trouble == []
    assert len(driver.swarm.services) == 1


def test_a_refusal_that_stays_is_told_in_the_engines_words() -> None:
    driver = ModelDriver()
    driver.swarm.trouble = [Refused(400, "invalid mount config")]
    with pytest.raises(EngineError, match=r"refused to create service web.*invalid mount config"):
        reset(driver, Checkpoint(services={"web": WEB}))


def test_what_runs_must_also_answer_on_what_it_publishes() -> None:
    driver = ModelDriver()
    driver.deaf = [["node3"], ["node3"], []]
    reset(driver, Checkpoint(services={"web": WEB}))
    assert not driver.deaf
    driver.deaf = [["node2", "node3"] for _ in range(100)]
    with pytest.raises(WaitError, match="still missing: web does not answer on port 8080 of node2, node3"):
        apply((), Checkpoint(services={"web": WEB}), driver, bound=20, clock=driver.time)


def test_at_the_bound_it_says_what_is_missing() -> None:
    driver = ModelDriver()
    wanted = Checkpoint(services={"web": ServiceState(image="nginx:1.26", constraints=("node.role==nobody",))})
    found = plan(driver.journal.world, wanted, made_by_lab=True)
    with pytest.raises(
        WaitError, match=r"waited 20 s .* still missing: 0 of 1 tasks of web run; web.1 is pending"
    ) as caught:
        apply(found.actions, wanted, driver, bound=20, clock=driver.time)
    assert caught.value.exit_code == 1
    driver.swarm.trouble = [requests.ConnectionError("gone") for _ in range(500)]
    with pytest.raises(WaitError, match=r"no answer \(ConnectionError\)"):
        reset(driver, Checkpoint())


def test_what_is_not_granted_is_told() -> None:
    driver = ModelDriver()
    spec = ServiceState(image="x:1", secrets=("KEY",)).spec
    with pytest.raises(EngineError, match="no secret KEY"):
        apply((CreateService("web", spec),), Checkpoint(), driver, clock=driver.time)


def test_the_wish_to_stop_ends_it() -> None:
    driver = ModelDriver()
    driver.load_spec = True
    with pytest.raises(Cancelled):
        reset(driver, Checkpoint(services={"web": WEB}))
    assert not driver.swarm.services


def test_tasks_that_did_not_spread_are_spread() -> None:
    """The node was away for the scheduler when the service was made, and is back a moment later."""
    driver = ModelDriver()
    driver.swarm.nodes["id-node4"]["Spec"]["Availability"] = "drain"
    driver.swarm.set_node("node4")
    checkpoint = Checkpoint(services={"web": WEB.model_copy(update={"runs_on": ()})})
    nodes = {"node4": NodeState(availability="drain")}
    reset(driver, checkpoint.model_copy(update={"nodes": nodes}))
    driver.run("docker node update --availability active node4")
    apply((), Checkpoint(services={"web": WEB}), driver, clock=driver.time)
    assert plan(driver.journal.world, Checkpoint(services={"web": WEB}), made_by_lab=True).actions == ()


def test_on_a_cluster_of_others_their_services_stay_and_do_not_hold_it_up() -> None:
    driver = ModelDriver(ModelSwarm(Time()))
    driver.run("docker service create --name theirs --replicas 2 --no-resolve-image nginx:1.26")
    driver.run("docker service create --name web --replicas 2 --no-resolve-image nginx:1.26")
    driver.swarm.tick()
    plans = reset(driver, Checkpoint(services={"mine": WEB}), made_by_lab=False)
    assert {s["Spec"]["Name"] for s in driver.swarm.services.values()} == {"theirs", "web", "mine"}
    assert {left.name for left in plans.left} == {"theirs", "web"}


def test_a_global_service_has_no_replicas() -> None:
    assert api.service_mode(ServiceState(image="x:1", mode="global").spec) == {"Global": {}}


def test_stacks_are_deployed_and_the_second_reset_does_nothing() -> None:
    driver = ModelDriver()
    reset(driver, EDGE)
    assert driver.deployed == ["acme", "edge", "app"]
    world = driver.journal.world
    running = {
        name: len(world.swarm.live_tasks(s.id)) for name in EDGE.stack_services if (s := world.swarm.service(name))
    }
    assert running == {"acme_pebble": 1, "edge_socket": 1, "edge_traefik": 1, "app_frontend": 2, "app_backend": 3}
    traefik = world.swarm.service("edge_traefik")
    assert traefik is not None
    assert [world.swarm.node_name(t.node) for t in world.swarm.live_tasks(traefik.id)] == ["node2"]
    assert "--certificatesresolvers.le.acme.certificatesduration=2" in traefik.spec.args
    data = {raw["Spec"]["Name"]: raw["Spec"]["Data"] for raw in driver.swarm.named["secrets"].values()}
    assert data["users-1"] == driver.login().decode()
    assert reset(driver, EDGE).actions == ()
    assert driver.deployed == ["acme", "edge", "app"]


def test_stacks_there_and_back() -> None:
    driver = ModelDriver()
    reset(driver, EDGE)
    driver.volumes_removed.clear()
    reset(driver, Checkpoint())
    assert not driver.swarm.services
    assert not driver.swarm.named["configs"]
    assert [n["Name"] for n in driver.swarm.named["networks"].values()] == ["ingress"]
    assert driver.volumes_removed == ["edge_acme"]
    reset(driver, EDGE)
    assert reset(driver, EDGE).actions == ()


def test_a_stack_that_was_changed_by_hand_is_put_right() -> None:
    driver = ModelDriver()
    reset(driver, EDGE)
    driver.swarm.change("app_backend", lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Image="node:18"))
    driver.swarm.change("app_frontend", lambda spec: spec["Mode"]["Replicated"].update(Replicas=5))
    driver.deployed.clear()
    assert [a.sentence for a in reset(driver, EDGE).actions] == [
        "remove service app_backend, to make it anew (image)",
        "deploy stack app (app.yaml)",
    ]
    assert driver.deployed == ["app"]
    assert reset(driver, EDGE).actions == ()


def test_names_of_a_stack_that_were_taken_by_hand_are_given_back_to_it() -> None:
    driver = ModelDriver()
    driver.swarm.create_named("configs", "settings-1", data="of another time")
    driver.swarm.create_named("networks", "app_inside")
    reset(driver, EDGE)
    assert reset(driver, EDGE).actions == ()
    held = {n.name: n.content for n in driver.journal.world.swarm.objects.values()}
    assert held["settings-1"] == fingerprint((paths.stacks() / "app" / "settings.json").read_bytes())
    assert held["app_inside"] == held["api-key-1"] == ""


def test_a_deploy_that_meets_what_still_ends_is_tried_again() -> None:
    driver = ModelDriver()
    driver.refuse = [
        "failed to create service app_web: Error response from daemon: network app_inside not found",
        "rpc error: code = Unknown desc = update out of sequence",
    ]
    reset(driver, EDGE)
    assert driver.deployed == ["acme", "acme", "acme", "edge", "app"]


def test_a_deploy_that_is_refused_is_told_in_the_commands_words() -> None:
    driver = ModelDriver()
    driver.refuse = ["invalid mount config for type bind"]
    with pytest.raises(CommandError, match="invalid mount config"):
        reset(driver, EDGE)
    driver.refuse = ["network edge not found"] * 500
    with pytest.raises(WaitError, match=r"the engine to deploy stack acme .*network edge not found"):
        reset(driver, EDGE)


def test_it_waits_for_a_stacks_services() -> None:
    driver = ModelDriver()
    nowhere = EDGE.model_copy(update={"nodes": {}})
    found = plan(driver.journal.world, nowhere, made_by_lab=True, env=ENV)
    with pytest.raises(WaitError, match="0 of 1 tasks of edge_traefik run"):
        apply(found.actions, nowhere, driver, bound=20, clock=driver.time)


def test_a_service_of_which_not_all_can_run_is_not_waited_for_longer_than_that() -> None:
    """Its other tasks wait for a node that is not there."""
    driver = ModelDriver()
    most = ServiceState(image="nginx:1.26", replicas=6, max_per_node=1, running=4)
    none = ServiceState(image="nginx:1.26", constraints=("node.labels.disk==ssd",), running=0)
    checkpoint = Checkpoint(services={"most": most, "none": none})
    reset(driver, checkpoint)
    assert reset(driver, checkpoint).actions == ()
    states = [task["Status"]["State"] for task in driver.swarm.tasks.values()]
    assert (states.count("running"), states.count("pending")) == (4, 3)
    with pytest.raises(WaitError, match="4 tasks of most run, not 5"):
        reset(driver, Checkpoint(services={"most": most.model_copy(update={"running": 5})}))


def test_preferences_and_the_most_on_a_node_are_declared_as_the_engine_has_them() -> None:
    state = ServiceState(image="x:1", preferences=("node.labels.rack",), max_per_node=2)
    placement = api.service_body(state.spec, {})["task_template"]["Placement"]
    assert placement["Preferences"] == [{"Spread": {"SpreadDescriptor": "node.labels.rack"}}]
    assert placement["MaxReplicas"] == 2


def test_a_node_that_should_be_outside_leaves_and_is_forgotten() -> None:
    driver = ModelDriver()
    driver.look()
    checkpoint = Checkpoint(nodes={"node4": NodeState(in_swarm=False)})
    apply(plan(driver.journal.world, checkpoint, made_by_lab=True).actions, checkpoint, driver, clock=driver.time)
    assert "node4" in driver.outside
    assert driver.journal.world.swarm.node("node4") is None
    assert plan(driver.journal.world, checkpoint, made_by_lab=True).actions == ()


def test_what_is_left_of_a_manager_that_left_is_demoted_and_forgotten() -> None:
    driver = ModelDriver()
    old = copy.deepcopy(driver.swarm.nodes["id-node2"])
    driver.swarm.nodes["id-old"] = old | {"ID": "id-old", "Status": {"State": "down"}}
    driver.look()
    found = plan(driver.journal.world, Checkpoint(), made_by_lab=True)
    assert [action.sentence for action in found.actions] == ["forget the earlier node2"]
    apply(found.actions, Checkpoint(), driver, clock=driver.time)
    assert "id-old" not in driver.swarm.nodes


def test_a_reset_waits_until_a_drained_node_has_no_task_any_more() -> None:
    driver = ModelDriver()
    start = Checkpoint(services={"web": ServiceState(image="nginx:1.26", replicas=4)})
    drained = start.model_copy(update={"nodes": {"node4": NodeState(availability="drain")}})
    for checkpoint in (start, drained):
        driver.look()
        found = plan(driver.journal.world, checkpoint, made_by_lab=True)
        apply(found.actions, checkpoint, driver, clock=driver.time)
    world = driver.journal.world
    (web,) = world.swarm.services.values()
    assert len(world.swarm.live_tasks(web.id)) == 4
    assert "node4" not in {world.swarm.node_name(task.node) for task in world.swarm.live_tasks(web.id)}
