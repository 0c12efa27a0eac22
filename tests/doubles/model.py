"""A small swarm that works: it keeps raw objects in the engine's own shape, and has an orchestrator and a scheduler.

The real docker client speaks to it through `ModelSwarm.client`, without a socket. Time is a number that goes on when
somebody waits.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

import docker
import requests
from requests.adapters import BaseAdapter

from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles import updates

Raw = dict[str, Any]
ENDED = {"complete", "shutdown", "failed", "rejected", "remove", "orphaned"}


class Time:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class TickingJournal(Journal):
    """A journal in which waiting makes the world go on, a quarter of a second a turn, and takes no time."""

    def __init__(self, time: Time, tick: Callable[[], None]) -> None:
        super().__init__(clock=time)
        self.time, self.tick = time, tick

    def wait(self, until: Callable[[World], bool], seconds: float) -> bool:
        end = self.time.now + seconds
        while not until(self.world):
            if self.time.now >= end:
                return False
            self.time.now += 0.25
            self.tick()
        return True


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ModelSwarm:
    """Nodes node1..nodeN, the first three managers."""

    def __init__(self, time: Time, nodes: int = 4, labels: Raw | None = None) -> None:
        self.time, self.index = time, 100
        self.nodes: dict[str, Raw] = {}
        self.services: dict[str, Raw] = {}
        self.tasks: dict[str, Raw] = {}
        self.named: dict[str, dict[str, Raw]] = {"secrets": {}, "configs": {}, "networks": {}}
        self.powered = {f"node{n}": True for n in range(1, nodes + 1)}
        self.lost: dict[str, float] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.trouble: list[Refused | requests.RequestException] = []
        self.stale = 0
        for number in range(1, nodes + 1):
            manager = number <= 3
            self.nodes[f"id-node{number}"] = {
                "ID": f"id-node{number}",
                "Version": self.version(),
                "Spec": {"Role": "manager" if manager else "worker", "Availability": "active", "Labels": labels or {}},
                "Description": {"Hostname": f"node{number}", "Engine": {"EngineVersion": "26.1.5"}},
                "Status": {"State": "ready", "Addr": f"10.77.0.{number}"},
                "ManagerStatus": {"Leader": number == 1, "Reachability": "reachable"} if manager else None,
            }
        self.named["networks"]["id-ingress"] = {
            "Id": "id-ingress",
            "Name": "ingress",
            "Scope": "swarm",
            "Driver": "overlay",
            "Labels": {},
        }

    def version(self) -> Raw:
        self.index += 1
        return {"Index": self.index}

    def stamp(self) -> str:
        return datetime.fromtimestamp(self.time.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"

    # What goes on by itself.

    def tick(self) -> None:
        """One turn of agents, orchestrator and scheduler."""
        for name, since in tuple(self.lost.items()):
            if self.time.now - since >= 15 and self.nodes[f"id-{name}"]["Status"]["State"] == "ready":
                self.set_node(name, State="down")
        for task in tuple(self.tasks.values()):
            self._advance(task)
        for service in self.services.values():
            self._reconcile(service)
            updates.step(self, service)
        for id, task in tuple(self.tasks.items()):
            if task["ServiceID"] not in self.services and task["Status"]["State"] in ENDED:
                del self.tasks[id]

    def set_node(self, name: str, **status: Any) -> None:
        raw = self.nodes[f"id-{name}"]
        raw["Status"] |= status
        raw["Version"] = self.version()

    def _advance(self, task: Raw) -> None:
        if self.node_name(task) in self.lost:
            return
        state, desired = task["Status"]["State"], task["DesiredState"]
        if desired in ("shutdown", "remove") and state not in ENDED:
            self._state(task, "shutdown")
        elif state == "preparing" and self.time.now >= task["Ready"]:
            if "VERSION=0" in (task["Spec"]["ContainerSpec"].get("Env") or ()):  # It starts, and cannot work.
                self._state(task, "failed", 1, "task: non-zero exit (1)")
                self.want(task, "shutdown")
            else:
                self._state(task, "running")

    def _state(self, task: Raw, state: str, exit: int = 0, error: str = "") -> None:
        container = {"ContainerID": f"c{task['ID']}", "ExitCode": exit}
        task["Status"] = {"State": state, "Timestamp": self.stamp(), "Err": error, "ContainerStatus": container}
        task["Version"] = self.version()

    def want(self, task: Raw, desired: str) -> None:
        task["DesiredState"], task["Version"] = desired, self.version()

    def of(self, service: Raw) -> list[Raw]:
        return [t for t in self.tasks.values() if t["ServiceID"] == service["ID"]]

    def live(self, service: Raw) -> list[Raw]:
        return [t for t in self.of(service) if t["DesiredState"] == "running" and t["Status"]["State"] not in ENDED]

    def _reconcile(self, service: Raw) -> None:
        for task in self.live(service):
            node = self.nodes[task["NodeID"]]
            if node["Status"]["State"] != "ready" or node["Spec"]["Availability"] == "drain":
                self.want(task, "shutdown")
        live = self.live(service)
        if "Global" in service["Spec"]["Mode"]:
            for node in self._fitting(service):
                if node["ID"] not in {task["NodeID"] for task in live}:
                    self._new(service, 0, [node])
            return
        wanted = service["Spec"]["Mode"]["Replicated"]["Replicas"]
        while len(live) > wanted:
            counts = {t["NodeID"]: sum(o["NodeID"] == t["NodeID"] for o in live) for t in live}
            victim = max(live, key=lambda t: (counts[t["NodeID"]], t["Slot"]))
            live.remove(victim)
            self.want(victim, "remove")
        free = [s for s in range(1, wanted + 1 + len(live)) if s not in {t["Slot"] for t in live}]
        for slot in free[: wanted - len(live)]:
            self._new(service, slot, self._fitting(service))
        for task in self.of(service):
            if task["DesiredState"] == "remove" and task["Status"]["State"] in ENDED:
                del self.tasks[task["ID"]]

    def _fitting(self, service: Raw) -> list[Raw]:
        return [n for n in self.nodes.values() if self._fits(n, service)]

    def _new(self, service: Raw, slot: int, fits: list[Raw]) -> None:
        if not fits:
            return
        load = {n["ID"]: sum(t["NodeID"] == n["ID"] for t in self.live(service)) for n in fits}
        failed = [t for t in self.of(service) if t["Slot"] == slot and t["Status"]["State"] == "failed"]
        id = f"task-{self.index}"
        self.tasks[id] = {
            "ID": id,
            "Version": self.version(),
            "CreatedAt": self.stamp(),
            "ServiceID": service["ID"],
            "Slot": slot,
            "NodeID": min(fits, key=lambda n: (load[n["ID"]], n["ID"]))["ID"],
            "Spec": service["Spec"]["TaskTemplate"],
            "DesiredState": "running",
            "Status": {"State": "preparing", "Timestamp": self.stamp()},
            "Ready": self.time.now + (5.5 if failed else 0.5),
            "Force": service["Spec"]["TaskTemplate"].get("ForceUpdate", 0),
        }

    def _fits(self, node: Raw, service: Raw) -> bool:
        placement = service["Spec"]["TaskTemplate"].get("Placement") or {}
        facts = {"node.role": node["Spec"]["Role"], "node.hostname": node["Description"]["Hostname"]}
        facts |= {f"node.labels.{key}": value for key, value in (node["Spec"].get("Labels") or {}).items()}
        wanted = [c.replace(" ", "").split("==") for c in placement.get("Constraints") or ()]
        return (
            node["Status"]["State"] == "ready"
            and node["Spec"]["Availability"] == "active"
            and all(facts.get(what) == value for what, value in wanted)
        )

    def node_name(self, task: Raw) -> str:
        return str(self.nodes[task["NodeID"]]["Description"]["Hostname"])

    # What people do to it.

    def service(self, name: str) -> Raw:
        return next(s for s in self.services.values() if s["Spec"]["Name"] == name)

    def create_service(self, spec: Raw) -> Raw:
        if any(s["Spec"]["Name"] == spec["Name"] for s in self.services.values()):
            raise Refused(
                409, f"rpc error: name conflicts with an existing object: service {spec['Name']} already exists"
            )
        id = f"svc{self.index}"
        self.services[id] = {"ID": id, "Version": self.version(), "Spec": spec}
        return {"ID": id}

    def change(self, name: str, change: Callable[[Raw], None]) -> None:
        raw = self.service(name)
        change(raw["Spec"])
        raw["Version"] = self.version()

    def kill(self, container: str) -> None:
        task = next(t for t in self.tasks.values() if f"c{t['ID']}" == container or f"c{t['ID']}"[:12] == container)
        self._state(task, "failed", 137, "task: non-zero exit (137)")
        self.want(task, "shutdown")

    def force(self, name: str) -> None:
        """All old tasks are replaced; the updater's pace does not matter here."""
        old = self.live(self.service(name))
        for task in old:
            self.want(task, "shutdown")
        self.tick()

    def power(self, name: str, on: bool) -> None:
        self.powered[name] = on
        if on and name in self.lost:
            del self.lost[name]
            self.set_node(name, State="ready")
        elif not on:
            self.lost.setdefault(name, self.time.now)

    def create_named(self, kind: str, name: str, labels: Raw | None = None, data: str = "") -> Raw:
        if any(self.name_of(kind, n) == name for n in self.named[kind].values()):
            raise Refused(409, f"rpc error: code = AlreadyExists desc = {kind} {name} already exists")
        id = f"{kind}-{self.index}"
        spec = {"Name": name, "Labels": labels or {}, "Data": data}
        raw: Raw = {"ID": id, "Version": self.version(), "Spec": spec}
        if kind == "networks":
            raw = {"Id": id, "Name": name, "Labels": labels or {}, "Scope": "swarm", "Driver": "overlay"}
        self.named[kind][id] = raw
        return {"ID": id, "Id": id}

    @staticmethod
    def name_of(kind: str, raw: Raw) -> str:
        return str(raw["Name"] if kind == "networks" else raw["Spec"]["Name"])

    # How the docker client sees it.

    @cached_property
    def client(self) -> docker.APIClient:
        client = docker.APIClient(base_url="tcp://127.0.0.1:1", version="1.44")
        client.mount("http://", _Wire(self))
        return client

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """The answer's body for one request."""
        parts = path.strip("/").split("/")
        kind, id, verb = parts[0], parts[1] if len(parts) > 1 else "", parts[2] if len(parts) > 2 else ""
        if method != "GET":
            self.asked.append((method, path, body))
        stores = {"nodes": self.nodes, "services": self.services, "tasks": self.tasks, **self.named}
        if method == "GET":
            if not id:
                return self._counted() if kind == "services" else list(stores[kind].values())
            return self._found(stores[kind], kind, id)
        if method == "DELETE":
            self._found(stores[kind], kind, id)
            self._in_use(kind, id)
            del stores[kind][id]
            for task in self.tasks.values():
                if task["ServiceID"] == id:
                    self.want(task, "shutdown")
            return None
        if verb == "update":
            raw = self._found(stores[kind], kind, id)
            if int(query["version"]) != raw["Version"]["Index"] or self.stale:
                self.stale = max(0, self.stale - 1)
                raise Refused(500, "rpc error: code = Unknown desc = update out of sequence")
            raw["Spec"], raw["Version"] = body, self.version()
            return {}
        if kind == "services":
            return self.create_service(body)
        data = base64.b64decode(body.get("Data", "")).decode()
        return self.create_named(kind, body["Name"], body.get("Labels"), data)

    @staticmethod
    def _found(store: dict[str, Raw], kind: str, id: str) -> Raw:
        if id not in store:
            raise Refused(404, f"{kind} {id} not found")
        return store[id]

    def _in_use(self, kind: str, id: str) -> None:
        for service in self.services.values():
            if kind in ("secrets", "configs") and id in json.dumps(service["Spec"]["TaskTemplate"]):
                raise Refused(400, f"{kind} {id} is in use by the following service: {service['Spec']['Name']}")

    def _counted(self) -> list[Raw]:
        return [
            {**s, "ServiceStatus": {"DesiredTasks": len(self.live(s)), "RunningTasks": 0}}
            for s in self.services.values()
        ]


class _Wire(BaseAdapter):
    """Requests of the docker client, answered by a model."""

    def __init__(self, swarm: ModelSwarm) -> None:
        super().__init__()
        self.swarm = swarm

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        split = urlsplit(str(request.url))
        path = re.sub(r"^/v[0-9.]+", "", split.path).removesuffix("/create")
        query = {k: v[-1] for k, v in parse_qs(split.query).items()}
        answer = requests.Response()
        answer.request, answer.url, answer.status_code = request, str(request.url), 200
        answer.headers["Content-Type"] = "application/json"
        try:
            if self.swarm.trouble and request.method != "GET":
                raise self.swarm.trouble.pop(0)
            data = json.loads(request.body) if request.body else None
            body = self.swarm.answer(str(request.method), path, query, data)
        except Refused as refused:
            answer.status_code, body = refused.status, {"message": str(refused)}
        answer.raw = BytesIO(b"" if body is None else json.dumps(body).encode())
        return answer

    def close(self) -> None:
        """Nothing is open."""
