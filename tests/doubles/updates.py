"""How an update goes on a model of a swarm: slot by slot, stop first; a task that fails pauses it or takes it back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.doubles.model import ModelSwarm

Raw = dict[str, Any]
_ENDS = {"updating": "completed", "rollback_started": "rollback_completed"}


def begin(swarm: ModelSwarm, service: Raw, spec: Raw) -> None:
    """Give a service another spec. Its tasks are replaced when what they are made from changed."""
    renewed = service["Spec"]["TaskTemplate"] != spec["TaskTemplate"]
    service["PreviousSpec"], service["Spec"], service["Version"] = service["Spec"], spec, swarm.version()
    service.pop("UpdateStatus", None)
    if renewed:
        _is(swarm, service, "updating")


def rollback(swarm: ModelSwarm, service: Raw) -> None:
    """Back to the spec before."""
    service["Spec"], service["Version"] = service.pop("PreviousSpec"), swarm.version()
    _is(swarm, service, "rollback_started")


def step(swarm: ModelSwarm, service: Raw) -> None:
    """One turn of an update that is under way."""
    status, spec = service.get("UpdateStatus") or {}, service["Spec"]
    if status.get("State") not in _ENDS:
        return
    tasks = swarm.of(service)
    new = [task for task in tasks if task["Spec"] == spec["TaskTemplate"]]
    if any(t["Status"]["State"] == "failed" and t["CreatedAt"] >= status["StartedAt"] for t in new):
        _fail(swarm, service)
    elif all(t in new for t in swarm.live(service)):
        if all(t["Status"]["State"] == "running" for t in swarm.live(service)):
            _is(swarm, service, _ENDS[status["State"]])
    elif all(t["Status"]["State"] == "running" for t in swarm.live(service) if t in new):
        swarm.want(next(t for t in swarm.live(service) if t not in new), "shutdown")


def _fail(swarm: ModelSwarm, service: Raw) -> None:
    back = service["UpdateStatus"]["State"] != "updating"
    if not back and (service["Spec"].get("UpdateConfig") or {}).get("FailureAction") == "rollback":
        rollback(swarm, service)
    else:
        _is(swarm, service, "rollback_paused" if back else "paused")


def _is(swarm: ModelSwarm, service: Raw, state: str) -> None:
    began = (service.get("UpdateStatus") or {}).get("StartedAt", "") if state not in _ENDS else ""
    service["UpdateStatus"] = {"State": state, "StartedAt": began or swarm.stamp()}
    service["Version"] = swarm.version()
