"""What changed between two worlds, in words."""

from __future__ import annotations

from dataclasses import replace

from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import ServiceSpec, SwarmObject, UpdateStatus
from lab.world.world import World, fold, fold_all
from tests.builders import NODES, first_look, service, task

BASE = fold_all([Entry(0, first_look(service(), tasks=[task(1), task(2), task(3)]))])
CRASHED = task(3, state="failed", exit=137, changed=131.0)


def told(*changes: SwarmChanged, base: World = BASE) -> list[str]:
    world = base
    for at, change in enumerate(changes, start=1):
        world = fold(world, Entry(float(at), change))
    return [change.text for change in world.changes[len(base.changes) :]]


def change(**more: object) -> SwarmChanged:
    return SwarmChanged("node1", **more)  # type: ignore[arg-type]


def test_a_first_look_at_what_was_unknown_says_nothing() -> None:
    assert BASE.changes == ()


def test_a_crash_and_its_replacement_are_one_line_then_another() -> None:
    heir = task(3, 2, on="n4", state="assigned", created=131.0, changed=131.0)
    lines = told(
        change(tasks=(CRASHED, heir)),
        change(tasks=(replace(heir, state="preparing"),)),
        change(tasks=(replace(heir, state="running", changed=133.4),)),
    )
    assert lines == [
        "web.3 failed on node3 (exit 137); a new task was assigned to node4",
        "web.3 runs on node4 (2.4 s after it was created)",
    ]


def test_a_replacement_that_comes_later_is_told_when_it_comes() -> None:
    heir = task(3, 2, on="", state="pending", created=131.0)
    lines = told(
        change(tasks=(CRASHED,)),
        change(tasks=(replace(heir, node="", error="no suitable node"),)),
        change(tasks=(replace(heir, node="n4", state="assigned"),)),
    )
    assert lines == [
        "web.3 failed on node3 (exit 137)",
        "web.3 waits: no suitable node",
        "web.3 was assigned to node4",
    ]


def test_a_rejected_task_gives_its_reason() -> None:
    rejected = task(3, 2, on="n4", state="rejected", error="No such image: nope:1")
    assert told(change(tasks=(rejected,))) == ["web.3 rejected on node4 (No such image: nope:1)"]


def test_scaling_is_told_by_what_is_desired_and_where_tasks_go() -> None:
    new = task(4, on="n4", state="assigned")
    assert told(change(services=(service(desired=4),), tasks=(new,))) == [
        "web: desired 3 → 4",
        "web.4 was assigned to node4",
    ]
    down = told(
        change(services=(service(desired=2),), tasks=(task(3, desired="remove"),)),
        change(tasks=(task(3, state="shutdown", desired="remove"),)),
        change(gone=("t-web.3.1",)),
    )
    assert down == ["web: desired 3 → 2", "web.3 was shut down on node3"]


def test_a_task_that_was_never_placed_is_shut_down_nowhere() -> None:
    waits = replace(task(4, state="pending", error="no suitable node"), node="")
    lines = told(change(tasks=(waits,)), change(tasks=(replace(waits, state="shutdown", desired="shutdown"),)))
    assert lines == ["web.4 waits: no suitable node", "web.4 was shut down"]


def test_a_drain_and_the_tasks_that_leave() -> None:
    drained = replace(NODES[2], availability="drain")
    lines = told(
        change(nodes=(drained,)),
        change(tasks=(task(3, desired="shutdown"), task(3, 2, on="n4", state="assigned"))),
        change(tasks=(task(3, state="shutdown"),)),
    )
    assert lines == ["node3 is set to drain", "web.3 was assigned to node4", "web.3 was shut down on node3"]


def test_a_leader_that_dies_and_the_next() -> None:
    lines = told(
        change(
            nodes=(
                replace(NODES[0], leader=False, state="down", reachability="unreachable"),
                replace(NODES[1], leader=True),
            )
        )
    )
    assert lines == ["node1 is down (was ready)", "manager node1 is unreachable", "node2 leads the managers"]


def test_only_a_node_that_the_managers_call_down_is_down() -> None:
    states = ("unknown", "disconnected", "down", "ready", "unknown", "ready")
    world = BASE
    for at, state in enumerate(states, start=1):
        world = fold(world, Entry(float(at), change(nodes=(replace(NODES[2], state=state),))))
    world = fold(world, Entry(9.0, change(gone=("n4",))))
    assert [(line.text, line.kind) for line in world.changes[len(BASE.changes) :]] == [
        ("node3 is unknown (was ready)", ""),
        ("node3 is disconnected (was unknown)", ""),
        ("node3 is down (was disconnected)", "node-down"),
        ("node3 is ready (was down)", ""),
        ("node3 is unknown (was ready)", ""),
        ("node3 is ready (was unknown)", ""),
        ("node4 left the swarm", "node-left"),
    ]


def test_nodes_come_and_go_and_change_their_role() -> None:
    lines = told(
        change(nodes=(replace(NODES[3], id="n5", name="node5"),)),
        change(nodes=(replace(NODES[3], role="manager", reachability="reachable"),)),
        change(gone=("n5",)),
    )
    assert lines == [
        "node5 joined as a worker",
        "node4 is now a manager",
        "manager node4 is reachable",
        "node5 left the swarm",
    ]


def test_services_secrets_and_updates() -> None:
    web = service()
    lines = told(
        change(services=(service("db", 1),), named=(SwarmObject("secret", "x1", "SSL_KEY"),)),
        change(services=(replace(web, spec=ServiceSpec("nginx:1.27"), status=UpdateStatus("updating")),)),
        change(services=(replace(web, spec=ServiceSpec("nginx:1.27"), status=UpdateStatus("rollback_started")),)),
        change(gone=("s-db", "x1", "unknown")),
    )
    assert lines == [
        "service db was created, 1 task desired",
        "secret SSL_KEY was created",
        "web: image nginx:1.26 → nginx:1.27",
        "web: update under way",
        "web: rollback under way",
        "service db was removed",
        "secret SSL_KEY was removed",
    ]


def test_the_tasks_of_a_global_service_are_named_by_their_node() -> None:
    agent = replace(service("agent", 4), spec=ServiceSpec("a", mode="global", replicas=0))
    lines = told(change(services=(agent,), tasks=(task(0, on="n2", name="agent", created=100.0, changed=100.5),)))
    assert lines == [
        "service agent was created, 4 tasks desired",
        "agent.node2 runs on node2 (0.5 s after it was created)",
    ]


def test_looking_again_says_nothing() -> None:
    assert told(change(nodes=NODES, services=(service(),), tasks=(task(1), task(2), task(3)))) == []


def test_tones_and_ids_go_with_a_line() -> None:
    world = fold(BASE, Entry(1, change(tasks=(CRASHED,))))
    line = world.changes[-1]
    assert (line.tone, line.service, line.task, line.node, line.at) == ("bad", "s-web", "t-web.3.1", "n3", 1.0)
