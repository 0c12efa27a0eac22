"""Services, tasks and nodes: what becomes of them."""

from __future__ import annotations

from collections.abc import Callable

from tests.contract.swarm import ENDED, UPDATE, Raw, Swarm, fail


def a_service_runs_spread_over_the_nodes_and_goes_with_its_tasks(swarm: Swarm) -> None:
    id = swarm.create("web", 4)
    tasks = swarm.runs(id, 4)
    assert sorted(task["Slot"] for task in tasks) == [1, 2, 3, 4]
    assert len({task["NodeID"] for task in tasks}) == 4
    assert all(task["Status"]["ContainerStatus"]["ContainerID"] for task in tasks)
    assert {task["Status"]["Message"] for task in tasks} == {"started"}
    assert swarm.counts(id) == (4, 4)
    raw = swarm.service(id)
    assert "ServiceStatus" not in raw
    assert "UpdateStatus" not in raw
    assert "PreviousSpec" not in raw
    assert swarm.service(raw["Spec"]["Name"])["ID"] == id
    swarm.api.delete(f"/services/{id}")
    assert id not in {each["ID"] for each in swarm.api.get("/services")}
    swarm.until(lambda: not swarm.tasks(id), "its tasks are forgotten")


def scaling_leaves_the_tasks_that_run_and_forgets_those_that_go(swarm: Swarm) -> None:
    id = swarm.create("web", 2)
    first = {task["ID"] for task in swarm.runs(id, 2)}
    swarm.update(id, _replicas(4))
    four = swarm.runs(id, 4)
    assert first < {task["ID"] for task in four}
    assert sorted(task["Slot"] for task in four) == [1, 2, 3, 4]
    assert swarm.state(id) == ""
    assert swarm.service(id)["PreviousSpec"]["Mode"] == {"Replicated": {"Replicas": 2}}
    swarm.update(id, _replicas(1))
    swarm.until(lambda: len(swarm.tasks(id)) == 1, "one task is left, and no history of the others")
    (left,) = swarm.runs(id, 1)
    assert left["ID"] in {task["ID"] for task in four}
    swarm.update(id, _replicas(3))
    assert sorted(task["Slot"] for task in swarm.runs(id, 3)) == sorted({left["Slot"], *_lowest(left["Slot"], 2)})
    swarm.update(id, _replicas(0))
    swarm.until(lambda: not swarm.tasks(id), "no task is left")
    assert swarm.counts(id) == (0, 0)


def an_update_replaces_slot_by_slot_and_is_taken_back_by_hand(swarm: Swarm) -> None:
    id = swarm.create("web", 2)
    old = {task["ID"]: task for task in swarm.runs(id, 2)}
    swarm.update(id, _env("A=2"))
    assert _goes_to(swarm, id, "completed") == {"updating"}
    assert swarm.service(id)["UpdateStatus"]["Message"] == "update completed"
    new = swarm.runs(id, 2)
    assert {task["ID"] for task in new}.isdisjoint(old)
    assert sorted(task["Slot"] for task in new) == [1, 2]
    assert all(task["Spec"]["ContainerSpec"]["Env"] == ["A=2"] for task in new)
    for task in map(swarm.task, old):  # They stay in the slot's history.
        assert (task["DesiredState"], task["Status"]["State"]) == ("shutdown", "shutdown")
        assert not task["Spec"]["ContainerSpec"].get("Env")
    swarm.update(id, rollback="previous")
    assert _goes_to(swarm, id, "rollback_completed") == {"rollback_started"}
    assert not swarm.service(id)["Spec"]["TaskTemplate"]["ContainerSpec"].get("Env")
    assert swarm.service(id)["PreviousSpec"]["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=2"]
    assert all(not task["Spec"]["ContainerSpec"].get("Env") for task in swarm.runs(id, 2))


def what_tasks_are_not_made_from_replaces_none_and_force_replaces_all(swarm: Swarm) -> None:
    id = swarm.create("web", 2)
    old = {task["ID"] for task in swarm.runs(id, 2)}
    swarm.update(id, lambda spec: spec.update(Labels={"tier": "web"}))
    swarm.update(id, _replicas(3))  # Something to wait for: then the label would have had its effect.
    assert old < {task["ID"] for task in swarm.runs(id, 3)}
    assert swarm.state(id) == ""
    swarm.update(id, lambda spec: spec["TaskTemplate"].update(ForceUpdate=1))
    _goes_to(swarm, id, "completed")
    assert old.isdisjoint(task["ID"] for task in swarm.runs(id, 3))


def start_first_never_runs_fewer_than_asked_for(swarm: Swarm) -> None:
    id = swarm.create("web", 2, update={**UPDATE, "Order": "start-first"})
    old = {task["ID"] for task in swarm.runs(id, 2)}
    least = [2]
    swarm.update(id, _env("A=2"))
    _goes_to(swarm, id, "completed", lambda: least.append(len(swarm.running(id))))
    assert min(least) == 2
    assert old.isdisjoint(task["ID"] for task in swarm.runs(id, 2))


def a_bad_update_pauses_and_the_rest_runs_on(swarm: Swarm) -> None:
    id = swarm.create("web", 2)
    old = {task["ID"] for task in swarm.runs(id, 2)}
    swarm.update(id, lambda spec: fail(spec["TaskTemplate"], 3))
    _goes_to(swarm, id, "paused")
    message = swarm.service(id)["UpdateStatus"]["Message"]
    its = message.removeprefix("update paused due to failure or early termination of task ")
    swarm.until(lambda: swarm.task(its)["DesiredState"] == "shutdown", "the failed task is to stay ended")
    failed = swarm.task(its)
    assert failed["Status"]["State"] == "failed"
    assert failed["Status"]["Err"] == "task: non-zero exit (3)"
    assert failed["Status"]["ContainerStatus"]["ExitCode"] == 3
    assert len(old & {task["ID"] for task in swarm.running(id)}) == 1
    swarm.update(id, lambda spec: spec["TaskTemplate"]["ContainerSpec"].pop("Command"))
    _goes_to(swarm, id, "completed")
    assert {tuple(task["Spec"]["ContainerSpec"].get("Command") or ()) for task in swarm.runs(id, 2)} == {()}


def a_bad_update_is_taken_back(swarm: Swarm) -> None:
    id = swarm.create("web", 2, update={**UPDATE, "FailureAction": "rollback"})
    swarm.runs(id, 2)
    swarm.update(id, lambda spec: fail(spec["TaskTemplate"], 3))
    assert _goes_to(swarm, id, "rollback_completed") <= {"updating", "rollback_started"}
    raw = swarm.service(id)
    assert "Command" not in raw["Spec"]["TaskTemplate"]["ContainerSpec"]
    assert "PreviousSpec" not in raw
    assert all("Command" not in task["Spec"]["ContainerSpec"] for task in swarm.runs(id, 2))


def what_fails_is_replaced_after_a_wait_unless_the_policy_says_not(swarm: Swarm) -> None:
    once = swarm.create("once", 1, exits=3, restart={"Condition": "none"})
    again = swarm.create("again", 1, exits=4, restart={"Condition": "any", "Delay": 5 * 10**9})

    swarm.until(lambda: "ready" in _desired(swarm, again), "a replacement waits to be started")
    assert all(task["Slot"] == 1 for task in swarm.tasks(again))
    swarm.until(lambda: _desired(swarm, again, "failed").count("shutdown") >= 2, "it failed twice")
    (only,) = swarm.tasks(once)
    assert (only["DesiredState"], only["Status"]["State"]) == ("shutdown", "failed")
    assert only["Status"]["Err"] == "task: non-zero exit (3)"


def a_drained_node_gives_its_tasks_away_and_gets_none_back(swarm: Swarm) -> None:
    id, everywhere = swarm.create("web", 4), swarm.create("everywhere", None)
    before = {task["NodeID"]: task for task in swarm.runs(id, 4)}
    node = swarm.node("node4")["ID"]
    (its,) = (task["ID"] for task in swarm.runs(everywhere, 4) if task["NodeID"] == node)
    assert swarm.counts(everywhere) == (4, 4)
    assert {task.get("Slot", 0) for task in swarm.tasks(everywhere)} == {0}
    swarm.set_node("node4", Availability="drain")
    swarm.runs(everywhere, 3)
    after = swarm.runs(id, 4)
    assert node not in {task["NodeID"] for task in after}
    assert sorted(task["Slot"] for task in after) == [1, 2, 3, 4]
    for gone in (swarm.task(before[node]["ID"]), swarm.task(its)):
        assert (gone["DesiredState"], gone["Status"]["State"]) == ("shutdown", "shutdown")
    assert swarm.counts(everywhere) == (3, 3)
    swarm.set_node("node4", Availability="active")
    # A global service comes back to it; a replicated one does not, but what is new goes where the fewest are.
    assert its not in {task["ID"] for task in swarm.runs(everywhere, 4)}
    assert {task["ID"] for task in swarm.running(id)} == {task["ID"] for task in after}
    swarm.update(id, _replicas(5))
    (new,) = {task["ID"]: task for task in swarm.runs(id, 5)}.keys() - {task["ID"] for task in after}
    assert swarm.task(new)["NodeID"] == node


def a_paused_node_keeps_its_tasks_and_takes_no_new_ones(swarm: Swarm) -> None:
    id = swarm.create("web", 4)
    before = {task["ID"] for task in swarm.runs(id, 4)}
    node = swarm.node("node4")["ID"]
    swarm.set_node("node4", Availability="pause")
    swarm.update(id, _replicas(7))
    after = swarm.runs(id, 7)
    assert before < {task["ID"] for task in after}
    assert [task["NodeID"] for task in after].count(node) == 1


def a_task_that_fits_nowhere_is_pending_and_one_that_fits_no_longer_is_rejected(swarm: Swarm) -> None:
    id = swarm.create("web", 1, constraints=["node.labels.contract-place==here"])
    swarm.until(lambda: [t["Status"]["State"] for t in swarm.tasks(id)] == ["pending"], "the task is pending")
    swarm.until(lambda: bool(swarm.tasks(id)[0]["Status"].get("Err")), "the scheduler says why")
    (waits,) = swarm.tasks(id)
    assert waits["DesiredState"] == "running"
    assert not waits.get("NodeID")
    assert waits["Status"]["Err"] == "no suitable node (scheduling constraints not satisfied on 4 nodes)"
    assert swarm.counts(id) == (1, 0)
    swarm.label("node2", "contract-place", "here")
    (runs,) = swarm.runs(id, 1)
    assert (runs["ID"], runs["NodeID"]) == (waits["ID"], swarm.node("node2")["ID"])
    swarm.label("node2", "contract-place", None)
    swarm.until(lambda: swarm.task(runs["ID"])["Status"]["State"] == "rejected", "the node's task is rejected")
    assert swarm.task(runs["ID"])["Status"]["Err"] == "assigned node no longer meets constraints"
    swarm.until(lambda: swarm.task(runs["ID"])["DesiredState"] == "shutdown", "it is to end")
    swarm.until(lambda: "pending" in {t["Status"]["State"] for t in swarm.tasks(id)}, "another waits in its place")


def a_node_that_is_down_loses_its_tasks_and_they_stay_where_they_went(swarm: Swarm) -> None:
    id, everywhere = swarm.create("web", 4), swarm.create("everywhere", None)
    before = {task["NodeID"]: task for task in swarm.runs(id, 4)}
    swarm.runs(everywhere, 4)
    node = swarm.node("node4")["ID"]
    swarm.power("node4", False)
    swarm.until(lambda: swarm.node("node4")["Status"]["State"] == "down", "node4 is down")
    swarm.until(lambda: len([t for t in swarm.running(id) if t["NodeID"] != node]) == 4, "four run elsewhere")
    swarm.until(lambda: swarm.counts(everywhere)[0] == 3, "one fewer is asked for everywhere")
    lost = swarm.task(before[node]["ID"])
    assert (lost["DesiredState"], lost["Status"]["State"]) == ("shutdown", "running")  # Nobody can tell that it ended.
    after = {task["ID"] for task in swarm.running(id)}
    swarm.power("node4", True)
    swarm.until(lambda: swarm.node("node4")["Status"]["State"] == "ready", "node4 is back")
    swarm.runs(everywhere, 4)
    swarm.until(lambda: swarm.task(lost["ID"])["Status"]["State"] in ENDED, "the lost task's end is known")
    assert {task["ID"] for task in swarm.runs(id, 4)} == after


def _goes_to(swarm: Swarm, id: str, end: str, also: Callable[[], object] = lambda: None) -> set[str]:
    """Waits until an update ends so; the answer is how it went before."""
    seen: set[str] = set()

    def there() -> bool:
        also()
        seen.add(swarm.state(id))
        return end in seen

    swarm.until(there, f"the update of {id} is {end}; so far {seen}")
    return seen - {end, ""}


def _desired(swarm: Swarm, id: str, state: str = "") -> list[str]:
    """What the tasks (those of that state) are to be."""
    return [task["DesiredState"] for task in swarm.tasks(id) if task["Status"]["State"] == state or not state]


def _lowest(taken: int, many: int) -> list[int]:
    """The first free slots."""
    return [slot for slot in range(1, 10) if slot != taken][:many]


def _replicas(many: int) -> Callable[[Raw], None]:
    return lambda spec: spec["Mode"]["Replicated"].update(Replicas=many)


def _env(*values: str) -> Callable[[Raw], None]:
    return lambda spec: spec["TaskTemplate"]["ContainerSpec"].update(Env=list(values))


SCENARIOS = (
    a_service_runs_spread_over_the_nodes_and_goes_with_its_tasks,
    scaling_leaves_the_tasks_that_run_and_forgets_those_that_go,
    an_update_replaces_slot_by_slot_and_is_taken_back_by_hand,
    what_tasks_are_not_made_from_replaces_none_and_force_replaces_all,
    start_first_never_runs_fewer_than_asked_for,
    a_bad_update_pauses_and_the_rest_runs_on,
    a_bad_update_is_taken_back,
    what_fails_is_replaced_after_a_wait_unless_the_policy_says_not,
    a_drained_node_gives_its_tasks_away_and_gets_none_back,
    a_paused_node_keeps_its_tasks_and_takes_no_new_ones,
    a_task_that_fits_nowhere_is_pending_and_one_that_fits_no_longer_is_rejected,
    a_node_that_is_down_loses_its_tasks_and_they_stay_where_they_went,
)

NOT_IN_LESSONS = (
    start_first_never_runs_fewer_than_asked_for,
    what_fails_is_replaced_after_a_wait_unless_the_policy_says_not,
)
"""What no lesson and no reset that is tested on a real cluster shows, too."""
