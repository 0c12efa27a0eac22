"""A lesson's hands on a model of a swarm: they understand the lessons' commands as the CLI would."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import docker

from lab import paths
from lab.course.stack import read
from lab.course.stack.spec import specs
from lab.errors import CommandError, EngineError
from lab.watch.hits import Request
from lab.watch.look import Seen, look
from lab.world.entries import Acted, CommandBegan, CommandEnded, Hit
from lab.world.journal import Journal
from lab.world.load import Wish
from tests.doubles import stack
from tests.doubles.model import ENDED, ModelSwarm, Refused, TickingJournal, Time

Raw = dict[str, Any]


class ModelHands:
    """`lab.course.ports.Hands` (and a reset's `Tools`) on a model."""

    def __init__(self, swarm: ModelSwarm | None = None) -> None:
        self.time = swarm.time if swarm else Time()
        self.swarm = swarm or ModelSwarm(self.time)
        self.journal: Journal = TickingJournal(self.time, self._turn)
        self.seen, self.wish, self.commands = Seen(), False, 0
        self.deployed: list[str] = []
        self.volumes_removed: list[str] = []
        self.refreshed: list[str] = []
        self.watched: frozenset[str] = frozenset()
        self.wished: Wish | None = None
        self.refuse: list[str] = []

    def _turn(self) -> None:
        self.swarm.tick()
        self.look()

    def look(self) -> None:
        fact, self.seen = look(self.swarm.client, "node1", self.seen)
        if fact is not None:
            self.journal.write(fact)

    def engine(self) -> docker.APIClient:
        return self.swarm.client

    def stopping(self) -> bool:
        return self.wish

    def act(self, action: str, node: str) -> None:
        self.journal.write(Acted(action, node))
        self.swarm.power(node, action in ("start", "heal"))

    def given(self) -> dict[str, str]:
        return {"domain": "localhost", "http_port": "8080", "https_port": "8443", "rate": "50"}

    def watch(self, panes: Iterable[str]) -> None:
        self.watched = frozenset(panes)

    def refresh(self, what: str) -> None:
        self.refreshed.append(what)

    def load(self, wish: Wish | None) -> None:
        self.wished = wish

    def deploy(self, name: str, file: str, env: Mapping[str, str]) -> None:
        self.deployed.append(name)
        if self.refuse:
            raise CommandError(("docker", "stack", "deploy", name), 1, self.refuse.pop(0))
        stack.deploy(self.swarm, name, specs(read.stack(paths.stacks() / file), name, env))

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
        port, path = request.port, request.path
        replicas = [
            task["ID"]
            for service in self.swarm.services.values()
            if any(p["PublishedPort"] == port for p in (service["Spec"].get("EndpointSpec") or {}).get("Ports") or ())
            for task in self.swarm.live(service)
            if task["Status"]["State"] == "running"
        ]
        for name, on in self.swarm.powered.items():
            for turn in range(times if not nodes or name in nodes else 0):
                replica = replicas[turn % len(replicas)] if replicas and on else ""
                error = "" if replica else "refused"
                self.journal.write(Hit(name, port, path, 200 if replica else 0, replica, 1.0, error=error))

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
        words = shlex.split(text.replace("\\\n", " "))
        if "|" in words:
            words = words[words.index("|") + 1 :]
        match words[1:]:
            case ["secret", "create", name, "-"]:
                self.swarm.create_named("secrets", name)
            case ["service", "create", *rest]:
                self.swarm.create_service(self._spec(rest))
            case ["service", "scale", change]:
                name, count = change.split("=")
                self.swarm.change(name, lambda spec: spec["Mode"]["Replicated"].update(Replicas=int(count)))
            case ["service", "update", "--force", name]:
                self.swarm.force(name)
            case ["service", "ls"]:
                return "\n".join(map(self._ls, self.swarm.services.values()))
            case ["service", "ps", name, *rest]:
                return self._ps(name, running="--filter" in rest)
            case ["node", "update", "--availability", how, name]:
                self.swarm.nodes[f"id-{name}"]["Spec"]["Availability"] = how
                self.swarm.set_node(name)
            case ["kill", container]:
                self.swarm.kill(container)
            case ["exec", container, "ls", "-l", "/run/secrets"]:
                at = [t for t in self.swarm.tasks.values() if f"c{t['ID']}"[:12] == container]
                if not at or self.swarm.node_name(at[0]) != node:
                    raise Refused(404, f"No such container: {container}")
                return "-r--r--r-- 1 root root 14 Nov 22 18:20 ssl-key"
            case _:
                raise EngineError(f"the model does not know this command: {text}")
        return "done"

    def _spec(self, words: list[str]) -> Raw:
        """What the CLI makes of its flags."""
        container: Raw = {"Image": words.pop(), "Init": False}
        spec: Raw = {
            "Name": "",
            "Labels": {},
            "TaskTemplate": {"ContainerSpec": container, "ForceUpdate": 0, "Placement": {}},
            "Mode": {"Replicated": {"Replicas": 1}},
            "EndpointSpec": {"Mode": "vip"},
        }
        update = {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5 * 10**9, "Order": "stop-first"}
        flags = [w for w in words if w != "--no-resolve-image"]
        for flag, value in zip(flags[::2], flags[1::2], strict=True):
            match flag:
                case "--name":
                    spec["Name"] = value
                case "--replicas":
                    spec["Mode"]["Replicated"]["Replicas"] = int(value)
                case "--update-delay":
                    spec["UpdateConfig"] = update | {"Delay": int(value.removesuffix("s")) * 10**9}
                case "--update-parallelism":
                    spec["UpdateConfig"]["Parallelism"] = int(value)
                case "--constraint":
                    spec["TaskTemplate"]["Placement"] = {"Constraints": [value]}
                case "--publish":
                    published, target = map(int, value.split(":"))
                    port = {"PublishedPort": published, "TargetPort": target, "Protocol": "tcp"}
                    spec["EndpointSpec"]["Ports"] = [{**port, "PublishMode": "ingress"}]
                case "--env":
                    container["Env"] = [value]
                case "--secret":
                    source, target_name = (part.split("=")[1] for part in value.split(","))
                    secrets = self.swarm.named["secrets"].items()
                    id = next(id for id, raw in secrets if raw["Spec"]["Name"] == source)
                    file = {"Name": target_name, "UID": "0", "GID": "0", "Mode": 292}
                    container["Secrets"] = [{"File": file, "SecretID": id, "SecretName": source}]
                case _:
                    raise EngineError(f"the model does not know this flag: {flag}")
        return spec

    def _ls(self, service: Raw) -> str:
        live = sum(t["Status"]["State"] == "running" for t in self.swarm.live(service))
        spec = service["Spec"]
        wanted, image = spec["Mode"]["Replicated"]["Replicas"], spec["TaskTemplate"]["ContainerSpec"]["Image"]
        return f"{service['ID']}   {spec['Name']}       replicated   {live}/{wanted}        {image}   *:8080->80/tcp"

    def _ps(self, name: str, *, running: bool) -> str:
        tasks = self.swarm.of(self.swarm.service(name))
        lines = []
        for task in sorted(tasks, key=lambda t: (t["Slot"], t["DesiredState"] != "running")):
            if running and task["DesiredState"] != "running":
                continue
            old = "" if task["DesiredState"] == "running" else r" \_ "
            head = f"{task['ID']}  {old}{name}.{task['Slot']}  nginx:1.26  {self.swarm.node_name(task)}"
            state = f"{task['DesiredState'].capitalize()}  {task['Status']['State'].capitalize()} 5 seconds ago"
            error = f'"{task["Status"].get("Err")}"' if task["Status"].get("Err") else ""
            lines.append(f"{head}  {state}  {error}")
        return "\n".join(lines)
