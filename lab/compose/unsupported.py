"""Compose keys that are not for a swarm: which ones `docker stack deploy` rejects or ignores, and what replaces
them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from lab.errors import InputError
from lab.schema.document import Document

_LIMITS = "limits stand under deploy.resources"

#: Top-level keys that are rejected.
_TOP: Mapping[str, str] = MappingProxyType(
    {
        "name": "the stack's name is the last word of `docker stack deploy`, not in the file: delete this line",
        "include": "`docker stack deploy` takes several files instead: --compose-file twice",
    }
)
#: Keys of a service that are rejected.
_REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "extends": "write the service out",
        "volume_driver": "the driver stands with the volume, under volumes at the top",
        "volumes_from": "name the same volume in both services",
        "cpu_quota": _LIMITS,
        "cpu_shares": _LIMITS,
        "cpuset": _LIMITS,
        "cpus": f"{_LIMITS}: cpus, as a text",
        "mem_limit": f"{_LIMITS}.limits.memory",
        "mem_reservation": "reservations stand under deploy.resources.reservations.memory",
        "memswap_limit": f"{_LIMITS}.limits.memory; there is none for swap",
        "scale": "how many tasks run stands under deploy.replicas",
        "profiles": "a swarm runs all services of a file: put the others into another file",
        "platform": "a constraint says where a service may run: node.platform.arch == x86_64",
        "pull_policy": "`docker stack deploy --resolve-image never` is what keeps it from a registry",
    }
)
#: Keys of a service that are ignored.
_IDLE: Mapping[str, str] = MappingProxyType(
    {
        "build": "a swarm runs images that are there: build it, push it, and name it under image",
        "container_name": "a task's container is named by the swarm; others find the service by its own name",
        "depends_on": "all services start at once: the one that needs another must wait or start again by itself",
        "links": "services on the same network find each other by name: put both on one network",
        "external_links": "services on the same network find each other by name: put both on one network",
        "restart": "what becomes of a container that ended stands under deploy.restart_policy",
        "expose": "services on the same network reach each other on every port: delete it",
        "network_mode": "networks say what a service is on; deploy.endpoint_mode how its name is answered",
        "privileged": "a swarm gives no container all rights: cap_add gives single ones",
        "devices": "a swarm gives no devices to containers",
        "security_opt": "no-new-privileges is a setting of each engine, in its daemon.json",
        "domainname": "hostname takes the whole name",
        "mac_address": "the swarm chooses it",
        "tmpfs": "mount it under volumes (type: tmpfs)",
        "shm_size": "mount a tmpfs on /dev/shm under volumes (type: tmpfs)",
        "ipc": "the swarm passes it over",
        "pid": "the swarm passes it over",
        "userns_mode": "the swarm passes it over",
        "cgroup_parent": "the swarm passes it over",
        "cgroupns_mode": "the swarm passes it over",
    }
)


def refused_keys(doc: Document) -> Iterator[InputError]:
    """Yield the keys that `docker stack deploy` would reject."""
    for key in doc.data:
        if key in _TOP:
            yield doc.problem((key,), f"`docker stack deploy` refuses {key!r}: {_TOP[key]}")
    for name, key in _service_keys(doc):
        if key in _REFUSED:
            yield doc.problem(
                ("services", name, key), f"service {name}: {key!r} is refused in a stack: {_REFUSED[key]}"
            )


def ignored_keys(doc: Document) -> Iterator[InputError]:
    """Yield the keys that have no effect in a swarm."""
    for name, key in _service_keys(doc):
        refused = key == "depends_on" and isinstance(doc.at(("services", name, key)), dict)
        if key in _IDLE and not refused:
            yield doc.problem(
                ("services", name, key), f"service {name}: {key!r} has no effect in a swarm: {_IDLE[key]}"
            )


def drop_ignored(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stack file's data without all these keys, and without extensions (`x-...`)."""
    top = {key: value for key, value in data.items() if key not in _TOP and not key.startswith("x-")}
    for section in ("services", "networks", "volumes", "secrets", "configs"):
        things = top.get(section)
        if isinstance(things, dict):
            drop: Collection[str] = (*_REFUSED, *_IDLE) if section == "services" else ()
            top[section] = {name: _drop_keys(thing, drop) for name, thing in things.items()}
    return top


def _drop_keys(thing: object, drop: Collection[str]) -> object:
    if not isinstance(thing, dict):
        return thing
    return {k: v for k, v in thing.items() if k not in drop and not k.startswith("x-")}


def _service_keys(doc: Document) -> Iterator[tuple[str, str]]:
    services = doc.data.get("services")
    for name, service in services.items() if isinstance(services, dict) else ():
        for key in service if isinstance(service, dict) else ():
            yield name, key
