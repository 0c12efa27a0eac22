"""A small swarm that works: it keeps raw objects in the engine's own shape, and has an orchestrator and a scheduler.

The real docker client speaks to it through `ModelSwarm.client`, without a socket, or through the HTTP of
`tests.doubles.engine`. Time is a number that goes on when somebody waits. `tests/contract.py` holds it and the real
swarm to the same facts.
"""

from __future__ import annotations

import copy
import queue
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import docker
import requests

from lab.world.journal import Journal
from lab.world.world import World
from tests.doubles import api, updates

Raw = dict[str, Any]
ENDED = {"complete", "shutdown", "failed", "rejected", "remove", "orphaned"}
#: Seconds: until a silent node counts as down; for a container to be prepared; before what failed is tried again.
HEARTBEATS, PREPARING, RESTART = 15, 0.5, 5.0
_SECOND = 1_000_000_000


class Time:
    """A clock that is set by hand."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

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
    """A model of a swarm with nodes node1..nodeN, the first three of them managers. It goes on by `tick`, in its own
    `time`: a change takes time, as in a real one. An `InstantSwarm` (`tests/doubles/engine.py`) settles it at once."""

    def __init__(self, time: Time, nodes: int = 4, labels: Raw | None = None) -> None:
        self.time, self.index = time, 100
        self.lock = threading.RLock()
        self.nodes: dict[str, Raw] = {}
        self.services: dict[str, Raw] = {}
        self.tasks: dict[str, Raw] = {}
        self.named: dict[str, dict[str, Raw]] = {"secrets": {}, "configs": {}, "networks": {}}
        self.powered = {f"node{n}": True for n in range(1, nodes + 1)}
        self.lost: dict[str, float] = {}
        self.asked: list[tuple[str, str, Any]] = []
        self.trouble: list[Refused | requests.RequestException] = []
        self.stale = 0
        self.listeners: list[queue.Queue[Raw | None]] = []
        self._given: set[str] = set()
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

    def id(self, wanted: str) -> str:
        """An id that no object had yet: `wanted` itself the first time."""
        id = wanted if wanted not in self._given else f"{wanted}-{self.index}"
        self._given.add(id)
        return id

    def stamp(self) -> str:
        """Now, in RFC 3339 with nine digits, as the engine writes it."""
        return datetime.fromtimestamp(self.time.now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"

    # What goes on by itself.

    def tick(self) -> None:
        """One turn of agents, orchestrator and scheduler."""
        with self.lock:
            for name, since in tuple(self.lost.items()):
                if self.time.now - since >= HEARTBEATS and self.nodes[f"id-{name}"]["Status"]["State"] == "ready":
                    self.set_node(name, State="down")
            for task in tuple(self.tasks.values()):
                self._advance(task)
            for service in tuple(self.services.values()):
                self._leave_nodes(service)
                self._reconcile(service)
                updates.step(self, service)
            self._schedule()
            for id, task in tuple(self.tasks.items()):
                gone = task["ServiceID"] not in self.services or task["DesiredState"] == "remove"
                if gone and (task["Status"]["State"] in ENDED or "NodeID" not in task):
                    del self.tasks[id]

    def set_node(self, name: str, **status: Any) -> None:
        raw = self.nodes[f"id-{name}"]
        raw["Status"] |= status
        raw["Version"] = self.version()

    def _advance(self, task: Raw) -> None:
        """What the task's manager lets it do, and what its node's agent then does."""
        if task["DesiredState"] == "ready" and self.time.now >= task["_start"] and not self._stopping_before(task):
            self.want(task, "running")
        state, desired = task["Status"]["State"], task["DesiredState"]
        if self.node_name(task) in {"", *self.lost}:
            return
        if desired in ("shutdown", "remove") and state not in ENDED:
            self._state(task, "shutdown")
        elif state == "preparing" and self.time.now >= task["_ready"]:
            self._state(task, "ready") if desired == "ready" else self._begin(task)
        elif state == "ready" and desired == "running":
            self._begin(task)

    def _begin(self, task: Raw) -> None:
        """Start the container: `sh -c "exit N"` ends with N, and version 0 of the demo's backend cannot work."""
        spec = task["Spec"]["ContainerSpec"]
        command = " ".join(spec.get("Command") or ())
        if command.startswith("sh -c exit "):
            self.end(task, int(command.split()[-1]))
        elif spec["Image"] == "backend:0":
            self.end(task, 1)
        else:
            self._state(task, "running", message="started")

    def _stopping_before(self, task: Raw) -> bool:
        """A task of its slot must stop first, on a node that can say so."""
        return any(
            other["DesiredState"] == "shutdown"
            and other["Status"]["State"] not in ENDED
            and self.nodes[other["NodeID"]]["Status"]["State"] == "ready"
            for other in self._of_place(task)
            if "NodeID" in other
        )

    def _of_place(self, task: Raw) -> Iterator[Raw]:
        """The other tasks of its slot, or of its node for a global service."""
        for other in self.tasks.values():
            same = other["Slot"] == task["Slot"] and (task["Slot"] or other.get("NodeID") == task.get("NodeID"))
            if same and other is not task and other["ServiceID"] == task["ServiceID"]:
                yield other

    def _state(self, task: Raw, state: str, exit: int = 0, error: str = "", message: str = "") -> None:
        container = {"ContainerID": f"c{task['ID']}", "ExitCode": exit}
        said = {"Message": message or state, "Err": error, "ContainerStatus": container}
        task["Status"] = {"State": state, "Timestamp": self.stamp(), **said}
        task["Version"] = self.version()

    def end(self, task: Raw, code: int) -> None:
        """Its container ended by itself, or was killed; the manager notes it."""
        state, error = ("failed", f"task: non-zero exit ({code})") if code else ("complete", "")
        self._state(task, state, code, error)
        self.want(task, "shutdown")

    def want(self, task: Raw, desired: str) -> None:
        task["DesiredState"], task["Version"] = desired, self.version()

    def of(self, service: Raw) -> list[Raw]:
        return [t for t in self.tasks.values() if t["ServiceID"] == service["ID"]]

    def live(self, service: Raw) -> list[Raw]:
        return [
            t
            for t in self.of(service)
            if t["DesiredState"] in ("ready", "running") and t["Status"]["State"] not in ENDED
        ]

    def _leave_nodes(self, service: Raw) -> None:
        """Tasks leave nodes that are down or drained, and those that no longer meet their constraints."""
        for task in self.live(service):
            node = self.nodes.get(task.get("NodeID", ""))
            if node is None:
                continue
            if node["Status"]["State"] != "ready" or node["Spec"]["Availability"] == "drain":
                self.want(task, "shutdown")
            elif node["Spec"]["Availability"] == "active" and not meets(node, task["Spec"]):
                self._state(task, "rejected", error="assigned node no longer meets constraints")
                self.want(task, "shutdown")

    def _reconcile(self, service: Raw) -> None:
        live = self.live(service)
        if "Global" in service["Spec"]["Mode"]:
            spent = {task["NodeID"] for task in self._spent(service)}
            for node in self.nodes.values():
                if node["ID"] not in spent | {task["NodeID"] for task in live} and _fits(node, service["Spec"]):
                    self.new_task(service, 0, node["ID"])
            return
        wanted = service["Spec"]["Mode"]["Replicated"]["Replicas"]
        slots = {task["Slot"] for task in live}
        while len(slots) > wanted:
            counts = {t["Slot"]: sum(o.get("NodeID") == t.get("NodeID") for o in live) for t in live}
            slot = max(slots, key=lambda each: (counts[each], each))
            slots.remove(slot)
            for task in [t for t in live if t["Slot"] == slot]:
                live.remove(task)
                self.want(task, "remove")
        taken = slots | {task["Slot"] for task in self._spent(service)}
        free = [slot for slot in range(1, wanted + 1 + len(taken)) if slot not in taken]
        for slot in free[: max(0, wanted - len(taken))]:
            self.new_task(service, slot)

    def _spent(self, service: Raw) -> list[Raw]:
        """Tasks of this version that ended by themselves and are not to be replaced."""
        template = service["Spec"]["TaskTemplate"]
        if (template.get("RestartPolicy") or {}).get("Condition") != "none":
            return []
        ended = ("complete", "failed")
        return [t for t in self.of(service) if t["Status"]["State"] in ended and t["Spec"] == template]

    def new_task(self, service: Raw, slot: int, node: str = "") -> Raw:
        """A task in a slot, or for a global service on a node. After one that failed it waits before it starts."""
        template = service["Spec"]["TaskTemplate"]
        id = self.id(f"task-{self.index}")
        at = {"NodeID": node} if node else {}
        task: Raw = {
            "ID": id,
            "ServiceID": service["ID"],
            "Slot": slot,
            "Spec": template,
            "DesiredState": "ready",
            **at,
        }
        before = max(self._of_place(task), key=lambda t: t["Version"]["Index"], default=None)
        failed = before is not None and before["Status"]["State"] in ("failed", "complete", "rejected")
        delay = (template.get("RestartPolicy") or {}).get("Delay")
        wait = (RESTART if delay is None else delay / _SECOND) if failed else 0.0
        task |= {
            "Version": self.version(),
            "CreatedAt": self.stamp(),
            "Status": {"State": "new", "Timestamp": self.stamp(), "Message": "created"},
            "_start": self.time.now + wait,
            "_ready": self.time.now + PREPARING,
        }
        self.tasks[id] = task
        if not wait and not self._stopping_before(task):
            task["DesiredState"] = "running"
        return task

    def _schedule(self) -> None:
        """Give each task that waits for one a node: that which runs the fewest of its service, if any fits."""
        for task in [t for t in self.tasks.values() if t["Status"]["State"] in ("new", "pending")]:
            service = self.services.get(task["ServiceID"])
            if service is None or task["DesiredState"] not in ("ready", "running"):
                continue
            if "NodeID" not in task:
                load = {id: sum(t.get("NodeID") == id for t in self.live(service)) for id in self.nodes}
                most = (task["Spec"].get("Placement") or {}).get("MaxReplicas") or len(self.tasks)
                fits = [
                    node
                    for node in self.nodes.values()
                    if _fits(node, {"TaskTemplate": task["Spec"]}) and load[node["ID"]] < most
                ]
                if not fits:
                    if task["Status"]["State"] == "new":
                        said = {"Message": "pending task scheduling", "Err": self._why_none(task)}
                        task["Status"] = {"State": "pending", "Timestamp": self.stamp(), **said}
                        task["Version"] = self.version()
                    continue
                every = [t.get("NodeID") for each in self.services.values() for t in self.live(each)]
                task["NodeID"] = min(fits, key=lambda n: (load[n["ID"]], every.count(n["ID"]), n["ID"]))["ID"]
            task["Status"] = {"State": "preparing", "Timestamp": self.stamp(), "Message": "preparing"}
            task["Version"], task["_ready"] = self.version(), self.time.now + PREPARING

    def _why_none(self, task: Raw) -> str:
        off = [n for n in self.nodes.values() if not _takes(n)]
        unmet = [n for n in self.nodes.values() if _takes(n) and not meets(n, task["Spec"])]
        told = ((off, "not available for new tasks"), (unmet, "scheduling constraints not satisfied on"))
        parts = [f"{len(n)} node{'s' * (len(n) > 1)} {why}" for n, why in told[:1] if n]
        parts += [f"{why} {len(n)} node{'s' * (len(n) > 1)}" for n, why in told[1:] if n]
        return f"no suitable node ({'; '.join(parts)})"

    def node_name(self, task: Raw) -> str:
        node = self.nodes.get(task.get("NodeID", ""))
        return str(node["Description"]["Hostname"]) if node else ""

    # What people do to it.

    def service(self, name: str) -> Raw:
        return next(s for s in self.services.values() if s["Spec"]["Name"] == name)

    def create_service(self, spec: Raw) -> Raw:
        return api.create_service(self, spec)

    def change(self, name: str, change: Callable[[Raw], None]) -> None:
        """Give a service a changed spec, as `docker service update` does."""
        raw = self.service(name)
        spec = copy.deepcopy(raw["Spec"])
        change(spec)
        updates.begin(self, raw, spec)

    def kill(self, container: str) -> None:
        task = next(t for t in self.tasks.values() if f"c{t['ID']}" == container or f"c{t['ID']}"[:12] == container)
        self.end(task, 137)

    def power(self, name: str, on: bool) -> None:
        self.powered[name] = on
        if on and name in self.lost:
            del self.lost[name]
            self.set_node(name, State="ready")
        elif not on:
            self.lost.setdefault(name, self.time.now)

    def create_named(self, kind: str, name: str, labels: Raw | None = None, data: str = "") -> Raw:
        return api.create_named(self, kind, name, labels, data)

    @staticmethod
    def name_of(kind: str, raw: Raw) -> str:
        return str(raw["Name"] if kind == "networks" else raw["Spec"]["Name"])

    def tell(self, kind: str, action: str, id: str, name: str, **said: str) -> None:
        """An event to everyone who listens. Events bear the wall's time."""
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": id, "Attributes": {"name": name, **said}},
            "time": int(time.time()),
            "timeNano": time.time_ns(),
        }
        for listener in tuple(self.listeners):
            listener.put(event)

    # How the docker client sees it.

    @cached_property
    def client(self) -> docker.APIClient:
        return api.ModelClient(self)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> Any:
        """The answer's body for one request. Raises Refused."""
        with self.lock:
            return api.answer(self, method, path, query, body)


def _takes(node: Raw) -> bool:
    return bool(node["Status"]["State"] == "ready" and node["Spec"]["Availability"] == "active")


def _fits(node: Raw, spec: Raw) -> bool:
    return _takes(node) and meets(node, spec["TaskTemplate"])


def meets(node: Raw, template: Raw) -> bool:
    """Whether a node meets a template's constraints."""
    facts = {"node.role": node["Spec"]["Role"], "node.hostname": node["Description"]["Hostname"]}
    facts |= {f"node.labels.{key}": value for key, value in (node["Spec"].get("Labels") or {}).items()}
    wanted = [c.replace(" ", "") for c in (template.get("Placement") or {}).get("Constraints") or ()]
    parts = [(c.partition("!=" if "!=" in c else "==")) for c in wanted]
    return all((facts.get(what) == value) is (how == "==") for what, how, value in parts)
