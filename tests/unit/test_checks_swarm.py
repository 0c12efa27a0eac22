"""Checks: what each asks, in words, and what it finds in a world, with the real figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from lab.checks.base import Baseline, Outcome
from lab.checks.check import Check
from lab.checks.replacements import replacement_times, replacements
from lab.world.entries import ActDone, CommandBegan, CommandEnded, Hit, ManagerLink, SwarmChanged
from lab.world.swarm import Node, Service, ServiceSpec, SwarmObject, Task, UpdateConfig, UpdateStatus
from lab.world.world import World
from tests.builders import NODES, saw

WEB = Service("s", "web", ServiceSpec("nginx:1.26", replicas=3), 3)


def task(slot: int, node: int = 0, state: str = "running", desired: str = "running", **more: Any) -> Task:
    name = more.pop("id", f"t{slot}")
    made, changed = more.pop("created", 1.0), more.pop("changed", 2.0)
    return Task(name, "s", slot, f"n{node or slot}", state, desired, made, changed, **more)


START = saw(World(), SwarmChanged("node1", NODES, (WEB,), (task(1), task(2), task(3)), first=True))


def tasks(*changed: Task, base: World = START, gone: tuple[str, ...] = ()) -> World:
    return saw(base, SwarmChanged("node1", tasks=changed, gone=gone))


def find(check: dict[str, Any], world: World, since: World = START, **moment: Any) -> Outcome:
    return Check.model_validate(check, strict=False).evaluate(world, Baseline(since=since, **moment))


def test_every_check_asks_in_words() -> None:
    asks: list[tuple[dict[str, Any], str]] = [
        ({"running": {"service": "web", "exactly": 3}}, "3 tasks of web run"),
        ({"running": {"service": "web", "exactly": 1}}, "1 task of web runs"),
        ({"running": {"service": "web", "exactly": 0}}, "no task of web runs"),
        ({"running": {"service": "web", "at_least": 2}}, "at least 2 tasks of web run"),
        ({"steady": {"service": "web", "seconds": 20}}, "the tasks of web have all run for 20 seconds"),
        ({"service": {"name": "web", "monitor": 9}}, "service web watches new tasks for 9 seconds"),
        ({"service": {"name": "web"}}, "service web exists"),
        ({"service": {"name": "web", "absent": True}}, "there is no service web"),
        (
            {"service": {"name": "web", "replicas": 1, "update": "rollback_started"}},
            "service web wants 1 replica and has its update rollback started",
        ),
        ({"happened": {"service": "web", "task": "failed", "exit": 137}}, "a task of web failed (exit 137)"),
        ({"happened": {"service": "web", "task": "shutdown", "at_least": 4}}, "4 tasks of web were shut down"),
        ({"replaced": {"service": "web"}}, "a task of web was replaced"),
        (
            {"replaced": {"service": "web", "on": "node4", "then_running": 4}},
            "a task of web on node4 was replaced, and 4 of 4 run again",
        ),
        ({"placed": {"service": "web", "role": "manager"}}, "web runs on managers only"),
        ({"placed": {"service": "web", "nodes": ["node1", "node2"]}}, "web runs on node1 or node2 only"),
        ({"placed": {"service": "web", "every_node": True}}, "web runs on every node"),
        ({"node": {"name": "node4", "state": "down"}}, "node4 is down"),
        ({"node": {"name": "node1", "role": "manager", "leader": False}}, "node1 is a manager and does not lead"),
        ({"node": {"name": "node4", "absent": True}}, "node4 is not in the list of nodes"),
        ({"node": {"name": "node4", "reachability": "reachable"}}, "node4 is reachable as a manager"),
        ({"managers": {"answer": False}}, "no manager answers"),
        ({"managers": {"answer": True}}, "a manager answers"),
        ({"happened": {"service": "web", "task": "pending"}}, "a task of web had to wait for a node"),
        ({"exists": {"secret": "KEY"}}, "there is a secret KEY"),
        ({"exists": {"config": "c", "absent": True}}, "there is no config c"),
        ({"exit": 1}, "the command ends with exit status 1"),
        ({"output": {"contains": "3/3"}}, "the output holds “3/3”"),
        ({"output": {"matches": "x", "says": "shows x"}}, "the output shows x"),
        ({"http": {"port": 8080, "every_node": True}}, "port 8080 answers / with 200 through every node"),
    ]
    for plain, sentence in asks:
        check = Check.model_validate(plain, strict=False)
        assert check.sentence.startswith(sentence)
        assert find(plain, World(), World()).why


@pytest.mark.parametrize(
    "plain",
    [
        {},
        {"exit": 0, "node": {"name": "a", "state": "down"}},
        {"running": {"service": "web"}},
        {"running": {"service": "web", "exactly": 1, "at_least": 1}},
        {"running": None},
        {"placed": {"service": "web", "role": "manager", "every_node": True}},
        {"node": {"name": "a"}},
        {"exists": {"secret": "a", "network": "b"}},
        {"output": {"matches": "("}},
        {"http": {"port": 0}},
    ],
)
def test_what_asks_nothing_or_two_things_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Check.model_validate(plain)


def test_running_counts_and_says_what_is_on_its_way() -> None:
    ask = {"running": {"service": "web", "exactly": 3}}
    assert find(ask, START) == Outcome(True, "3 of 3 tasks of web run")
    late = tasks(task(3, 2, "preparing"))
    assert find(ask, late).why == "2 of 3 tasks of web run; web.3 is preparing on node2"
    broken = tasks(task(3, 3, "rejected", "shutdown", error="No such image"))
    assert find(ask, broken).why == "2 of 3 tasks of web run; web.3 was rejected on node3 (No such image)"
    assert find({"running": {"service": "web", "at_least": 2}}, late).ok
    assert find({"running": {"service": "gone", "exactly": 0}}, START).ok


def test_what_is_on_its_way_is_told_with_its_seconds() -> None:
    base = saw(START, CommandBegan(1, "node1", "docker ps"))
    late = tasks(task(3, 2, "preparing", changed=90.0), base=base)
    given = tasks(task(3, 2, "assigned", changed=90.0), base=base)
    seen = late.at  # The task entered its state at the latest now, which is what the managers' clock is set by.
    found = find({"running": {"service": "web", "exactly": 3}}, late)
    assert found.why_at(seen + 6.4) == "2 of 3 tasks of web run; web.3 is preparing on node2 for 6 s"
    assert found.why_at(seen + 126) == "2 of 3 tasks of web run; web.3 is preparing on node2 for 2 min 6 s"
    assert found.why_at(seen + 0.9) == found.why_at(seen - 1) == "2 of 3 tasks of web run; web.3 is preparing on node2"
    assert "web.3 is assigned to node2" in find({"running": {"service": "web", "exactly": 3}}, given).why
    assert found == find({"running": {"service": "web", "exactly": 3}}, saw(late, CommandEnded(1, 0, 5.0))), "no news"


@pytest.mark.parametrize(
    ("check", "why"),
    [
        ({"running": {"service": "web", "at_least": 3}}, "2 of 3 tasks of web run; {}"),
        ({"replaced": {"service": "web", "on": "node3"}}, "web.3 failed on node3; {}"),
        (
            {"happened": {"service": "web", "task": "running"}},
            "no task of web started since the step began; web.3 failed on node3; {}",
        ),
        ({"placed": {"service": "web", "at_least": 3}}, "tasks of web by node: node1 1, node2 1; that is 2 nodes; {}"),
    ],
)
def test_every_check_that_waits_for_a_task_names_it_with_its_seconds(check: dict[str, Any], why: str) -> None:
    heir = task(3, 4, "starting", id="t3.2", created=9.0, changed=9.0)
    world = tasks(task(3, 3, "failed", "shutdown"), heir)
    found = find(check, world)
    assert not found.ok
    assert found.why_at(world.at + 3) == why.format("web.3 is starting on node4 for 3 s")


def test_a_task_that_fits_no_node_waits_since_it_was_made() -> None:
    """The scheduler stamps it anew at each try."""
    late = task(3, state="pending", id="t9", created=100.0, changed=130.0, error="no suitable node")
    world = tasks(replace(late, node=""), base=tasks(gone=("t3",)))
    found = find({"running": {"service": "web", "exactly": 3}}, world)
    assert found.why_at(world.at).endswith("web.3 is pending for 30 s (no suitable node)")


def test_an_update_under_way_says_for_how_long() -> None:
    status = UpdateStatus("updating", "update in progress", started=50.0)
    world = tasks(
        task(1, changed=56.0), base=saw(START, SwarmChanged("node1", services=(replace(WEB, status=status),)))
    )
    found = find({"updated": {"service": "web", "state": "completed"}}, world)
    assert found.why_at(world.at) == "web: updating for 6 s (update in progress)"
    found = find({"service": {"name": "web", "update": "completed"}}, world)
    assert found.why_at(world.at + 1) == "web is updating for 7 s: update in progress"


def test_running_exactly_waits_for_what_stops_and_for_what_is_wanted() -> None:
    two = replace(WEB, desired=2)
    ask = {"running": {"service": "web", "exactly": 2}}
    stopping = saw(tasks(task(3, desired="shutdown")), SwarmChanged("node1", services=(two,)))
    assert find(ask, stopping) == Outcome(False, "2 tasks of web run; web.3 is still stopping on node3")
    assert find(ask, tasks(base=stopping, gone=("t3",))).ok
    assert "but 3 are wanted" in find(ask, tasks(task(3, desired="shutdown"))).why
    lost = saw(stopping, SwarmChanged("node1", nodes=(replace(NODES[2], state="down"),)))
    assert find(ask, lost).ok, "a lost node's task cannot say that it stopped"


def test_a_node_is_absent_once_no_manager_lists_it() -> None:
    ask = {"node": {"name": "node4", "absent": True}}
    listed = saw(START, SwarmChanged("node1", nodes=(Node("n4", "node4", "worker", "down"),)))
    assert find(ask, listed) == Outcome(False, "node4 is a worker, down, active")
    assert find(ask, saw(listed, SwarmChanged("node1", gone=("n4",)))) == Outcome(True, "there is no node node4")
    with pytest.raises(ValidationError, match="a node that is absent has no state"):
        Check.model_validate({"node": {"name": "node4", "absent": True, "state": "down"}}, strict=False)


def test_a_manager_is_reachable_or_not() -> None:
    ask = {"node": {"name": "node4", "role": "manager", "reachability": "reachable"}}
    new = Node("n4", "node4", "manager", "ready")
    assert find(ask, saw(START, SwarmChanged("node1", nodes=(new,)))) == Outcome(
        False, "node4 is a manager, ready, active"
    )
    found = find(ask, saw(START, SwarmChanged("node1", nodes=(replace(new, reachability="reachable"),))))
    assert found == Outcome(True, "node4 is a manager, ready, active, reachable")


def test_what_happened_before_the_step_does_not_count() -> None:
    ask = {"happened": {"service": "web", "task": "failed", "exit": 137}}
    failed = tasks(task(2, 2, "failed", "shutdown", exit=137))
    assert find(ask, failed) == Outcome(True, "web.2 failed on node2 (exit 137)")
    assert find(ask, failed, since=failed) == Outcome(False, "no task of web failed (exit 137) since the step began")
    other = tasks(task(2, 2, "failed", "shutdown", exit=1))
    assert find(ask, other).why.endswith("since the step began; web.2 failed on node2 (exit 1)")
    assert not find({"happened": {"service": "web", "task": "failed", "on": "node3"}}, failed).ok
    two = {"happened": {"service": "web", "task": "failed", "at_least": 2}}
    assert find(two, failed).why == "1 of 2 tasks of web failed since"


def test_replaced_follows_the_slot_from_the_old_task_to_the_new() -> None:
    ask = {"replaced": {"service": "web", "on": "node2", "then_running": 3}}
    assert find(ask, START).why == "every task of web on node2 that ran when the step began still does"
    failed = tasks(task(2, 2, "failed", "shutdown", exit=137))
    assert find(ask, failed).why == "web.2 failed on node2 (exit 137); no new task was made for its slot yet"
    coming = tasks(task(2, 4, "preparing", id="n2", created=9.0), base=failed)
    assert find(ask, coming).why == "web.2 failed on node2 (exit 137); web.2 is preparing on node4"
    there = tasks(task(2, 4, id="n2", created=9.0), base=coming)
    assert find(ask, there) == Outcome(True, "web.2 now runs on node4")
    assert not find(ask, there, since=there).ok
    less = tasks(task(3, state="failed", desired="shutdown"), base=there)
    assert find(ask, less).why.startswith("2 of 3 tasks of web run")


def test_replaced_takes_the_managers_word_for_a_lost_nodes_task() -> None:
    lost = tasks(task(3, desired="shutdown"), task(3, 1, id="n3", created=9.0))
    assert find({"replaced": {"service": "web", "on": "node3"}}, lost) == Outcome(True, "web.3 now runs on node1")
    assert list(replacements(START, tasks(gone=("t3",)), "s")) == [], "a slot that is gone has no replacement"


def node_is(state: str, base: World) -> World:
    return saw(base, SwarmChanged("node1", nodes=(replace(NODES[2], state=state),)))


def test_what_is_measured_and_ordered_is_when_a_node_was_down_not_when_it_was_unknown() -> None:
    check = Check.model_validate({"node": {"name": "node3", "state": "down"}}).condition
    unknown = node_is("unknown", saw(START, ActDone("the lab powered node3 off", "node3")))
    assert not [*check.measure(unknown, Baseline(since=START))]
    down = node_is("down", saw(unknown, ManagerLink("live", "node1")))
    said = "node3 was down for the managers 3.0 s after the lab powered node3 off"
    assert [*check.measure(down, Baseline(since=START))] == [said]
    order = {"order": {"events": [{"down": "node3"}, {"service": "web", "task": "assigned"}]}}
    heir = (task(3, desired="shutdown"), task(3, 1, id="n3", created=9.0))
    early = node_is("down", tasks(*heir, base=unknown))
    assert find(order, early).why == "a task of web is assigned (slot 3) 1.0 s before node3 is down"
    assert find(order, tasks(*heir, base=down)).ok


@pytest.mark.parametrize(
    ("said", "how"),
    [
        (SwarmChanged("node1", nodes=(replace(NODES[2], state="down"),)), ["node3 was down"]),
        (SwarmChanged("node1", gone=("n3",)), ["node3 left the swarm"]),
        (SwarmChanged("node1", nodes=(replace(NODES[2], state="unknown"),)), []),
    ],
)
def test_how_a_task_ended_whose_own_report_cannot_arrive(said: SwarmChanged, how: list[str]) -> None:
    heir = (task(3, desired="shutdown"), task(3, 1, id="n3", created=9.0))
    world = tasks(*heir, base=saw(START, said))
    times = [f"web.3 was replaced 1.0 s after {one}; it now runs on node1" for one in how]
    assert [*replacement_times(START, world, "s")] == times


def test_placed() -> None:
    where: dict[str, tuple[dict[str, Any], bool, str]] = {
        "role": ({"role": "manager"}, True, ""),
        "worker": ({"role": "worker"}, False, "; no worker: node1, node2, node3"),
        "nodes": ({"nodes": ["node1", "node2"]}, False, "; node3 should have none"),
        "count": ({"at_least": 3}, True, "; that is 3 nodes"),
        "every": ({"every_node": True}, False, "; none on node4"),
    }
    for ask, ok, tail in where.values():
        found = find({"placed": {"service": "web", **ask}}, START)
        assert found == Outcome(ok, f"tasks of web by node: node1 1, node2 1, node3 1{tail}")
    drained = saw(START, SwarmChanged("node1", nodes=(replace(NODES[3], availability="drain"),)))
    assert find({"placed": {"service": "web", "every_node": True}}, drained).ok


def test_services_nodes_and_things() -> None:
    paused = replace(WEB, status=UpdateStatus("paused", "update paused due to failure"))
    world = saw(START, SwarmChanged("node1", services=(paused,), named=(SwarmObject("secret", "k", "KEY"),)))
    found = find({"service": {"name": "web", "update": "completed", "replicas": 4}}, world)
    assert found == Outcome(False, "web wants 3 replicas, not 4; web is paused: update paused due to failure")
    assert find({"service": {"name": "web", "update": "paused", "image": "nginx:1.26"}}, world).ok
    assert not find({"service": {"name": "web", "absent": True}}, world).ok
    assert find({"node": {"name": "node1", "leader": True, "role": "manager"}}, world).ok
    assert find({"node": {"name": "node4", "state": "down"}}, world).why == "node4 is a worker, ready, active"
    assert find({"exists": {"secret": "KEY"}}, world).ok
    assert not find({"exists": {"config": "KEY"}}, world).ok


def test_a_commands_status_and_output() -> None:
    running = saw(START, CommandBegan(7, "node1", "docker service ls"))
    ended = saw(running, CommandEnded(7, 0, 1.0, "ID NAME\nx  web  replicated  3/3"))
    line = {"output": {"matches": r"^x\s+web\b.*3/3$"}}
    assert find({"exit": 0}, START).why == "the command has not run yet"
    assert find(line, running, command=7).why == "the command is still running"
    assert find(line, ended, command=7).ok
    assert find({"exit": 1}, ended, command=7) == Outcome(False, "the command ended with exit status 0")
    assert find({"output": {"contains": "4/4"}}, ended, command=7).why == "not in the output of the command: “4/4”"
    assert not find(line, ended, command=8).ok
    assert find(line, ended, like="docker service ls").ok, "a learner typed it"
    assert find(line, ended, like="docker node ls").ok, "any command's output"
    assert not find({"exit": 0}, ended, like="docker node ls").ok, "an exit status only of the verb"
    assert find({"exit": 0}, ended, like="docker --context node2 service ls --quiet").ok
    assert not find(line, ended, since=ended, like="docker service ls").ok
    quiet = saw(running, CommandEnded(7, 0, 1.0, " \n"))
    assert find(line, quiet, command=7).why == "the command printed nothing"


def hit(node: str, replica: str, status: int = 200, **more: Any) -> Hit:
    return Hit(node, 8080, "/", status, replica, 1.0, **more)


def test_http_counts_the_last_round_only() -> None:
    ask = {"http": {"port": 8080, "replicas": 2, "every_node": True}}
    assert find(ask, START).why == "port 8080 has not been asked yet"
    good = saw(START, *(hit(n.name, f"r{i % 2}") for i, n in enumerate(NODES)))
    assert find(ask, good) == Outcome(True, "4 of 4 requests to port 8080 were answered, by 2 replicas")
    assert find(ask, good, asked=good).why == "port 8080 has not been asked yet"
    silent = saw(START, *(hit(n.name, "r") for n in NODES[:3]), hit("node4", "", 0, error="refused"))
    assert find(ask, silent).why == "port 8080 of node4: no answer (refused)"
    missing = saw(START, *(hit(n.name, "r") for n in NODES[:3]))
    assert find(ask, missing).why == "port 8080 of node4: was not asked"
    down = saw(missing, SwarmChanged("node1", nodes=(replace(NODES[3], state="down"),)))
    assert find(ask, down).why.endswith("by 1 replica"), "a node that is down need not answer"
    text = {"http": {"port": 8080, "contains": "v2"}}
    assert find(text, good).why == "port 8080 of node4: answers 200, without “v2”"
    assert find(text, saw(good, hit("node1", "r", body="app v2"))).ok


def test_a_port_that_nobody_answers_any_more() -> None:
    gone = {"http": {"port": 8080, "absent": True}}
    assert Check.model_validate(gone).sentence == "port 8080 is not answered"
    assert find(gone, START).why == "port 8080 has not been asked yet"
    silent = saw(START, *(hit(n.name, "", 0, error="refused") for n in NODES))
    assert find(gone, silent) == Outcome(True, "none of 4 requests to port 8080 was answered")
    some = saw(START, *(hit(n.name, "", 0, error="refused") for n in NODES[:3]), hit("node4", "r", 502))
    assert find(gone, some) == Outcome(False, "port 8080 of node4 still answers 502")
    with pytest.raises(ValidationError, match="an answer that is absent has no contains"):
        Check.model_validate({"http": {"port": 8080, "absent": True, "contains": "open"}})


def test_captured_values_are_put_into_a_check() -> None:
    check = Check.model_validate({"node": {"name": "{{node}}", "state": "down"}})
    assert check.fill({"node": "node3"}).sentence == "node3 is down"
    assert check.fill({}) is check
    assert Check(exit=0).fill({"a": "b"}) == Check(exit=0)


def test_a_task_that_waits_for_a_node_is_told_with_the_schedulers_reason() -> None:
    ask = {"happened": {"service": "web", "task": "pending"}}
    waits = Task("t4", "s", 4, "", "pending", "running", 1.0, 2.0, error="no suitable node")
    assert find(ask, tasks(waits)) == Outcome(True, "web.4 is pending (no suitable node)")
    assert not find(ask, START).ok


def test_whether_a_manager_answers_is_what_the_last_look_found() -> None:
    gone, back = {"managers": {"answer": False}}, {"managers": {"answer": True}}
    live = saw(START, ManagerLink("live", "node2"))
    assert find(back, live) == Outcome(True, "node2 answers")
    assert not find(gone, live).ok
    lost = saw(live, ManagerLink("stale", "node2", "there is no leader"))
    assert find(gone, lost) == Outcome(True, "no manager answers: there is no leader")
    assert not find(back, lost).ok
    assert not find(gone, World(), World()).ok, "nobody was asked yet"


def test_steady_are_tasks_that_have_all_run_for_so_long() -> None:
    ask = {"steady": {"service": "web", "seconds": 20}}
    new = tasks(task(2, id="t9", created=30.0, changed=30.0), gone=("t2",))
    found = find(ask, new)
    assert (found.ok, found.why) == (False, "web.2, the newest, has run")
    (wait,) = found.waits
    assert not find(ask, replace(new, at=wait.since + 19)).ok
    assert find(ask, replace(new, at=wait.since + 20)).ok
    assert find(ask, replace(new, at=wait.since + 20)).why_at(wait.since + 21) == "web.2, the newest, has run for 21 s"
    assert not find(ask, replace(tasks(task(2, id="t9", state="failed"), base=new), at=90.0)).ok
    stopping = tasks(task(2, desired="shutdown"), task(4, node=2), base=new)
    assert not find(ask, replace(stopping, at=90.0)).ok


def test_how_a_service_is_updated_is_part_of_what_it_is() -> None:
    ask = {"service": {"name": "web", "failure_action": "rollback", "monitor": 20}}
    found = find(ask, START)
    assert not found.ok
    assert "web has the failure action pause, not rollback" in found.why
    assert "web watches new tasks for 5 s, not for 20 s" in found.why
    spec = replace(WEB.spec, update=UpdateConfig(failure_action="rollback", monitor=25.0))
    assert find(ask, saw(START, SwarmChanged("node1", services=(replace(WEB, spec=spec),)))).ok


def test_a_whole_update_is_one_that_also_began_since_then() -> None:
    def status(state: str, started: float, base: World = START) -> World:
        service = replace(WEB, status=UpdateStatus(state, "", started))
        return saw(base, SwarmChanged("node1", services=(service,)))

    ask = {"updated": {"service": "web", "state": "completed", "whole": True}}
    under_way = status("updating", 5.0)
    assert find(ask, status("completed", 5.0, under_way), since=START).ok
    assert not find(ask, status("completed", 5.0, under_way), since=under_way).ok
    assert find(ask, status("completed", 9.0, under_way), since=under_way).ok
