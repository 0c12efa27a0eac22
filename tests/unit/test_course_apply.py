"""A reset carried out: the real docker client, on a model of the engine's API."""

from __future__ import annotations

import pytest
import requests

from lab import paths
from lab.course import engine as api
from lab.course.actions import LABEL, CreateNamed, CreateService, Plan, RemoveNamed, RemoveService
from lab.course.apply import apply
from lab.course.checkpoint import Checkpoint, Content, NodeState, ServiceState
from lab.course.plan import plan
from lab.course.stack.state import StackState
from lab.errors import CommandError, EngineError, WaitError
from lab.watch.convert import service_spec
from lab.world.swarm import fingerprint
from tests.doubles.hands import ModelHands
from tests.doubles.model import ENDED, ModelSwarm, Refused, Time

WEB = ServiceState(image="nginx:1.26", replicas=4, publish=("8080:80",), runs_on=("node4",))


ENV = {"ACME_DIR": "/nowhere"}
EDGE = Checkpoint(
    stacks={
        "acme": StackState(file="acme.yaml"),
        "edge": StackState(file="edge.yaml", env={"ACME_HOURS": "2"}, fresh_with=("acme",)),
        "app": StackState(file="app.yaml"),
    },
    networks=("edge",),
    nodes={"node2": NodeState(labels={"edge": "true"})},
    secrets={"users-1": Content(login=True), "api-key-1": Content(random=8)},
)


def reset(hands: ModelHands, checkpoint: Checkpoint, *, made_by_lab: bool = True) -> Plan:
    hands.look()
    found = plan(hands.journal.world, checkpoint, made_by_lab=made_by_lab, env=ENV)
    apply(found.actions, checkpoint, hands, made_by_lab=made_by_lab, clock=hands.time)
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
    hands = ModelHands()
    checkpoint = Checkpoint(
        services={"web": state},
        secrets={"SSL_KEY": Content(text="not a real key")},
        configs={"site": Content(text="server {}")},
        networks=("front",),
    )
    reset(hands, checkpoint)
    raw = hands.swarm.service("web")["Spec"]
    assert raw["Labels"] == {"tier": "web", LABEL: "service"}
    assert raw["UpdateConfig"]["Parallelism"] == 1
    assert raw["UpdateConfig"]["FailureAction"] == "pause"
    assert raw["TaskTemplate"]["RestartPolicy"]["Condition"] == "any"
    read = service_spec(raw)
    assert read.ports[2].mode == "host"
    assert (read.ports, read.secrets, read.configs) == (state.spec.ports, state.spec.secrets, state.spec.configs)
    (secret,) = hands.swarm.named["secrets"].values()
    assert (secret["Spec"]["Data"], secret["Spec"]["Labels"]) == ("not a real key", {LABEL: "secret"})
    assert plan(hands.journal.world, checkpoint, made_by_lab=True).actions == ()


def test_the_second_reset_does_nothing() -> None:
    hands = ModelHands()
    checkpoint = Checkpoint(services={"web": WEB}, secrets={"KEY": Content(random=8)})
    assert len(reset(hands, checkpoint).actions) == 2
    (secret,) = hands.swarm.named["secrets"].values()
    assert len(secret["Spec"]["Data"]) == 16
    asked = len(hands.swarm.asked)
    assert reset(hands, checkpoint).actions == ()
    assert len(hands.swarm.asked) == asked


def test_backwards_all_that_is_not_named_goes_and_its_tasks_have_ended() -> None:
    hands = ModelHands()
    checkpoint = Checkpoint(services={"web": WEB}, secrets={"KEY": Content(text="x")}, networks=("front",))
    reset(hands, checkpoint)
    hands.run("docker service create --name stray --replicas 2 --no-resolve-image nginx:1.26")
    reset(hands, Checkpoint())
    assert not hands.swarm.services
    assert not hands.swarm.named["secrets"]
    assert [n["Name"] for n in hands.swarm.named["networks"].values()] == ["ingress"]
    assert all(task["Status"]["State"] in ENDED for task in hands.swarm.tasks.values())


def test_a_machine_that_is_off_comes_back_and_one_goes_off() -> None:
    hands = ModelHands()
    off = Checkpoint(
        services={"web": WEB.model_copy(update={"runs_on": ()})}, nodes={"node4": NodeState(machine="off")}
    )
    reset(hands, off)
    node = hands.journal.world.node("node4")
    assert node is not None
    assert node.state == "down"
    assert reset(hands, off).actions == ()
    on = Checkpoint(services={"web": WEB})
    kinds = [type(a).__name__ for a in reset(hands, on).actions]
    assert kinds == ["StartNode", "RemoveService", "CreateService"]
    assert reset(hands, on).actions == ()


def test_nodes_are_set_back() -> None:
    hands = ModelHands()
    hands.run("docker node update --availability drain node2")
    reset(hands, Checkpoint(nodes={"node3": NodeState(labels={"rack": "a"}, role="worker")}))
    specs = {name: hands.swarm.nodes[f"id-{name}"]["Spec"] for name in ("node2", "node3")}
    assert specs["node2"]["Availability"] == "active"
    assert (specs["node3"]["Role"], specs["node3"]["Labels"]) == ("worker", {"rack": "a"})


def test_an_update_out_of_sequence_reads_again() -> None:
    hands = ModelHands()
    reset(hands, Checkpoint(services={"web": WEB}))
    hands.swarm.stale = 2
    reset(hands, Checkpoint(services={"web": WEB.model_copy(update={"replicas": 6})}))
    assert hands.swarm.service("web")["Spec"]["Mode"] == {"Replicated": {"Replicas": 6}}
    assert [m for m, path, _ in hands.swarm.asked if path.endswith("/update")] == ["POST"] * 3


def test_deletes_are_idempotent_and_a_create_that_meets_itself_is_done() -> None:
    hands = ModelHands()
    hands.look()
    gone = (RemoveService("svc-gone", "web"), RemoveNamed("secret", "gone", "KEY"))
    apply(gone, Checkpoint(), hands, clock=hands.time)
    hands.swarm.create_named("secrets", "KEY")
    wanted = Checkpoint(secrets={"KEY": Content(text="x")})
    apply((CreateNamed("secret", "KEY", Content(text="x")),), wanted, hands, clock=hands.time)
    assert len(hands.swarm.named["secrets"]) == 1


def test_an_answer_that_is_lost_and_a_refusal_that_passes() -> None:
    hands = ModelHands()
    hands.swarm.trouble = [
        requests.ConnectionError("gone"),
        requests.ReadTimeout("slow"),
        Refused(500, "rpc error: The swarm does not have a leader."),
    ]
    reset(hands, Checkpoint(services={"web": WEB}))
    assert hands.swarm.trouble == []
    assert len(hands.swarm.services) == 1


def test_a_refusal_that_stays_is_told_in_the_engines_words() -> None:
    hands = ModelHands()
    hands.swarm.trouble = [Refused(400, "invalid mount config")]
    with pytest.raises(EngineError, match=r"refused to create service web.*invalid mount config"):
        reset(hands, Checkpoint(services={"web": WEB}))


def test_what_runs_must_also_answer_on_what_it_publishes() -> None:
    hands = ModelHands()
    hands.deaf = [["node3"], ["node3"], []]
    reset(hands, Checkpoint(services={"web": WEB}))
    assert not hands.deaf
    hands.deaf = [["node2", "node3"] for _ in range(100)]
    with pytest.raises(WaitError, match="still missing: web does not answer on port 8080 of node2, node3"):
        apply((), Checkpoint(services={"web": WEB}), hands, bound=20, clock=hands.time)


def test_at_the_bound_it_says_what_is_missing() -> None:
    hands = ModelHands()
    wanted = Checkpoint(services={"web": ServiceState(image="nginx:1.26", constraints=("node.role==nobody",))})
    found = plan(hands.journal.world, wanted, made_by_lab=True)
    with pytest.raises(WaitError, match=r"waited 20 s .* still missing: 0 of 1 tasks of web run") as caught:
        apply(found.actions, wanted, hands, bound=20, clock=hands.time)
    assert caught.value.exit_code == 1
    hands.swarm.trouble = [requests.ConnectionError("gone") for _ in range(500)]
    with pytest.raises(WaitError, match=r"no answer \(ConnectionError\)"):
        reset(hands, Checkpoint())


def test_what_is_not_granted_is_told() -> None:
    hands = ModelHands()
    spec = ServiceState(image="x:1", secrets=("KEY",)).spec
    with pytest.raises(EngineError, match="no secret KEY"):
        apply((CreateService("web", spec),), Checkpoint(), hands, clock=hands.time)


def test_the_wish_to_stop_ends_it() -> None:
    hands = ModelHands()
    hands.wish = True
    with pytest.raises(KeyboardInterrupt):
        reset(hands, Checkpoint(services={"web": WEB}))
    assert not hands.swarm.services


def test_tasks_that_did_not_spread_are_spread() -> None:
    """The node was away for the scheduler when the service was made, and is back a moment later."""
    hands = ModelHands()
    hands.swarm.nodes["id-node4"]["Spec"]["Availability"] = "drain"
    hands.swarm.set_node("node4")
    checkpoint = Checkpoint(services={"web": WEB.model_copy(update={"runs_on": ()})})
    nodes = {"node4": NodeState(availability="drain")}
    reset(hands, checkpoint.model_copy(update={"nodes": nodes}))
    hands.run("docker node update --availability active node4")
    apply((), Checkpoint(services={"web": WEB}), hands, clock=hands.time)
    assert plan(hands.journal.world, Checkpoint(services={"web": WEB}), made_by_lab=True).actions == ()


def test_on_a_cluster_of_others_their_services_stay_and_do_not_hold_it_up() -> None:
    hands = ModelHands(ModelSwarm(Time()))
    hands.run("docker service create --name theirs --replicas 2 --no-resolve-image nginx:1.26")
    hands.run("docker service create --name web --replicas 2 --no-resolve-image nginx:1.26")
    hands.swarm.tick()
    plans = reset(hands, Checkpoint(services={"mine": WEB}), made_by_lab=False)
    assert {s["Spec"]["Name"] for s in hands.swarm.services.values()} == {"theirs", "web", "mine"}
    assert {left.name for left in plans.left} == {"theirs", "web"}


def test_a_global_service_has_no_replicas() -> None:
    assert api.mode(ServiceState(image="x:1", mode="global").spec) == {"Global": {}}


def test_stacks_are_deployed_and_the_second_reset_does_nothing() -> None:
    hands = ModelHands()
    reset(hands, EDGE)
    assert hands.deployed == ["acme", "edge", "app"]
    world = hands.journal.world
    running = {name: len(world.live_tasks(s.id)) for name in EDGE.stack_services if (s := world.service(name))}
    assert running == {"acme_pebble": 1, "edge_traefik": 1, "app_frontend": 2, "app_backend": 3}
    traefik = world.service("edge_traefik")
    assert traefik is not None
    assert [world.node_name(t.node) for t in world.live_tasks(traefik.id)] == ["node2"]
    assert "--certificatesresolvers.acme.acme.certificatesduration=2" in traefik.spec.args
    data = {raw["Spec"]["Name"]: raw["Spec"]["Data"] for raw in hands.swarm.named["secrets"].values()}
    assert data["users-1"] == hands.login().decode()
    assert reset(hands, EDGE).actions == ()
    assert hands.deployed == ["acme", "edge", "app"]


def test_stacks_there_and_back() -> None:
    hands = ModelHands()
    reset(hands, EDGE)
    hands.volumes_removed.clear()
    reset(hands, Checkpoint())
    assert not hands.swarm.services
    assert not hands.swarm.named["configs"]
    assert [n["Name"] for n in hands.swarm.named["networks"].values()] == ["ingress"]
    assert hands.volumes_removed == ["edge_acme"]
    reset(hands, EDGE)
    assert reset(hands, EDGE).actions == ()


def test_a_stack_that_was_changed_by_hand_is_put_right() -> None:
    hands = ModelHands()
    reset(hands, EDGE)
    hands.swarm.change("app_backend", lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Image="node:18"))
    hands.swarm.change("app_frontend", lambda spec: spec["Mode"]["Replicated"].update(Replicas=5))
    hands.deployed.clear()
    assert [a.sentence for a in reset(hands, EDGE).actions] == [
        "remove service app_backend, to make it anew (image)",
        "deploy stack app (app.yaml)",
    ]
    assert hands.deployed == ["app"]
    assert reset(hands, EDGE).actions == ()


def test_names_of_a_stack_that_were_taken_by_hand_are_given_back_to_it() -> None:
    hands = ModelHands()
    hands.swarm.create_named("configs", "server-1", data="of another time")
    hands.swarm.create_named("networks", "app_inside")
    reset(hands, EDGE)
    assert reset(hands, EDGE).actions == ()
    held = {n.name: n.content for n in hands.journal.world.named.values()}
    assert held["server-1"] == fingerprint((paths.stacks() / "app" / "server.js").read_bytes())
    assert held["app_inside"] == held["api-key-1"] == ""


def test_a_deploy_that_meets_what_still_ends_is_tried_again() -> None:
    hands = ModelHands()
    hands.refuse = [
        "failed to create service app_web: Error response from daemon: network app_inside not found",
        "rpc error: code = Unknown desc = update out of sequence",
    ]
    reset(hands, EDGE)
    assert hands.deployed == ["acme", "acme", "acme", "edge", "app"]


def test_a_deploy_that_is_refused_is_told_in_the_commands_words() -> None:
    hands = ModelHands()
    hands.refuse = ["invalid mount config for type bind"]
    with pytest.raises(CommandError, match="invalid mount config"):
        reset(hands, EDGE)
    hands.refuse = ["network edge not found"] * 500
    with pytest.raises(WaitError, match=r"the engine to deploy stack acme .*network edge not found"):
        reset(hands, EDGE)


def test_it_waits_for_a_stacks_services() -> None:
    hands = ModelHands()
    nowhere = EDGE.model_copy(update={"nodes": {}})
    found = plan(hands.journal.world, nowhere, made_by_lab=True, env=ENV)
    with pytest.raises(WaitError, match="0 of 1 tasks of edge_traefik run"):
        apply(found.actions, nowhere, hands, bound=20, clock=hands.time)
