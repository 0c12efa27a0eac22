"""An engine in the shape of the real one: its HTTP API on loopback, over an in-memory swarm.

It is spoken to by the real docker SDK. `tests/live/test_watch.py` holds the real engine to the same contract.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from lab.cluster.model import Endpoint

Raw = dict[str, Any]


def stamp(seconds: float | None = None) -> str:
    """RFC 3339 with nine digits, as the engine writes it."""
    moment = datetime.fromtimestamp(time.time() if seconds is None else seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


class FakeSwarm:
    """The swarm's state, shared by the engines of its nodes."""

    def __init__(self, nodes: int = 4, managers: int = 3) -> None:
        self.index = 10
        self.nodes: dict[str, Raw] = {}
        self.services: dict[str, Raw] = {}
        self.tasks: dict[str, Raw] = {}
        self.secrets: dict[str, Raw] = {}
        self.lock = threading.RLock()
        self.listeners: list[queue.Queue[Raw | None]] = []
        for number in range(1, nodes + 1):
            self._add_node(f"node{number}", manager=number <= managers, leader=number == 1)

    def _version(self) -> Raw:
        self.index += 1
        return {"Index": self.index}

    def _add_node(self, name: str, *, manager: bool, leader: bool) -> None:
        raw: Raw = {
            "ID": f"id-{name}",
            "Version": self._version(),
            "Spec": {"Role": "manager" if manager else "worker", "Availability": "active", "Labels": {}},
            "Description": {"Hostname": name, "Engine": {"EngineVersion": "26.1.5"}},
            "Status": {"State": "ready", "Addr": f"10.77.0.{len(self.nodes) + 1}"},
        }
        if manager:
            raw["ManagerStatus"] = {"Leader": leader, "Reachability": "reachable"}
        self.nodes[raw["ID"]] = raw

    def create(self, name: str, replicas: int, image: str = "nginx:1.26") -> None:
        """A service whose tasks run at once, spread over the nodes."""
        with self.lock:
            id = f"svc-{name}"
            self.services[id] = {
                "ID": id,
                "Version": self._version(),
                "Spec": {
                    "Name": name,
                    "Mode": {"Replicated": {"Replicas": replicas}},
                    "TaskTemplate": {"ContainerSpec": {"Image": image}, "ForceUpdate": 0},
                },
                "ServiceStatus": {"DesiredTasks": replicas, "RunningTasks": replicas},
            }
            for slot in range(1, replicas + 1):
                self.run(id, slot, list(self.nodes)[(slot - 1) % len(self.nodes)])
        self.tell("service", "create", id, name)

    def run(self, service: str, slot: int, node: str) -> str:
        """A new running task in a slot; the answer is its id."""
        with self.lock:
            id = f"task-{self.index}"
            self.tasks[id] = {
                "ID": id,
                "Version": self._version(),
                "CreatedAt": stamp(),
                "ServiceID": service,
                "Slot": slot,
                "NodeID": node,
                "Spec": {
                    "ContainerSpec": {"Image": self.services[service]["Spec"]["TaskTemplate"]["ContainerSpec"]["Image"]}
                },
                "DesiredState": "running",
                "Status": {
                    "Timestamp": stamp(),
                    "State": "running",
                    "Message": "started",
                    "ContainerStatus": {"ContainerID": f"c{id}", "ExitCode": 0},
                },
            }
            return id

    def crash(self, task: str, code: int = 137) -> None:
        """The container dies; the manager notes it and puts a new task in the slot."""
        with self.lock:
            raw = self.tasks[task]
            raw["Version"] = self._version()
            raw["DesiredState"] = "shutdown"
            raw["Status"] |= {"State": "failed", "Timestamp": stamp(), "Err": f"task: non-zero exit ({code})"}
            raw["Status"]["ContainerStatus"]["ExitCode"] = code
            self.run(raw["ServiceID"], raw["Slot"], raw["NodeID"])
        self.tell("container", "die", f"c{task}", "", task=task, code=code)

    def remove(self, name: str) -> None:
        """A service goes with its tasks."""
        with self.lock:
            id = f"svc-{name}"
            del self.services[id]
            self.tasks = {t: raw for t, raw in self.tasks.items() if raw["ServiceID"] != id}
        self.tell("service", "remove", id, name)

    def tell(self, kind: str, action: str, id: str, name: str, *, task: str = "", code: int | None = None) -> None:
        """An event to everyone who listens."""
        said = {"name": name}
        if task:
            said |= {"com.docker.swarm.task.id": task, "exitCode": str(code)}
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": id, "Attributes": said},
            "time": int(time.time()),
            "timeNano": time.time_ns(),
        }
        for listener in tuple(self.listeners):
            listener.put(event)


class FakeEngine:
    """One node's engine. `broken` makes its answers nonsense; `instead` has a path's answer, byte for byte."""

    def __init__(self, swarm: FakeSwarm, node: str) -> None:
        self.swarm, self.node = swarm, node
        self.broken = False
        self.asked: list[str] = []
        self.instead: dict[str, bytes] = {}
        engine = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                engine.connections.append(self.connection)

            def do_GET(self) -> None:
                path = re.sub(r"^/v[0-9.]+", "", urlsplit(self.path).path)
                engine.asked.append(path)
                if path == "/events":
                    self._events()
                else:
                    self._answer(engine.answer(path))

            def _answer(self, body: object) -> None:
                data = body if isinstance(body, bytes) else b"OK" if body == "OK" else json.dumps(body).encode()
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Api-Version", "1.44")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def _events(self) -> None:
                listener: queue.Queue[Raw | None] = queue.Queue()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                engine.swarm.listeners.append(listener)
                engine.open.append(listener)
                try:
                    while (event := listener.get()) is not None:
                        line = json.dumps(event).encode() + b"\n"
                        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
                        self.wfile.flush()
                except OSError:
                    pass
                finally:
                    engine.swarm.listeners.remove(listener)
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                """Quiet."""

        self.connections: list[socket.socket] = []
        self.open: list[queue.Queue[Raw | None]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=lambda: self.server.serve_forever(0.02), daemon=True).start()

    def answer(self, path: str) -> object:
        """The body for a path; None for one that the double does not know."""
        swarm = self.swarm
        if path in self.instead:
            return self.instead[path]
        if self.broken and path not in {"/_ping", "/version"}:
            return [{"ID": "x"}]
        with swarm.lock:
            known: dict[str, object] = {
                "/_ping": "OK",
                "/version": {"ApiVersion": "1.44", "Version": "26.1.5"},
                "/nodes": list(swarm.nodes.values()),
                "/services": list(swarm.services.values()),
                "/tasks": list(swarm.tasks.values()),
                "/secrets": list(swarm.secrets.values()),
                "/configs": [],
                "/networks": [],
            }
            return json.loads(json.dumps(known[path])) if path in known else None

    @property
    def endpoint(self) -> Endpoint:
        """Where the docker SDK finds it."""
        role = self.swarm.nodes[f"id-{self.node}"]["Spec"]["Role"]
        return Endpoint(self.node, role, f"tcp://127.0.0.1:{self.server.server_address[1]}")

    def stop(self) -> None:
        """The machine is gone: connections end, new ones are refused. Idempotent."""
        self.server.shutdown()
        self.server.server_close()
        for listener in self.open:
            listener.put(None)
        for connection in self.connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def fake_cluster(nodes: int = 4) -> Iterator[tuple[FakeSwarm, list[FakeEngine]]]:
    """A swarm of so many nodes, each with its engine."""
    swarm = FakeSwarm(nodes)
    engines = [FakeEngine(swarm, raw["Description"]["Hostname"]) for raw in swarm.nodes.values()]
    try:
        yield swarm, engines
    finally:
        for engine in engines:
            engine.stop()
