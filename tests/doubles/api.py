"""The engine's HTTP API over a model of a swarm: what it answers, and what it refuses in which words.

The words and the status codes are those of Docker 26.1 (moby, swarmkit).
"""

from __future__ import annotations

import base64
import copy
import json
import re
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import docker
import requests

from tests.doubles import updates

if TYPE_CHECKING:
    from tests.doubles.model import ModelSwarm

Raw = dict[str, Any]
_RPC = "rpc error: code = {} desc = {}"


def answer(swarm: ModelSwarm, method: str, path: str, query: dict[str, str], body: Any) -> Any:
    """The answer's body for one request. Raises Refused."""
    kind, id, verb = (*path.strip("/").split("/"), "", "")[:3]
    if method != "GET":
        swarm.asked.append((method, path, body))
    stores = {"nodes": swarm.nodes, "services": swarm.services, "tasks": swarm.tasks, **swarm.named}
    if kind not in stores:
        raise _refused(404, "page not found")
    if method == "GET":
        found = [_found(swarm, stores[kind], kind, id)] if id else list(stores[kind].values())
        seen = [_seen(swarm, kind, raw, counted=query.get("status") in ("true", "1", "True")) for raw in found]
        return seen[0] if id else seen
    if method == "DELETE":
        return _remove(swarm, stores[kind], kind, _found(swarm, stores[kind], kind, id), query)
    if verb == "update":
        return _update(swarm, kind, _found(swarm, stores[kind], kind, id), query, body)
    if kind == "services":
        return create_service(swarm, body)
    data = base64.b64decode(body.get("Data", "")).decode()
    return create_named(swarm, kind, body["Name"], body.get("Labels"), data)


def create_service(swarm: ModelSwarm, spec: Raw) -> Raw:
    """A new service."""
    spec = _checked(swarm, spec)
    name = spec["Name"]
    if any(each["Spec"]["Name"] == name for each in swarm.services.values()):
        conflict = f"name conflicts with an existing object: service {name} already exists"
        raise _refused(409, _RPC.format("AlreadyExists", conflict))
    id = swarm.id(f"svc-{name}")
    swarm.services[id] = {"ID": id, "Version": swarm.version(), "Spec": spec}
    swarm.tell("service", "create", id, name)
    return {"ID": id}


def create_named(swarm: ModelSwarm, kind: str, name: str, labels: Raw | None = None, data: str = "") -> Raw:
    """A new secret, config or network; its data is kept as text."""
    what = kind.removesuffix("s")
    if any(swarm.name_of(kind, raw) == name for raw in swarm.named[kind].values()):
        conflict = _RPC.format("AlreadyExists", f"{what} {name} already exists")
        raise _refused(409, f"network with name {name} already exists" if kind == "networks" else conflict)
    id = swarm.id(f"{what}-{name}")
    raw: Raw = {"ID": id, "Version": swarm.version(), "Spec": {"Name": name, "Labels": labels or {}, "Data": data}}
    if kind == "networks":
        raw = {"Id": id, "Name": name, "Labels": labels or {}, "Scope": "swarm", "Driver": "overlay"}
    swarm.named[kind][id] = raw
    swarm.tell(what, "create", id, name)
    return {"ID": id, "Id": id}


def _update(swarm: ModelSwarm, kind: str, raw: Raw, query: dict[str, str], body: Raw) -> Raw:
    if kind == "services":
        body = _checked(swarm, body, raw)
    if int(query["version"]) != raw["Version"]["Index"] or swarm.stale:
        swarm.stale = max(0, swarm.stale - 1)
        raise _refused(500, _RPC.format("Unknown", "update out of sequence"))
    if kind != "services":
        raw["Spec"], raw["Version"] = body, swarm.version()
        swarm.tell(kind.removesuffix("s"), "update", raw["ID"], "")
    elif query.get("rollback") == "previous":
        updates.rollback(swarm, raw)
    else:
        updates.begin(swarm, raw, body)
    return {}


def _checked(swarm: ModelSwarm, spec: Raw, now: Raw | None = None) -> Raw:
    """A service's spec as it is kept: networks by id. Raises Refused for what the service, which is `now`, may not
    be."""
    spec = copy.deepcopy(spec)
    template = spec["TaskTemplate"]
    networks = {swarm.name_of("networks", raw): id for id, raw in swarm.named["networks"].items()}
    for attached in template.get("Networks") or ():
        target = attached["Target"]
        if target not in networks.values() and target not in networks:
            raise _refused(500, f"network {target} not found")
        attached["Target"] = networks.get(target, target)
    _free_ports(swarm, spec, now)
    for kind, what in (("secrets", "Secret"), ("configs", "Config")):
        granted = template["ContainerSpec"].get(f"{what}s") or ()
        absent = [each[f"{what}Name"] for each in granted if each[f"{what}ID"] not in swarm.named[kind]]
        if absent:
            word = what.lower() + "s" * (len(absent) > 1)
            raise _refused(400, _RPC.format("InvalidArgument", f"{word} not found: {', '.join(absent)}"))
    if now is not None and set(now["Spec"]["Mode"]) != set(spec["Mode"]):
        raise _refused(501, _RPC.format("Unimplemented", "service mode change is not allowed"))
    if now is not None and now["Spec"]["Name"] != spec["Name"]:
        raise _refused(501, _RPC.format("Unimplemented", "renaming services is not supported"))
    return spec


def _free_ports(swarm: ModelSwarm, spec: Raw, now: Raw | None) -> None:
    wanted = [_port(port) for port in (spec.get("EndpointSpec") or {}).get("Ports") or ()]
    for other in swarm.services.values():
        for port in (other["Spec"].get("EndpointSpec") or {}).get("Ports") or ():
            *key, mode = _port(port)
            meets = [each for each in wanted if each[:2] == tuple(key) and "ingress" in (each[2], mode)]
            if other is not now and meets and key[1]:
                how = "an ingress port" if mode == "ingress" else "a host-published port"
                used = (
                    f"port '{key[1]}' is already in use by service '{other['Spec']['Name']}' ({other['ID']}) as {how}"
                )
                raise _refused(400, _RPC.format("InvalidArgument", used))


def _port(raw: Raw) -> tuple[str, int, str]:
    return raw.get("Protocol", "tcp"), raw.get("PublishedPort", 0), raw.get("PublishMode", "ingress")


def _remove(swarm: ModelSwarm, store: dict[str, Raw], kind: str, raw: Raw, query: dict[str, str]) -> None:
    id = raw.get("ID") or raw["Id"]
    if kind == "nodes":
        _may_go(swarm, raw, forced=query.get("force") in ("true", "1", "True"))
    elif kind in swarm.named:
        _unused(swarm, kind, raw, id)
    del store[id]
    for task in swarm.tasks.values():
        if task["ServiceID"] == id:
            swarm.want(task, "shutdown")
    swarm.tell(kind.removesuffix("s"), "remove", id, "")


def _may_go(swarm: ModelSwarm, node: Raw, *, forced: bool) -> None:
    id, why = node["ID"], ""
    if node["Spec"]["Role"] == "manager":
        why = f"node {id} is a cluster manager and is a member of the raft cluster. "
        why += "It must be demoted to worker before removal"
    elif not forced and node["Status"]["State"] == "ready":
        why = f"node {id} is not down and can't be removed"
    if why:
        raise _refused(400, _RPC.format("FailedPrecondition", why))
    for task in swarm.tasks.values():
        if task.get("NodeID") == id:
            task["Status"], task["DesiredState"] = {**task["Status"], "State": "orphaned"}, "shutdown"
            task["Version"] = swarm.version()


def _unused(swarm: ModelSwarm, kind: str, raw: Raw, id: str) -> None:
    users = [each for each in swarm.services.values() if f'"{id}"' in json.dumps(each["Spec"]["TaskTemplate"])]
    if users and kind == "networks":
        why = f"network {id} is in use by service {users[0]['ID']}"
        raise _refused(400, _RPC.format("FailedPrecondition", why))
    if users:
        names = ", ".join(each["Spec"]["Name"] for each in users)
        services = f"service{'s' * (len(users) > 1)}"
        why = f"{kind.removesuffix('s')} '{raw['Spec']['Name']}' is in use by the following {services}: {names}"
        raise _refused(400, _RPC.format("InvalidArgument", why))


def _found(swarm: ModelSwarm, store: dict[str, Raw], kind: str, wanted: str) -> Raw:
    """The object of that id, else of that name, else of the one id that begins so."""
    if wanted in store:
        return store[wanted]
    for raw in store.values():
        if kind == "nodes" and raw["Description"]["Hostname"] == wanted:
            return raw
        if kind not in ("nodes", "tasks") and swarm.name_of(kind, raw) == wanted:
            return raw
    raise _refused(404, f"{kind.removesuffix('s')} {wanted} not found")


def _seen(swarm: ModelSwarm, kind: str, raw: Raw, *, counted: bool) -> Raw:
    """The object as the API shows it: no secret's data, a config's in base64, a service's counts when asked for."""
    seen = {key: value for key, value in raw.items() if not key.startswith("_")}
    if kind in ("secrets", "configs"):
        spec = {key: value for key, value in raw["Spec"].items() if key != "Data"}
        data = base64.b64encode(raw["Spec"]["Data"].encode()).decode()
        seen["Spec"] = {**spec, "Data": data} if kind == "configs" else spec
    if kind == "services" and counted:
        tasks = swarm.of(raw)
        replicated = raw["Spec"]["Mode"].get("Replicated")
        wanted = replicated["Replicas"] if replicated else sum(t["DesiredState"] == "running" for t in tasks)
        running = sum(t["Status"]["State"] == "running" for t in tasks)
        seen["ServiceStatus"] = {"DesiredTasks": wanted, "RunningTasks": running}
    return seen


def _refused(status: int, message: str) -> Exception:
    from tests.doubles.model import Refused

    return Refused(status, message)


def respond(swarm: ModelSwarm, method: str, url: str, body: bytes | str | None) -> tuple[int, bytes]:
    """The status and body of one HTTP request. Raises what the model is told to break off with."""
    from tests.doubles.model import Refused

    split = urlsplit(url)
    path = re.sub(r"^/v[0-9.]+", "", split.path).removesuffix("/create")
    query = {k: v[-1] for k, v in parse_qs(split.query).items()}
    with swarm.lock:  # Until the answer is written: it is made of the swarm's own objects.
        try:
            if swarm.trouble and method != "GET":
                raise swarm.trouble.pop(0)
            told = swarm.answer(method, path, query, json.loads(body) if body else None)
        except Refused as refused:
            return refused.status, json.dumps({"message": str(refused)}).encode()
        return 200, b"" if told is None else json.dumps(told).encode()


class ModelClient(docker.APIClient):
    """The docker client, answered by a model without a socket. Preparing a request is left out: a dozen headers and
    cookies that no model reads cost more than the answer."""

    def __init__(self, swarm: ModelSwarm) -> None:
        super().__init__(base_url="tcp://127.0.0.1:1", version="1.44")
        self._swarm = swarm

    def request(
        self, method: Any, url: Any, params: Any = None, data: Any = None, *_: Any, **__: Any
    ) -> requests.Response:
        answer = requests.Response()
        query = urlencode({name: value for name, value in (params or {}).items() if value is not None})
        answer.url = f"{url}?{query}" if query else url
        answer.status_code, body = respond(self._swarm, method, answer.url, data)
        answer.headers["Content-Type"], answer.encoding = "application/json", "utf-8"
        answer.raw = BytesIO(body)
        return answer
