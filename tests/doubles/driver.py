"""A step's driver on a model of a swarm: it understands the lessons' commands as the CLI would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker

from lab import paths
from lab.cluster.link_faults import LinkFault
from lab.cluster.machine_faults import MachineFault
from lab.compose import read
from lab.compose.to_spec import service_specs
from lab.errors import CommandError
from lab.watch.swarm_diff import Versions, poll_swarm
from lab.world.entries import ActDone, CommandBegan, CommandEnded, Hit, LoadReport
from lab.world.journal import Journal
from lab.world.load import LoadSpec
from lab.world.request import Request
from tests.doubles import stack, typed
from tests.doubles.model import ENDED, ModelSwarm, Refused, TickingJournal, Time

Raw = dict[str, Any]
#: The published ports that lessons ask themselves.
PORTS = (8080, 8081)


@dataclass
class Answered:
    """`lab.run.driver.Round`, by default of one that has ended."""

    hits: tuple[Hit, ...] = ()
    ended: bool = True


class ModelDriver:
    """`lab.run.driver.StepDriver` (and a reset's `Tools`) on a model."""

    def __init__(self, swarm: ModelSwarm | None = None) -> None:
        self.time = swarm.time if swarm else Time()
        self.swarm = swarm or ModelSwarm(self.time)
        self.journal: Journal = TickingJournal(self.time, self._turn)
        self.seen, self.load_spec, self.commands = Versions(), False, 0
        self.deployed: list[str] = []
        self.volumes_removed: list[str] = []
        self.refreshed: list[str] = []
        self.watched: frozenset[str] = frozenset()
        self.wished: LoadSpec | None = None
        self.sent = 0
        self.refuse: list[str] = []
        self.deaf: list[list[str]] = []
        self.cut: set[str] = set()
        self.faults: tuple[LinkFault | MachineFault, ...] = ()
        self.outside: dict[str, dict[str, Any]] = {}

    def _turn(self) -> None:
        self.swarm.tick()
        self.look()
        if self.wished is not None:
            self._send(self.wished)

    def _send(self, load: LoadSpec) -> None:
        """One request of the load a turn, to its node or to one after another; a replica that runs answers it."""
        self.sent += 1
        asked = [load.node] if load.node else sorted(self.swarm.powered)
        on = self.swarm.powered.get(asked[self.sent % len(asked)], False)
        good = on and bool(self._replicas(Request(load.port, load.path, load.host)))
        self.journal.write(LoadReport(True, load.rate, load.target, 0.25, 1, good, not good))

    def look(self, bound: float = 60.0) -> None:
        fact, self.seen = poll_swarm(self.swarm.client, "node1", self.seen)
        if fact is not None:
            self.journal.write(fact)

    def engine(self) -> docker.APIClient:
        return self.swarm.client

    def is_stopping(self) -> bool:
        return self.load_spec

    def powered_off(self) -> list[str]:
        return [name for name, on in self.swarm.powered.items() if not on]

    def cut_off(self) -> list[str]:
        return [*self.cut]

    def broken(self) -> tuple[str, ...]:
        return tuple(fault.sentence for fault in self.faults)

    def heal(self) -> None:
        self.faults = ()

    def act(self, action: str, target: str) -> None:
        node = target.split()[0]
        self.journal.write(ActDone(action, node))
        self.cut -= {node} if action == "heal" else set()
        if action == "start" and node in self.outside:
            self.swarm.nodes[f"id-{node}"] = self.outside.pop(node)
        self.swarm.power(node, action in ("start", "heal"))

    def leave(self, node: str) -> None:
        self.outside[node] = self.swarm.nodes.pop(f"id-{node}")

    def given_values(self) -> dict[str, str]:
        nodes = {f"node{n}_{port}": f"127.0.0.1:2{n}0{port % 100}" for n in (1, 2, 3, 4) for port in PORTS}
        ports = {"http_port": "8080", "https_port": "8443", "tcp_port": "9090", "acme_port": "8015", "dns_port": "8053"}
        return {"domain": "localhost", **ports, "rate": "50", **nodes}

    def watch(self, panes: Iterable[str], marks: Iterable[str] = ()) -> None:
        self.watched = frozenset(panes)

    def refresh(self, what: str) -> None:
        self.refreshed.append(what)

    def look_soon(self, source: str) -> Callable[[], bool]:
        self.refresh(source) if source else self.look()
        return lambda: True

    def load(self, load_spec: LoadSpec | None) -> None:
        self.wished = load_spec

    def deploy(self, name: str, files: Sequence[str], env: Mapping[str, str]) -> None:
        self.deployed.append(name)
        if self.refuse:
            raise CommandError(("docker", "stack", "deploy", name), 1, self.refuse.pop(0))
        known = read.read_stack(*(paths.stacks() / file for file in files))
        configs = known.fill(env).configs
        held = {config.name or f"{name}_{key}": paths.stacks() / config.file for key, config in configs.items()}
        texts = {full: file.read_text() for full, file in held.items() if file.is_file()}
        stack.deploy(self.swarm, name, service_specs(known, name, env), texts)

    def list_refusing(self, port: int) -> list[str]:
        return self.deaf.pop(0) if self.deaf else []

    def remove_volume(self, name: str) -> None:
        for task in self.swarm.tasks.values():
            mounts = task["Spec"]["ContainerSpec"].get("Mounts") or ()
            if any(m["Source"] == name for m in mounts) and task["Status"]["State"] not in ENDED:
                said = f"Error response from daemon: remove {name}: volume is in use - [{task['ID']}]"
                raise CommandError(("docker", "volume", "rm", name), 1, said)
        self.volumes_removed.append(name)

    def login(self) -> bytes:
        return b"lab:$2y$05$a-hash"

    def ask(self, request: Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """A host's name is answered by the services whose labels name it; what they say is the configs they have."""
        port, path, who = request.port, request.path, (request.host, request.protocol, request.login)
        replicas = self._replicas(request)
        for name, on in self.swarm.powered.items():
            for turn in range(times if not nodes or name in nodes else 0):
                task = replicas[turn % len(replicas)] if replicas and on else None
                replica, error = (task["ID"], "") if task else ("", "refused")
                body = "".join(self._texts(task)) if task else ""
                self.journal.write(Hit(name, port, path, 200 if task else 0, replica, 1.0, body, error, *who))

    def ask_soon(self, requests: Mapping[Request, int]) -> Answered:
        hits: list[Hit] = []
        stop = self.journal.read(lambda entry, _: hits.extend([entry.fact] if isinstance(entry.fact, Hit) else []))
        for request, times in requests.items():
            self.ask(request, times=times)
        stop()
        return Answered(tuple(hits))

    def _replicas(self, request: Request) -> list[Raw]:
        return [
            task
            for service in self.swarm.services.values()
            if _answers(service, request)
            for task in self.swarm.live(service)
            if task["Status"]["State"] == "running"
        ]

    def _texts(self, task: Raw) -> Iterator[str]:
        for granted in task["Spec"]["ContainerSpec"].get("Configs") or ():
            yield self.swarm.named["configs"][granted["ConfigID"]]["Spec"]["Data"]

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        self.commands += 1
        began = self.time.now
        self.journal.write(CommandBegan(self.commands, node or "node1", text, step))
        try:
            status, output = 0, self._type(text, node)
        except Refused as refused:
            status, output = 1, str(refused)
        ended = CommandEnded(self.commands, status, self.time.now - began, output)
        self.journal.write(ended)
        return ended

    def _type(self, text: str, node: str) -> str:
        return typed.command(self, text, node)


def _answers(service: Raw, request: Request) -> bool:
    spec = service["Spec"]
    if request.host:
        return any(f"Host(`{request.host}`)" in value for value in (spec.get("Labels") or {}).values())
    ports = (spec.get("EndpointSpec") or {}).get("Ports") or ()
    return any(port["PublishedPort"] == request.port for port in ports)
