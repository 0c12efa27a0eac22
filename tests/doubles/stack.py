"""`docker stack deploy` on a model of a swarm: what the command makes of it, in the engine's own shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.compose.to_spec import Expected
from lab.errors import CommandError
from lab.world.swarm import ServiceSpec, UpdateConfig
from tests.doubles import updates
from tests.doubles.model import ModelSwarm

Raw = dict[str, Any]
NAMESPACE = "com.docker.stack.namespace"
_SECOND = 1_000_000_000
_STORES = {"network": "networks", "config": "configs", "secret": "secrets"}


def deploy(swarm: ModelSwarm, name: str, expected: Expected, texts: Mapping[str, str] | None = None) -> None:
    """Deploy a stack, services that it no longer has going; `texts` are what its configs hold, by their whole names.
    Raises CommandError as the command would."""
    there = {
        (what, swarm.name_of(store, raw)) for what, store in _STORES.items() for raw in swarm.named[store].values()
    }
    for what, needed in sorted(expected.needs - there):
        said = f'{what} "{needed}" is declared as external, but could not be found'
        raise CommandError(("docker", "stack", "deploy", name), 1, said)
    for raw in swarm.named["configs"].values():
        full, held = raw["Spec"]["Name"], raw["Spec"]["Data"]
        if (texts or {}).get(full, held) != held:
            said = f"failed to update config {full}: Error response from daemon: only updates to Labels are allowed"
            raise CommandError(("docker", "stack", "deploy", name), 1, said)
    for raw in swarm.named["networks"].values():
        if ("network", raw["Name"]) in expected.makes and raw["Labels"].get(NAMESPACE) != name:
            said = f"failed to create network {raw['Name']}: network with name {raw['Name']} already exists"
            raise CommandError(("docker", "stack", "deploy", name), 1, said)
    for what, new in sorted(expected.makes - there):
        swarm.create_named(_STORES[what], new, {NAMESPACE: name}, (texts or {}).get(new, ""))
    for id, raw in tuple(swarm.services.items()):
        if raw["Spec"]["Labels"].get(NAMESPACE) == name and raw["Spec"]["Name"] not in expected.services:
            swarm.answer("DELETE", f"/services/{id}", {}, None)
    for full, spec in expected.services.items():
        raw = service(swarm, name, full, spec)
        found = next((s for s in swarm.services.values() if s["Spec"]["Name"] == full), None)
        if found is None:
            swarm.create_service(raw)
        else:
            updates.begin(swarm, found, raw)


def service(swarm: ModelSwarm, stack: str, full: str, spec: ServiceSpec) -> Raw:
    """A service's spec as `GET /services` gives it: networks by id, an update's pace only when the file has one."""
    container: Raw = {
        "Image": spec.image,
        "Labels": {NAMESPACE: stack},
        "Env": list(spec.env),
        "Privileges": {"CredentialSpec": None, "SELinuxContext": None},
        "Mounts": [{"Type": "volume", "Source": name, "Target": "/data", "VolumeOptions": {}} for name in spec.volumes],
        "Secrets": [_grant(swarm, "Secret", g.source, g.target) for g in spec.secrets],
        "Configs": [_grant(swarm, "Config", g.source, g.target) for g in spec.configs],
        "Isolation": "default",
    }
    container |= {"Args": list(spec.args)} if spec.args else {}
    container |= {"Command": list(spec.command)} if spec.command else {}
    container |= {"Healthcheck": {"Test": list(spec.health)}} if spec.health else {}
    container |= {"StopSignal": spec.stop_signal} if spec.stop_signal else {}
    mode: Raw = {"Global": {}} if spec.mode == "global" else {"Replicated": {"Replicas": spec.replicas}}
    raw: Raw = {
        "Name": full,
        "Labels": {**spec.labels, "com.docker.stack.image": spec.image, NAMESPACE: stack},
        "TaskTemplate": {
            "ContainerSpec": container,
            "Resources": {"Limits": {"MemoryBytes": spec.memory}} if spec.memory else {},
            "Placement": {"Constraints": list(spec.constraints)} if spec.constraints else {},
            "Networks": [{"Target": _id(swarm, "networks", n), "Aliases": []} for n in spec.networks],
            "ForceUpdate": 0,
            "Runtime": "container",
        },
        "Mode": mode,
        "EndpointSpec": {
            "Mode": spec.endpoint,
            "Ports": [
                {"Protocol": p.protocol, "TargetPort": p.target, "PublishedPort": p.published, "PublishMode": p.mode}
                for p in spec.ports
            ],
        },
    }
    if spec.update != UpdateConfig():
        raw["UpdateConfig"] = {
            "Parallelism": spec.update.parallelism,
            "Delay": round(spec.update.delay * _SECOND),
            "FailureAction": spec.update.failure_action,
            "Monitor": round(spec.update.monitor * _SECOND),
            "MaxFailureRatio": spec.update.max_failure_ratio,
            "Order": spec.update.order,
        }
    return raw


def _grant(swarm: ModelSwarm, what: str, source: str, target: str) -> Raw:
    file = {"Name": target, "UID": "0", "GID": "0", "Mode": 0o444}
    return {"File": file, f"{what}ID": _id(swarm, f"{what.lower()}s", source), f"{what}Name": source}


def _id(swarm: ModelSwarm, store: str, name: str) -> str:
    return next(id for id, raw in swarm.named[store].items() if swarm.name_of(store, raw) == name)
