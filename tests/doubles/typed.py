"""The lessons' commands on a model of a swarm: what the CLI makes of them, and what it prints."""

from __future__ import annotations

import base64
import copy
import re
import shlex
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from lab.errors import EngineError
from lab.world.request import Request
from tests.doubles import updates
from tests.doubles.model import ModelSwarm, Refused

if TYPE_CHECKING:
    from tests.doubles.driver import ModelDriver

Raw = dict[str, Any]
#: What the lab's shell has for stack files.
SETTINGS = {"ACME_DIR": "/nowhere"}


def command(driver: ModelDriver, text: str, node: str) -> str:
    """Do what the command does; the answer is what it prints. Raises Refused as the engine would."""
    text = text.replace("\\\n", " ")
    if text.startswith("for "):
        tasks = driver.swarm.live(driver.swarm.service("app_backend"))
        running = [t for t in tasks if t["Status"]["State"] == "running"]
        return "".join(f'{{"version":"{_version(task)}"}}' for task in running)
    return "\n".join([_one(driver, part, node) for part in text.split("&&")])


def _one(driver: ModelDriver, text: str, node: str) -> str:
    before, _, last = text.rpartition(" | ")
    words = shlex.split(last)
    env = {}
    while "=" in words[0]:
        name, _, env[name] = words.pop(0).partition("=")
    swarm = driver.swarm
    match words[1:]:
        case ["secret", "create", name, "-"]:
            swarm.create_named("secrets", name, data=_printed(shlex.split(before)))
        case ["config", "create", name, _]:
            swarm.create_named("configs", name)
        case [("secret" | "config") as kind, "rm", name]:
            swarm.answer("DELETE", f"/{kind}s/{_id(swarm, kind, name)}", {}, None)
        case [("secret" | "config") as kind, "inspect", "--pretty", name]:
            data = swarm.named[f"{kind}s"][_id(swarm, kind, name)]["Spec"]["Data"]
            return f"Name: {name}\n" + (f"Data:\n{data}" if kind == "config" else "")
        case ["stack", "deploy", *flags, name]:
            files = [file.removeprefix("stacks/") for flag, file in pairwise(flags) if flag == "--compose-file"]
            driver.deploy(name, files, {**SETTINGS, **env})
        case ["service", "create", *rest] if "replicated-job" in rest:
            granted = swarm.named["secrets"][_id(swarm, "secret", rest[rest.index("--secret") + 1])]
            return f"{len(granted['Spec']['Data'])} {rest[-1]}"
        case ["service", ("logs" | "rm"), *_, "curious"]:
            pass  # The job: what it printed is above, and it is gone.
        case ["service", "create", *rest]:
            swarm.create_service(_spec(swarm, rest))
        case ["service", "update", "--replicas", count, name]:
            swarm.change(name, lambda spec: spec["Mode"]["Replicated"].update(Replicas=int(count)))
        case ["service", "scale", change]:
            name, count = change.split("=")
            swarm.change(name, lambda spec: spec["Mode"]["Replicated"].update(Replicas=int(count)))
        case ["service", "update", "--force", name]:
            swarm.change(name, lambda spec: spec["TaskTemplate"].update(ForceUpdate=_forced(spec) + 1))
        case ["service", "update", "--secret-rm", _, "--secret-add", granted, name]:
            spec = copy.deepcopy(swarm.service(name)["Spec"])
            spec["TaskTemplate"]["ContainerSpec"]["Secrets"] = [_grant(swarm, granted)]
            updates.begin(swarm, swarm.service(name), spec)
        case ["service", "rollback", "--detach", name]:
            updates.rollback(swarm, swarm.service(name))
        case ["service", "logs", *_, name]:
            ends = [t for t in swarm.of(swarm.service(name)) if t["Status"]["State"] == "failed"]
            return "\n".join(f"version {_version(task)} cannot work" for task in ends)
        case ["service", "update", "--update-order", order, "--constraint-add", added, name]:
            swarm.change(name, lambda spec: _constrain(spec, order, added))
        case ["service", "rm", name]:
            swarm.answer("DELETE", f"/services/{swarm.service(name)['ID']}", {}, None)
        case ["service", "inspect", "--pretty", name]:
            return _pretty(swarm.service(name)["Spec"])
        case ["service", "ls"]:
            return "\n".join(_ls(swarm, service) for service in swarm.services.values())
        case ["service", "ps", name, *rest]:
            return _ps(swarm, name, running="--filter" in rest)
        case ["node", "update", "--availability", how, name]:
            swarm.nodes[f"id-{name}"]["Spec"]["Availability"] = how
            swarm.set_node(name)
        case [*urls] if words[0] == "curl" and all(url.startswith("http://") for url in urls):
            return "\n".join(_curl(driver, url) for url in urls)
        case ["kill", container]:
            swarm.kill(container)
        case ["exec", container, *rest]:
            return _exec(swarm, container, node, rest)
        case _:
            raise EngineError(f"the model does not know this command: {text}")
    return "done"


def _curl(driver: ModelDriver, url: str) -> str:
    """What the replica answers that a node leads to."""
    places = {at: name for name, at in driver.given_values().items() if ":" in at}
    node, _, port = places[url.removeprefix("http://").partition("/")[0]].partition("_")
    driver.ask(Request(int(port)), nodes=(node,))
    _, hit = driver.journal.world.hits[-1]
    if not hit.status:
        raise Refused(7, f"curl: (7) Failed to connect: {hit.error}")
    return f"hello from replica {hit.replica}"


def _pretty(spec: Raw) -> str:
    container, template = spec["TaskTemplate"]["ContainerSpec"], spec["TaskTemplate"]
    update = {"Parallelism": 1} | spec.get("UpdateConfig", {})
    return "\n".join(
        [
            f"Name:\t{spec['Name']}",
            f"Placement:\n Constraints:\t{(template.get('Placement') or {}).get('Constraints')}",
            f"UpdateConfig:\n Parallelism:\t{update['Parallelism']}",
            f"ContainerSpec:\n Image:\t{container['Image']}\n Env:\t{container.get('Env')}",
        ]
    )


def _constrain(spec: Raw, order: str, added: str) -> None:
    spec["UpdateConfig"] = {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5 * 10**9, "Order": order}
    placement = spec["TaskTemplate"].setdefault("Placement", {})
    placement["Constraints"] = [*(placement.get("Constraints") or ()), added]


def _printed(words: list[str]) -> str:
    """What the command before a pipe prints."""
    match words:
        case []:
            return "typed by hand"
        case ["openssl", "rand", "-base64", size]:
            return base64.b64encode(bytes(int(size))).decode() + "\n"
        case ["openssl", "rand", "-hex", size]:
            return bytes(int(size)).hex() + "\n"
        case [*before, "|", "tr", "-d", r"\n"]:
            return _printed(before).replace("\n", "")
        case ["printf", text]:
            return text
    raise EngineError(f"the model does not know this command: {shlex.join(words)}")


def _forced(spec: Raw) -> int:
    return int(spec["TaskTemplate"].get("ForceUpdate", 0))


def _version(task: Raw) -> str:
    return str(task["Spec"]["ContainerSpec"]["Image"].partition(":")[2])


def _id(swarm: ModelSwarm, kind: str, name: str) -> str:
    for id, raw in swarm.named[f"{kind}s"].items():
        if swarm.name_of(f"{kind}s", raw) == name:
            return id
    raise Refused(404, f"{kind} not found: {name}")


def _exec(swarm: ModelSwarm, container: str, node: str, words: list[str]) -> str:
    at = [t for t in swarm.tasks.values() if f"c{t['ID']}"[:12] == container]
    if not at or swarm.node_name(at[0]) != node:
        raise Refused(404, f"No such container: {container}")
    if words[0] == "ls":
        return "-r--r--r-- 1 root root 14 Nov 22 18:20 ssl-key"
    named = re.search(r"/run/secrets/([\w-]+)", words[-1])
    for granted in at[0]["Spec"]["ContainerSpec"].get("Secrets") or ():
        if named is not None and granted["File"]["Name"] == named[1]:
            data = swarm.named["secrets"][granted["SecretID"]]["Spec"]["Data"]
            # The program of the lesson: what a shell puts in its place has no newline at the end.
            said = "welcome" if data == data.rstrip("\n") else "wrong password"
            return f"{said}\n{len(data)}\ntmpfs {named[0]} tmpfs ro,relatime 0 0"
    raise Refused(1, "no such file")


def _grant(swarm: ModelSwarm, text: str) -> Raw:
    """`source=NAME,target=FILE`."""
    source, target = (part.split("=")[1] for part in text.split(","))
    file = {"Name": target, "UID": "0", "GID": "0", "Mode": 292}
    return {"File": file, "SecretID": _id(swarm, "secret", source), "SecretName": source}


def _spec(swarm: ModelSwarm, words: list[str]) -> Raw:
    """What the CLI makes of its flags."""
    flags = [word for word in words if word != "--no-resolve-image"]
    # Every flag here has a value; after them come the image and its arguments.
    first = next(n for n in range(0, len(flags), 2) if not flags[n].startswith("--"))
    container: Raw = {"Image": flags[first], "Init": False}
    if flags[first + 1 :]:
        container["Args"] = flags[first + 1 :]
    spec: Raw = {
        "Name": "",
        "Labels": {},
        "TaskTemplate": {"ContainerSpec": container, "ForceUpdate": 0, "Placement": {}},
        "Mode": {"Replicated": {"Replicas": 1}},
        "EndpointSpec": {"Mode": "vip"},
    }
    update = {"Parallelism": 1, "FailureAction": "pause", "Monitor": 5 * 10**9, "Order": "stop-first"}
    for flag, value in zip(flags[:first:2], flags[1:first:2], strict=True):
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
                container["Secrets"] = [_grant(swarm, value)]
            case _:
                raise EngineError(f"the model does not know this flag: {flag}")
    return spec


def _ls(swarm: ModelSwarm, service: Raw) -> str:
    live = sum(t["Status"]["State"] == "running" for t in swarm.live(service))
    spec = service["Spec"]
    wanted, image = spec["Mode"]["Replicated"]["Replicas"], spec["TaskTemplate"]["ContainerSpec"]["Image"]
    return f"{service['ID']}   {spec['Name']}       replicated   {live}/{wanted}        {image}   *:8080->80/tcp"


def _ps(swarm: ModelSwarm, name: str, *, running: bool) -> str:
    lines = []
    for task in sorted(swarm.of(swarm.service(name)), key=lambda t: (t["Slot"], t["DesiredState"] != "running")):
        if running and task["DesiredState"] != "running":
            continue
        old = "" if task["DesiredState"] == "running" else r" \_ "
        head = f"{task['ID']}  {old}{name}.{task['Slot']}  nginx:1.26  {swarm.node_name(task)}"
        state = f"{task['DesiredState'].capitalize()}  {task['Status']['State'].capitalize()} 5 seconds ago"
        error = f'"{task["Status"].get("Err")}"' if task["Status"].get("Err") else ""
        lines.append(f"{head}  {state}  {error}")
    return "\n".join(lines)
