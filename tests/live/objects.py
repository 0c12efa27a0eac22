"""Everything in a cluster that a lesson can see, as plain values without ids and times: two clusters at one checkpoint
are equal in it, whichever way they came there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from lab.cluster.model import Cluster
from lab.engine.client import open_client

#: Not of the world: who an object is, when it was made, and what it was before.
_VOLATILE = {"ID", "ForceUpdate", "CreatedAt", "UpdatedAt", "Version", "SecretID", "ConfigID", "Runtime"}
#: Seconds for an answer.
_ASK = 120.0

Objects = Mapping[str, Any]


def describe_objects(cluster: Cluster) -> Objects:
    """Return the cluster's nodes, services, running tasks, networks, secrets, configs and volumes by what they are
    called. Raises EngineError."""
    with ExitStack() as stack:
        clients = {e.node: stack.enter_context(open_client(e, _ASK)) for e in cluster.endpoints()}
        engine: Any = next(iter(clients.values())).api
        networks = {raw["Id"]: raw["Name"] for raw in engine.networks(filters={"scope": "swarm"})}
        nodes = {raw["ID"]: raw["Description"]["Hostname"] for raw in engine.nodes()}
        services = {raw["ID"]: raw["Spec"]["Name"] for raw in engine.services()}
        named = {**networks, **nodes, **services}
        tasks = [
            task for task in engine.tasks(filters={"desired-state": "running"}) if task["Status"]["State"] == "running"
        ]
        return {
            "nodes": {
                nodes[raw["ID"]]: [raw["Spec"], raw["Status"]["State"], "ManagerStatus" in raw]
                for raw in engine.nodes()
            },
            "services": {raw["Spec"]["Name"]: _plain(raw["Spec"], named) for raw in engine.services()},
            "tasks": dict(Counter(services.get(task["ServiceID"], "?") for task in tasks)),
            "images": sorted({f"{services.get(t['ServiceID'])}: {t['Spec']['ContainerSpec']['Image']}" for t in tasks}),
            "networks": {
                raw["Name"]: _plain([raw["Driver"], raw["Labels"], raw["Attachable"], raw["Internal"]], named)
                for raw in engine.networks(filters={"scope": "swarm"})
            },
            "secrets": {raw["Spec"]["Name"]: _plain(raw["Spec"], named) for raw in engine.secrets()},
            "configs": {raw["Spec"]["Name"]: _plain(raw["Spec"], named) for raw in engine.configs()},
            "volumes": sorted(
                f"{node}: {volume['Name']}"
                for node, client in clients.items()
                for volume in (_api(client).volumes()["Volumes"] or ())
                if len(volume["Name"]) < 64  # the others are anonymous
            ),
        }


def _api(client: Any) -> Any:
    return client.api


def _plain(value: Any, named: Mapping[str, str]) -> Any:
    """Return a value with names for ids, without what is volatile, lists in an order of their own."""
    match value:
        case dict():
            return {key: _plain(each, named) for key, each in sorted(value.items()) if key not in _VOLATILE}
        case list():
            return sorted((_plain(each, named) for each in value), key=repr)
        case str():
            return named.get(value, value)
        case _:
            return value


def find_differences(one: Any, other: Any, where: str = "") -> list[str]:
    """Return what differs between two descriptions, a line each with its path."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return [
            line
            for key in sorted({*one, *other})
            for line in find_differences(one.get(key), other.get(key), f"{where}/{key}")
        ]
    return [] if one == other else [f"{where}: {one!r} is {other!r}"]
