"""An engine in the shape of the real one: its HTTP API on loopback, over a model of a swarm.

It is spoken to by the real docker SDK. `tests/contract.py` says what holds of it and of the real one.
"""

from __future__ import annotations

import json
import queue
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from lab.engine.endpoint import Endpoint
from tests.doubles import api
from tests.doubles.model import ModelSwarm, Time

Raw = dict[str, Any]
_NO_MANAGER = (
    "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. Please run this "
    "command on a manager node or promote the current node to a manager."
)

_NO_LEADER = (
    "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that too few managers are "
    "online. Make sure more than half of the managers are online."
)


class InstantSwarm(ModelSwarm):
    """A model whose own time does not matter: what a method changes has settled when it returns. For tests of what
    looks at a swarm; where something waits for a swarm, a ModelSwarm's time goes on."""

    def __init__(self, nodes: int = 4) -> None:
        super().__init__(Time(time.time()), nodes)

    def create(self, name: str, replicas: int, image: str = "nginx:1.26") -> None:
        """A service whose tasks run, spread over the nodes; one that fails is replaced without a pause."""
        template = {"ContainerSpec": {"Image": image}, "RestartPolicy": {"Delay": 0}, "ForceUpdate": 0}
        with self.lock:
            self.create_service(
                {"Name": name, "Mode": {"Replicated": {"Replicas": replicas}}, "TaskTemplate": template}
            )
            self._settle(lambda: self._run(name, replicas))

    def scale(self, name: str, replicas: int, *, told: bool = True) -> None:
        """The service has so many tasks, and they run; with `told`, an event says so."""
        with self.lock:
            self.change(name, lambda spec: spec["Mode"]["Replicated"].update(Replicas=replicas))
            self._settle(lambda: len(self.of(self.service(name))) == replicas and self._run(name, replicas))
        if told:
            self.tell("service", "update", self.service(name)["ID"], name)

    def crash(self, task: str, code: int = 137) -> None:
        """The container dies; the manager notes it and puts a new task in the slot."""
        with self.lock:
            raw = self.tasks[task]
            spec = self.services[raw["ServiceID"]]["Spec"]
            self.end(raw, code)
            self._settle(lambda: self._run(spec["Name"], spec["Mode"]["Replicated"]["Replicas"]))
        said = {"com.docker.swarm.task.id": task, "exitCode": str(code)}
        self.tell("container", "die", f"c{task}", "", **said)

    def turn(self, name: str, state: str) -> None:
        """A node is `ready` or `down` from now on."""
        with self.lock:
            raw = self.nodes[f"id-{name}"]
            raw["Version"] = self.version()
            raw["Status"]["State"] = state
        self.tell("node", "update", f"id-{name}", name)

    def remove(self, name: str) -> None:
        """A service goes with its tasks."""
        with self.lock:
            service = self.service(name)
            self.answer("DELETE", f"/services/{name}", {}, None)
            self._settle(lambda: not self.of(service))

    def _run(self, name: str, replicas: int) -> bool:
        return [t["Status"]["State"] for t in self.live(self.service(name))] == ["running"] * replicas

    def _settle(self, there: Callable[[], bool]) -> None:
        for _ in range(100):
            if there():
                return
            self.time.now += 0.25
            self.tick()
        raise AssertionError("the model did not get there")


class FakeEngine:
    """One node's engine. `broken` makes its answers nonsense, `leaderless` those of a manager without a leader;
    `instead` has a path's answer, byte for byte."""

    def __init__(self, swarm: ModelSwarm, node: str) -> None:
        self.swarm, self.node = swarm, node
        self.broken = self.leaderless = False
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
                    self._answer(*engine.answer("GET", self.path, None))

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._answer(*engine.answer(self.command, self.path, body))

            do_DELETE = do_POST

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Api-Version", "1.44")
                self.send_header("Swarm", f"active/{engine._role}")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

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

    def answer(self, method: str, url: str, body: bytes | None) -> tuple[int, bytes]:
        """The status and body for one request."""
        path = re.sub(r"^/v[0-9.]+", "", urlsplit(url).path)
        if path == "/_ping":
            return 200, b"OK"
        if path == "/version":
            return 200, json.dumps({"ApiVersion": "1.44", "Version": "26.1.5"}).encode()
        if path in self.instead:
            return 200, self.instead[path]
        if self.broken:
            return 200, json.dumps([{"ID": "x"}]).encode()
        if self.leaderless:
            return 503, json.dumps({"message": _NO_LEADER}).encode()
        if self._role == "worker":
            return 503, json.dumps({"message": _NO_MANAGER}).encode()
        return api.respond(self.swarm, method, url, body)

    @property
    def _role(self) -> Any:
        return self.swarm.nodes[f"id-{self.node}"]["Spec"]["Role"]

    @property
    def endpoint(self) -> Endpoint:
        """Where the docker SDK finds it."""
        return Endpoint(self.node, self._role, f"tcp://127.0.0.1:{self.server.server_address[1]}")

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
def fake_cluster(nodes: int = 4) -> Iterator[tuple[InstantSwarm, list[FakeEngine]]]:
    """A swarm of so many nodes, each with its engine."""
    swarm = InstantSwarm(nodes)
    engines = [FakeEngine(swarm, raw["Description"]["Hostname"]) for raw in swarm.nodes.values()]
    try:
        yield swarm, engines
    finally:
        for engine in engines:
            engine.stop()
