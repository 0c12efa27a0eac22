"""A swarm as the scenarios see it: its API, raw; a way to wait; a switch for each machine's power."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import docker

from lab.engine.client import API

Raw = dict[str, Any]
#: All that a scenario makes begins with this, and is gone after it.
PREFIX = "contract-"
IMAGE = "nginx:1.26"
ENDED = {"complete", "shutdown", "failed", "rejected", "remove", "orphaned"}
_BOUND = 120


class Refusal(Exception):
    """An answer other than a good one."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status, self.message = status, message


class Api:
    """One engine's API."""

    def __init__(self, client: docker.APIClient) -> None:
        self._client: Any = client

    def get(self, path: str, **query: str) -> Any:
        """The answer. Raises Refusal."""
        return self._ask("GET", path, None, query)

    def post(self, path: str, body: Raw, **query: str) -> Any:
        """The answer, None when it is empty. Raises Refusal."""
        return self._ask("POST", path, body, query)

    def delete(self, path: str, **query: str) -> None:
        """Raises Refusal."""
        self._ask("DELETE", path, None, query)

    def _ask(self, method: str, path: str, body: Raw | None, query: dict[str, str]) -> Any:
        url = f"{self._client.base_url}/v{API}{path}"
        answer = self._client.request(method, url, json=body, params=query, timeout=_BOUND)
        if answer.status_code >= 400:
            raise Refusal(answer.status_code, answer.json()["message"])
        return answer.json() if answer.content else None


@dataclass(frozen=True)
class Swarm:
    """A swarm of node1 to node4. `api` is a manager's, `worker` node4's."""

    api: Api
    worker: Api
    until: Callable[[Callable[[], bool], str], None]
    """Waits for a condition; fails, with what was awaited, when it does not come."""
    power: Callable[[str, bool], None]
    """Pulls a machine's plug, or puts it back."""

    # Services and their tasks.

    def create(self, name: str, replicas: int | None = 1, **more: Any) -> str:
        """A service's id. Without `replicas` it is global."""
        return str(self.api.post("/services/create", spec(name, replicas, **more))["ID"])

    def service(self, id: str) -> Raw:
        raw: Raw = self.api.get(f"/services/{id}")
        return raw

    def counts(self, id: str) -> tuple[int, int]:
        """How many tasks the engine says should run, and do."""
        (raw,) = (s for s in self.api.get("/services", status="true") if s["ID"] == id)
        return raw["ServiceStatus"].get("DesiredTasks", 0), raw["ServiceStatus"].get("RunningTasks", 0)

    def update(self, id: str, change: Callable[[Raw], None] = lambda spec: None, **query: str) -> None:
        """Change a service's spec; again when something else changed the service in between."""
        for _ in range(20):
            raw = self.service(id)
            change(raw["Spec"])
            try:
                self.api.post(f"/services/{id}/update", raw["Spec"], version=str(raw["Version"]["Index"]), **query)
                return
            except Refusal as refusal:
                if "out of sequence" not in refusal.message:
                    raise
        raise AssertionError("the service never stood still")

    def state(self, id: str) -> str:
        """How its update goes; "" when there is none."""
        return str((self.service(id).get("UpdateStatus") or {}).get("State", ""))

    def tasks(self, id: str) -> list[Raw]:
        return [task for task in self.api.get("/tasks") if task.get("ServiceID") == id]

    def running(self, id: str) -> list[Raw]:
        """Tasks that run and are to."""
        return [t for t in self.tasks(id) if t["Status"]["State"] == t["DesiredState"] == "running"]

    def runs(self, id: str, many: int) -> list[Raw]:
        """Waits until so many tasks run and no others do; the answer is these."""

        def there() -> bool:
            alive = [t for t in self.tasks(id) if t["Status"]["State"] not in ENDED]
            return len(alive) == many == len(self.running(id))

        self.until(there, f"{many} tasks of {id} run")
        return self.running(id)

    def task(self, id: str) -> Raw:
        raw: Raw = self.api.get(f"/tasks/{id}")
        return raw

    # Nodes.

    def node(self, name: str) -> Raw:
        raw: Raw = self.api.get(f"/nodes/{name}")
        return raw

    def set_node(self, name: str, **spec: Any) -> None:
        """Change a node's spec; again when something else changed the node in between."""
        for _ in range(20):
            raw = self.node(name)
            try:
                self.api.post(
                    f"/nodes/{raw['ID']}/update", {**raw["Spec"], **spec}, version=str(raw["Version"]["Index"])
                )
                return
            except Refusal as refusal:
                if "out of sequence" not in refusal.message:
                    raise
        raise AssertionError("the node never stood still")

    def label(self, name: str, key: str, value: str | None) -> None:
        """Give a node a label, or take it away."""
        labels = {**(self.node(name)["Spec"].get("Labels") or {}), key: value}
        self.set_node(name, Labels={key: value for key, value in labels.items() if value is not None})

    # Before and after.

    def clear(self) -> None:
        """Nothing of a scenario is left, and every node is there, active and without labels of a scenario."""
        for name in ("node1", "node2", "node3", "node4"):
            spec = self.node(name)["Spec"]
            labels = {key: value for key, value in (spec.get("Labels") or {}).items() if not key.startswith(PREFIX)}
            if spec["Availability"] != "active" or labels != (spec.get("Labels") or {}):
                self.set_node(name, Availability="active", Labels=labels)
        ours = [s["ID"] for s in self.api.get("/services") if s["Spec"]["Name"].startswith(PREFIX)]
        for id in ours:
            self.api.delete(f"/services/{id}")
        self.until(lambda: not [t for t in self.api.get("/tasks") if t.get("ServiceID") in ours], "its tasks have gone")
        for kind in ("secrets", "configs", "networks"):
            for raw in self.api.get(f"/{kind}"):
                if (raw.get("Name") or raw["Spec"]["Name"]).startswith(PREFIX):
                    self._remove(f"/{kind}/{raw.get('ID') or raw['Id']}")

    def _remove(self, path: str) -> None:
        self.until(lambda: self._gone(path), f"{path} has gone")

    def _gone(self, path: str) -> bool:
        with suppress(Refusal):
            self.api.delete(path)
        try:
            self.api.get(path)
        except Refusal as refusal:
            return refusal.status == 404
        return False


def spec(name: str, replicas: int | None = 1, *, exits: int | None = None, **more: Any) -> Raw:
    """A service's spec. With `exits` its container ends at once with that status. `restart` is the restart policy,
    `update` the update's; `env`, `secrets`, `configs` and `networks` are what they are called in a template."""
    container: Raw = {"Image": IMAGE, "Env": more.get("env", [])}
    container |= {key.capitalize(): more[key] for key in ("secrets", "configs") if key in more}
    template: Raw = {"ContainerSpec": container, "ForceUpdate": 0}
    template |= {"RestartPolicy": more["restart"]} if "restart" in more else {}
    template |= {"Placement": {"Constraints": more["constraints"]}} if "constraints" in more else {}
    template |= {"Networks": [{"Target": each} for each in more["networks"]]} if "networks" in more else {}
    if exits is not None:
        fail(template, exits)
    return {
        "Name": PREFIX + name,
        "Labels": {},
        "TaskTemplate": template,
        "Mode": {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}},
        "EndpointSpec": {"Mode": "vip", "Ports": more.get("ports", [])},
        "UpdateConfig": more.get("update") or UPDATE,
    }


#: With the delay an update sees that a task failed before it goes on to the next.
UPDATE: Raw = {
    "Parallelism": 1,
    "Delay": 3 * 10**9,
    "Monitor": 5 * 10**9,
    "FailureAction": "pause",
    "Order": "stop-first",
}


def fail(template: Raw, code: int) -> None:
    """Make a template's containers end with this status."""
    template["ContainerSpec"]["Command"] = ["sh", "-c", f"exit {code}"]
