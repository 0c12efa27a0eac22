"""One look at the swarm through one manager: what changed since the last look.

The engine gives every object a version (`Version.Index`); what has the version of the last look is not read again.
Secrets, configs and networks change rarely and tell so by events: they are asked for only when `named` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from lab.watch import convert
from lab.world.entries import SwarmChanged
from lab.world.swarm import Named, Node, Service, Task

Raw = Mapping[str, Any]
Value = TypeVar("Value", Node, Service, Task, Named)


@dataclass(frozen=True)
class Seen:
    """What the last look saw: per kind, each object's id and a mark that changes when the object does."""

    nodes: Mapping[str, object] = field(default_factory=dict)
    services: Mapping[str, object] = field(default_factory=dict)
    tasks: Mapping[str, object] = field(default_factory=dict)
    named: Mapping[str, object] = field(default_factory=dict)
    any: bool = False


def look(api: Any, by: str, seen: Seen, *, named: bool = True) -> tuple[SwarmChanged | None, Seen]:
    """Ask the manager `by` through docker's low-level client. None when nothing changed.

    Raises what the client raises (requests, docker errors), and EngineError for an answer that cannot be read.
    """
    nodes, n_seen, n_gone = _differ("node", api.nodes(), seen.nodes, convert.node, _version)
    services, s_seen, s_gone = _differ("service", api.services(status=True), seen.services, convert.service, _counts)
    tasks, t_seen, t_gone = _differ("task", _of_services(api.tasks()), seen.tasks, convert.task, _version)
    others: list[Named] = []
    o_seen, o_gone = dict(seen.named), []
    if named:
        o_seen = {}
        overlays = (n for n in api.networks(filters={"driver": "overlay"}) if n.get("Scope") == "swarm")
        for what, raws, read, mark in (
            ("secret", api.secrets(), convert.secret, _version),
            ("config", api.configs(), convert.config, _version),
            ("network", list(overlays), convert.network, _exists),
        ):
            changed, marks, _ = _differ(what, raws, seen.named, read, mark)
            others += changed
            o_seen.update(marks)
        o_gone = [id for id in seen.named if id not in o_seen]
    gone = (*n_gone, *s_gone, *t_gone, *o_gone)
    now = Seen(n_seen, s_seen, t_seen, o_seen, any=True)
    if seen.any and not (nodes or services or tasks or others or gone):
        return None, now
    fact = SwarmChanged(by, tuple(nodes), tuple(services), tuple(tasks), tuple(others), tuple(gone), first=not seen.any)
    return fact, now


def _differ(
    what: str, raws: list[Raw], seen: Mapping[str, object], read: Callable[[Raw], Value], mark: Callable[[Raw], object]
) -> tuple[list[Value], dict[str, object], list[str]]:
    marks = dict(convert.read(what, lambda raw: (raw.get("ID") or raw["Id"], mark(raw)), raw) for raw in raws)
    changed = [
        convert.read(what, read, raw) for raw, (id, now) in zip(raws, marks.items(), strict=True) if seen.get(id) != now
    ]
    return changed, marks, [id for id in seen if id not in marks]


def _of_services(tasks: list[Raw]) -> list[Raw]:
    """Without the attachments of plain containers to overlay networks, which are tasks of no service."""
    return [task for task in tasks if task.get("ServiceID")]


def _version(raw: Raw) -> object:
    return raw["Version"]["Index"]


def _counts(raw: Raw) -> object:
    return raw["Version"]["Index"], (raw.get("ServiceStatus") or {}).get("DesiredTasks")


def _exists(raw: Raw) -> object:
    return raw["Name"]
