"""One poll of the swarm through one manager: what changed since the last poll.

The engine gives every object a version (`Version.Index`); an object with the version of the last poll is not read
again. Secrets, configs and networks change rarely: they are requested only when `named` says so, after an event about a
secret or a config and after every command that the lab typed. An object that cannot be read is left out, and reported
once for as long as it stays unreadable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from lab.engine import decode
from lab.engine.raw import Raw, read_list, read_object
from lab.errors import EngineError
from lab.watch.http import drop_surrogates
from lab.world.entries import SwarmChanged, Unread
from lab.world.swarm import Node, Service, SwarmObject, Task

Value = TypeVar("Value", Node, Service, Task, SwarmObject)

#: Maximum unreadable objects reported one by one per poll.
WHOLE = 10


@dataclass(frozen=True)
class Versions:
    """The objects that the last poll saw: per kind, each object's id and its version, which changes when the object
    does; and the objects that could not be read, with the reason."""

    nodes: Mapping[str, object] = field(default_factory=dict)
    services: Mapping[str, object] = field(default_factory=dict)
    tasks: Mapping[str, object] = field(default_factory=dict)
    named: Mapping[str, object] = field(default_factory=dict)
    unread: frozenset[Unread] = frozenset()
    any: bool = False

    def forget(self) -> Versions:
        """Return the same objects with versions that equal no other, so that the next poll reads them all again: in a
        swarm that was put back to a snapshot, other contents have the same versions."""
        nodes, services, tasks, named = (
            {id: object() for id in part} for part in (self.nodes, self.services, self.tasks, self.named)
        )
        return Versions(nodes, services, tasks, named, self.unread, self.any)


def poll_swarm(api: Any, by: str, seen: Versions, *, named: bool = True) -> tuple[SwarmChanged | None, Versions]:
    """Poll the manager `by` through docker's low-level client. The change returned is None if nothing changed.

    Raises what the client raises (requests and docker errors), and EngineError for an answer in which nothing can be
    read.
    """
    nodes = _diff("node", api.nodes(), seen.nodes, decode.node, _status)
    if not nodes.versions:
        why = nodes.unread[0].why if nodes.unread else "no node is named, and a manager is one itself"
        raise EngineError(f"the engine's answer is not as its API promises: {why}")
    services = _diff("service", api.services(status=True), seen.services, decode.service, _counts)
    lost = {one.id for one in services.unread}
    tasks = _diff("task", _of_services(read_list("task", api.tasks()), lost), seen.tasks, decode.task, decode.version)
    others = _diff_named(api, seen) if named else _Differing[SwarmObject](versions=seen.named)
    unread = (*nodes.unread, *services.unread, *tasks.unread, *others.unread)
    if not named:
        unread += tuple(one for one in seen.unread if one.what in ("secret", "config", "network"))
    now = Versions(nodes.versions, services.versions, tasks.versions, others.versions, frozenset(unread), any=True)
    fact = SwarmChanged(
        by,
        tuple(nodes.changed),
        tuple(services.changed),
        tuple(tasks.changed),
        tuple(others.changed),
        (*nodes.gone, *services.gone, *tasks.gone, *others.gone),
        first=not seen.any,
        unread=_untold(unread, seen.unread),
    )
    return (None if fact == SwarmChanged(by) else fact), now


def _untold(unread: Iterable[Unread], told: Iterable[Unread]) -> tuple[Unread, ...]:
    """Return the objects not reported yet, the first `WHOLE` of them one by one."""
    known = {(one.what, one.id) for one in told}
    new = [one for one in unread if (one.what, one.id) not in known]
    more = len(new) - WHOLE
    rest = (Unread("object", "", f"{more} more object{'s' * (more > 1)} could not be read"),) if more > 0 else ()
    return (*new[:WHOLE], *rest)


@dataclass
class _Differing(Generic[Value]):
    """The differences in one kind of object: those that changed, the versions of all that exist, and the ids of those
    gone; `unread` objects exist but cannot be shown."""

    changed: list[Value] = field(default_factory=list)
    versions: Mapping[str, object] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)


def _diff(
    what: str,
    raws: object,
    seen: Mapping[str, object],
    convert: Callable[[Raw], Value],
    version: Callable[[Raw], object],
) -> _Differing[Value]:
    versions: dict[str, object] = {}
    found = _Differing[Value](versions=versions)
    for raw in read_list(what, raws):
        try:
            id, now = _id(raw), _read_version(raw, version)
            if id not in seen or seen[id] != now:
                found.changed.append(read_object(what, convert, raw))
            versions[id] = now
        except EngineError as error:
            found.unread.append(Unread(what, _id(raw), error.sentence))
    found.gone = [id for id in seen if id not in versions]
    return found


def _read_version(raw: Raw, version: Callable[[Raw], object]) -> object:
    """Return an object's version; if it cannot be determined, one that equals no other."""
    try:
        return version(raw)
    except Exception:  # noqa: BLE001  an odd shape may raise anything; reading the object whole says what is odd
        return object()


def _id(raw: object) -> str:
    id = (raw.get("ID") or raw.get("Id")) if isinstance(raw, Mapping) else None
    return drop_surrogates(id) if isinstance(id, str) else ""


def _status(raw: Raw) -> object:
    """The leader says of a manager how it is whenever it is asked, and writes nothing: no version changes by that."""
    manager = raw.get("ManagerStatus") or {}
    return decode.version(raw), manager.get("Leader"), manager.get("Reachability")


def _diff_named(api: Any, seen: Versions) -> _Differing[SwarmObject]:
    overlays = [
        raw
        for raw in read_list("network", api.networks(filters={"driver": "overlay"}))
        if not isinstance(raw, Mapping) or raw.get("Scope") == "swarm"
    ]
    kinds = (
        _diff("secret", api.secrets(), seen.named, decode.secret, decode.version),
        _diff("config", api.configs(), seen.named, decode.config, decode.version),
        _diff("network", overlays, seen.named, decode.network, _described),
    )
    versions = {id: version for kind in kinds for id, version in kind.versions.items()}
    return _Differing(
        [value for kind in kinds for value in kind.changed],
        versions,
        [id for id in seen.named if id not in versions],
        [one for kind in kinds for one in kind.unread],
    )


def _of_services(tasks: list[Raw], lost: set[str]) -> list[Raw]:
    """Return the tasks without the attachments of plain containers to overlay networks, which are tasks of no service,
    and without the tasks of services that could not be read."""
    passed_over = (None, "", *lost)
    return [raw for raw in tasks if not isinstance(raw, Mapping) or raw.get("ServiceID") not in passed_over]


def _counts(raw: Raw) -> object:
    return decode.version(raw), (raw.get("ServiceStatus") or {}).get("DesiredTasks")


def _described(raw: Raw) -> object:
    """Return the mark of a network, which has no version: its name and its options, which it gets a moment later."""
    return raw["Name"], sorted((raw.get("Options") or {}).items())
