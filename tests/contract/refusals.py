"""What the engine refuses, with which status and in which words: the lab reads some of these words."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.contract.swarm import PREFIX, Raw, Refusal, Swarm, spec

PORT: Raw = {"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 18099, "PublishMode": "ingress"}


def _data(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@contextmanager
def refused(status: int, words: str, *others: int) -> Iterator[None]:
    """The block is refused with this status, or that of another version of Docker, and exactly these words."""
    try:
        yield
    except Refusal as refusal:
        assert refusal.message == words
        assert refusal.status in (status, *others)
    else:
        raise AssertionError(f"not refused: {words}")


def services_have_one_name_one_version_and_one_mode(swarm: Swarm) -> None:
    id = swarm.create("web", 0)
    name = f"{PREFIX}web"
    conflict = f"name conflicts with an existing object: service {name} already exists"
    with refused(409, f"rpc error: code = AlreadyExists desc = {conflict}"):
        swarm.create("web", 0)
    raw = swarm.service(id)
    index = raw["Version"]["Index"]
    with refused(500, "rpc error: code = Unknown desc = update out of sequence"):
        swarm.api.post(f"/services/{id}/update", raw["Spec"], version=str(index - 1))
    with refused(501, "rpc error: code = Unimplemented desc = service mode change is not allowed"):
        swarm.api.post(f"/services/{id}/update", {**raw["Spec"], "Mode": {"Global": {}}}, version=str(index))
    with refused(501, "rpc error: code = Unimplemented desc = renaming services is not supported"):
        swarm.api.post(f"/services/{id}/update", {**raw["Spec"], "Name": f"{PREFIX}other"}, version=str(index))
    swarm.update(id, lambda spec: spec.update(Labels={"tier": "web"}))
    assert swarm.service(id)["Version"]["Index"] > index


def a_published_port_belongs_to_one_service(swarm: Swarm) -> None:
    id = swarm.create("web", 0, ports=[PORT])
    used = f"port '18099' is already in use by service '{PREFIX}web' ({id}) as an ingress port"
    with refused(400, f"rpc error: code = InvalidArgument desc = {used}"):
        swarm.create("other", 0, ports=[PORT])
    other = swarm.create("other", 0)
    with refused(400, f"rpc error: code = InvalidArgument desc = {used}"):
        swarm.update(other, lambda spec: spec.update(EndpointSpec={"Mode": "vip", "Ports": [PORT]}))
    swarm.api.delete(f"/services/{id}")
    swarm.update(other, lambda spec: spec.update(EndpointSpec={"Mode": "vip", "Ports": [PORT]}))


def secrets_and_configs_are_unique_and_stay_while_they_are_used(swarm: Swarm) -> None:
    for kind in ("secret", "config"):
        name = f"{PREFIX}{kind}"
        body = {"Name": name, "Labels": {"a": "b"}, "Data": _data("one")}
        id = swarm.api.post(f"/{kind}s/create", body)["ID"]
        (seen,) = (raw for raw in swarm.api.get(f"/{kind}s") if raw["ID"] == id)
        assert (seen["Spec"]["Name"], seen["Spec"]["Labels"]) == (name, {"a": "b"})
        # A secret never comes out again; a config does.
        assert seen["Spec"].get("Data") == (None if kind == "secret" else _data("one"))
        with refused(409, f"rpc error: code = AlreadyExists desc = {kind} {name} already exists"):
            swarm.api.post(f"/{kind}s/create", body)
        file = {"Name": "it", "UID": "0", "GID": "0", "Mode": 0o444}
        granted = {"File": file, f"{kind.capitalize()}ID": id, f"{kind.capitalize()}Name": name}
        user = swarm.create(f"uses-{kind}", 0, **{f"{kind}s": [granted]})
        used = f"{kind} '{name}' is in use by the following service: {PREFIX}uses-{kind}"
        with refused(400, f"rpc error: code = InvalidArgument desc = {used}"):
            swarm.api.delete(f"/{kind}s/{id}")
        swarm.api.delete(f"/services/{user}")
        swarm.api.delete(f"/{kind}s/{id}")
        with refused(400, f"rpc error: code = InvalidArgument desc = {kind} not found: {name}"):
            swarm.create(f"uses-{kind}", 0, **{f"{kind}s": [granted]})


def networks_are_unique_and_stay_while_they_are_used(swarm: Swarm) -> None:
    name = f"{PREFIX}net"
    body = {"Name": name, "Driver": "overlay", "Labels": {"a": "b"}, "CheckDuplicate": True}
    id = swarm.api.post("/networks/create", body)["Id"]

    def seen() -> Raw:
        return next(raw for raw in swarm.api.get("/networks") if raw["Id"] == id)

    assert (seen()["Scope"], seen()["Labels"]) == ("swarm", {"a": "b"})
    swarm.until(lambda: seen()["Driver"] == "overlay", "the driver of a network that was allocated")
    with refused(409, f"network with name {name} already exists", 403):
        swarm.api.post("/networks/create", body)
    user = swarm.create("web", 0, networks=[name])
    assert [each["Target"] for each in swarm.service(user)["Spec"]["TaskTemplate"]["Networks"]] == [id]
    with refused(400, f"rpc error: code = FailedPrecondition desc = network {id} is in use by service {user}"):
        swarm.api.delete(f"/networks/{id}")
    swarm.api.delete(f"/services/{user}")
    swarm.api.delete(f"/networks/{id}")
    with refused(404, f"network {id} not found"):
        swarm.api.get(f"/networks/{id}")
    with refused(500, f"network {PREFIX}nowhere not found"):
        swarm.create("web", 0, networks=[f"{PREFIX}nowhere"])


def what_is_not_there_is_not_found(swarm: Swarm) -> None:
    for kind in ("service", "task", "node", "secret", "config"):
        with refused(404, f"{kind} {PREFIX}nothing not found"):
            swarm.api.get(f"/{kind}s/{PREFIX}nothing")
    for kind in ("service", "secret", "config"):
        with refused(404, f"{kind} {PREFIX}nothing not found"):
            swarm.api.delete(f"/{kind}s/{PREFIX}nothing")


def a_service_that_was_never_updated_has_nothing_to_go_back_to(swarm: Swarm) -> None:
    id = swarm.create("web", 0)
    why = f"service {id} does not have a previous spec"
    with refused(400, f"rpc error: code = FailedPrecondition desc = {why}"):
        swarm.update(id, rollback="previous")


def nodes_that_are_there_stay(swarm: Swarm) -> None:
    worker, manager = swarm.node("node4"), swarm.node("node2")
    assert (worker["Spec"]["Role"], manager["Spec"]["Role"]) == ("worker", "manager")
    why = f"node {worker['ID']} is not down and can't be removed"
    with refused(400, f"rpc error: code = FailedPrecondition desc = {why}"):
        swarm.api.delete(f"/nodes/{worker['ID']}")
    why = f"node {manager['ID']} is a cluster manager and is a member of the raft cluster. "
    why += "It must be demoted to worker before removal"
    with refused(400, f"rpc error: code = FailedPrecondition desc = {why}"):
        swarm.api.delete(f"/nodes/{manager['ID']}")
    with refused(500, "rpc error: code = Unknown desc = update out of sequence"):
        swarm.api.post(f"/nodes/{worker['ID']}/update", worker["Spec"], version=str(worker["Version"]["Index"] - 1))


def a_worker_does_not_speak_for_the_swarm(swarm: Swarm) -> None:
    why = (
        "This node is not a swarm manager. Worker nodes can't be used to view or modify cluster state. "
        "Please run this command on a manager node or promote the current node to a manager."
    )
    with refused(503, why):
        swarm.worker.get("/services")
    with refused(503, why):
        swarm.worker.post("/services/create", spec("web", 0))


REFUSALS: tuple[Callable[[Swarm], None], ...] = (
    services_have_one_name_one_version_and_one_mode,
    a_published_port_belongs_to_one_service,
    secrets_and_configs_are_unique_and_stay_while_they_are_used,
    networks_are_unique_and_stay_while_they_are_used,
    what_is_not_there_is_not_found,
    a_service_that_was_never_updated_has_nothing_to_go_back_to,
    nodes_that_are_there_stay,
    a_worker_does_not_speak_for_the_swarm,
)
