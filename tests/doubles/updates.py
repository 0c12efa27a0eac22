"""How an update goes on a model of a swarm: slot by slot, in the order that the service asks for; a task that fails
pauses it, takes it back, or does not matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.doubles.model import ModelSwarm

Raw = dict[str, Any]
_ENDS = {"updating": "completed", "rollback_started": "rollback_completed"}
_SAYS = {"updating": "update in progress", "completed": "update completed", "rollback_completed": "rollback completed"}


def begin(swarm: ModelSwarm, service: Raw, spec: Raw) -> None:
    """Give a service another spec. Its tasks are replaced when what they are made from changed."""
    service["PreviousSpec"], service["Spec"], service["Version"] = service["Spec"], spec, swarm.version()
    service.pop("UpdateStatus", None)
    if any(_is_dirty(swarm, service, task) for task in swarm.live(service)):
        _is(swarm, service, "updating")
    swarm.tell("service", "update", service["ID"], spec["Name"])


def rollback(swarm: ModelSwarm, service: Raw) -> None:
    """Back to the spec before, because somebody asked. Raises Refused when there is none."""
    from tests.doubles.model import Refused

    if "PreviousSpec" not in service:
        why = f"service {service['ID']} does not have a previous spec"
        raise Refused(400, f"rpc error: code = FailedPrecondition desc = {why}")
    service["Spec"], service["PreviousSpec"] = service["PreviousSpec"], service["Spec"]
    _is(swarm, service, "rollback_started", "manually requested rollback")


def step(swarm: ModelSwarm, service: Raw) -> None:
    """One turn of an update that is under way."""
    status, spec = service.get("UpdateStatus") or {}, service["Spec"]
    if status.get("State") not in _ENDS:
        return
    config = spec.get("UpdateConfig") or {}
    new = [task for task in swarm.of(service) if not _is_dirty(swarm, service, task)]
    live = swarm.live(service)
    old = [task for task in live if task not in new]
    failed = next((t for t in new if t["Status"]["State"] == "failed" and t["CreatedAt"] >= status["StartedAt"]), None)
    if failed is not None and config.get("FailureAction") != "continue":
        _fail(swarm, service, failed["ID"])
    elif not all(task["Status"]["State"] == "running" for task in live if task in new):
        return
    elif not old:
        _is(swarm, service, _ENDS[status["State"]])
    elif config.get("Order") == "start-first":
        _start_first(swarm, service, old, [task for task in live if task in new])
    else:
        swarm.want(old[0], "shutdown")


def _is_dirty(swarm: ModelSwarm, service: Raw, task: Raw) -> bool:
    """Whether a task is to be replaced; not when only the constraints changed, and its node meets the new ones."""
    from tests.doubles.model import meets

    now = service["Spec"]["TaskTemplate"]
    if {**task["Spec"], "Placement": {}} != {**now, "Placement": {}}:
        return True
    node = swarm.nodes.get(task.get("NodeID", ""))
    return bool(task["Spec"] != now and node is not None and not meets(node, now))


def _start_first(swarm: ModelSwarm, service: Raw, old: list[Raw], new: list[Raw]) -> None:
    """An old task goes once the new one of its place runs."""
    places = {_place(task) for task in new}
    if replaced := [task for task in old if _place(task) in places]:
        swarm.want(replaced[0], "shutdown")
    else:
        swarm.new_task(service, old[0]["Slot"], "" if old[0]["Slot"] else old[0]["NodeID"])


def _place(task: Raw) -> object:
    return task["Slot"] or task["NodeID"]


def _fail(swarm: ModelSwarm, service: Raw, task: str) -> None:
    due = f"due to failure or early termination of task {task}"
    back = service["UpdateStatus"]["State"] != "updating"
    if not back and (service["Spec"].get("UpdateConfig") or {}).get("FailureAction") == "rollback":
        service["Spec"] = service.pop("PreviousSpec")
        _is(swarm, service, "rollback_started", f"update rolled back {due}")
    else:
        state, what = ("rollback_paused", "rollback") if back else ("paused", "update")
        _is(swarm, service, state, f"{what} paused {due}")


def _is(swarm: ModelSwarm, service: Raw, state: str, message: str = "") -> None:
    began = (service.get("UpdateStatus") or {}).get("StartedAt", "") if state not in _ENDS else ""
    ended = {"CompletedAt": swarm.stamp()} if state in _ENDS.values() else {}
    said = {"State": state, "StartedAt": began or swarm.stamp(), "Message": message or _SAYS[state]}
    service["UpdateStatus"], service["Version"] = said | ended, swarm.version()
