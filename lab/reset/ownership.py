"""The ids of what lesson steps created on a cluster: on one that the lab did not make, only these and what has the
lab's label may ever be removed."""

from __future__ import annotations

from collections.abc import Iterable

from lab import json_store
from lab.engine.labels import NAMESPACE
from lab.lesson.checkpoint import Patch
from lab.world.world import World

#: How many of the newest ids are kept: a cluster's objects are few, and an id is never reused.
_MOST = 10_000


def created_ids(since: World, world: World, leaves: Patch | None) -> tuple[str, ...]:
    """Return the ids of what is new since a step began and has a name, or is of a stack, that the step says it
    leaves."""
    if leaves is None:
        return ()
    names = {("service", n) for n in leaves.services} | {("secret", n) for n in leaves.secrets}
    names |= {("config", n) for n in leaves.configs} | {("network", n) for n in leaves.networks or ()}
    new = [
        (s.id, ("service", s.name), s.spec.labels)
        for s in world.swarm.services.values()
        if s.id not in since.swarm.services
    ]
    new += [(n.id, (n.what, n.name), n.labels) for n in world.swarm.objects.values() if n.id not in since.swarm.objects]
    return tuple(id for id, use, labels in new if use in names or labels.get(NAMESPACE) in leaves.stacks)


def owned_ids(name: str) -> frozenset[str]:
    """Return the ids recorded for the lab `name`."""
    return frozenset(_ids(json_store.read_store(json_store.store_path("ledger", name))))


def record_ids(name: str, ids: Iterable[str]) -> None:
    """Record ids. Raises LabError when they cannot be saved."""
    new = list(ids)
    if new:
        json_store.update_store(
            json_store.store_path("ledger", name),
            lambda data: {"ids": list(dict.fromkeys([*_ids(data), *new]))[-_MOST:]},
        )


def _ids(data: json_store.Kept) -> list[str]:
    ids = data.get("ids")
    return [i for i in ids if isinstance(i, str)] if isinstance(ids, list) else []
