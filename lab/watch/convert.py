"""From the engine's JSON (Engine API v1.44) to the world's values."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from lab.errors import EngineError
from lab.world.entries import EngineEvent
from lab.world.swarm import (
    Grant,
    Mode,
    Named,
    Node,
    Port,
    Service,
    ServiceSpec,
    Task,
    UpdateConfig,
    UpdateStatus,
)

Raw = Mapping[str, Any]
T = TypeVar("T")

_MODES: Mapping[str, Mode] = {
    "Replicated": "replicated",
    "Global": "global",
    "ReplicatedJob": "replicated-job",
    "GlobalJob": "global-job",
}
_SECOND = 1_000_000_000


def read(what: str, convert: Callable[[Raw], T], raw: Raw) -> T:
    """Convert one object of an answer; raises EngineError that says which object is not as the API promises."""
    try:
        return convert(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        name = raw.get("ID", "?") if isinstance(raw, Mapping) else "?"
        raise EngineError(f"the engine's answer for {what} {name} is not as its API promises: {error!r}") from error


def seconds(stamp: str) -> float:
    """RFC 3339 with nanoseconds, as the engine writes it, to seconds since the epoch; 0.0 for an empty one."""
    if not stamp:
        return 0.0
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", stamp)
    return max(0.0, datetime.fromisoformat(trimmed.replace("Z", "+00:00")).timestamp())


def node(raw: Raw) -> Node:
    """A node of `GET /nodes`."""
    spec, status, manager = raw["Spec"], raw["Status"], raw.get("ManagerStatus") or {}
    # A node that is just joining has not described itself yet.
    described = raw.get("Description") or {}
    return Node(
        id=raw["ID"],
        name=described.get("Hostname") or raw["ID"][:12],
        role=spec["Role"],
        state=status["State"],
        availability=spec["Availability"],
        leader=bool(manager.get("Leader", False)),
        reachability=manager.get("Reachability", ""),
        address=status.get("Addr", ""),
        engine=(described.get("Engine") or {}).get("EngineVersion", ""),
        labels=dict(spec.get("Labels") or {}),
    )


def service(raw: Raw) -> Service:
    """A service of `GET /services?status=true`."""
    spec = service_spec(raw["Spec"])
    counts, update = raw.get("ServiceStatus") or {}, raw.get("UpdateStatus") or {}
    return Service(
        id=raw["ID"],
        name=raw["Spec"]["Name"],
        spec=spec,
        desired=spec.replicas if spec.mode == "replicated" else int(counts.get("DesiredTasks", 0)),
        version=int(raw["Version"]["Index"]),
        forced=int(raw["Spec"]["TaskTemplate"].get("ForceUpdate", 0)),
        status=UpdateStatus(
            update.get("State", ""),
            update.get("Message", ""),
            seconds(update.get("StartedAt", "")),
            seconds(update.get("CompletedAt", "")),
        ),
        mark=mark(raw["Spec"]["TaskTemplate"]),
    )


def mark(template: Raw) -> str:
    """A digest of what makes one version of a service's tasks differ from another. The engine rewrites the rest of a
    task's spec (networks by their ids), so only these parts are the same in a service and its tasks."""
    parts = [template.get(part) for part in ("ContainerSpec", "Resources", "ForceUpdate")]
    parts[2] = parts[2] or 0
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def service_spec(raw: Raw) -> ServiceSpec:
    """The part of a service's `Spec` that the lab compares. An image's digest is left out."""
    template = raw["TaskTemplate"]
    container = template["ContainerSpec"]
    mode_name = next(iter(raw["Mode"]))
    update = raw.get("UpdateConfig") or {}
    return ServiceSpec(
        image=container["Image"].partition("@")[0],
        mode=_MODES[mode_name],
        replicas=int((raw["Mode"].get("Replicated") or {}).get("Replicas", 0)),
        args=tuple(container.get("Args") or ()),
        env=tuple(container.get("Env") or ()),
        constraints=tuple(re.sub(r"\s*([!=]=)\s*", r"\1", c) for c in constraints(template)),
        ports=tuple(
            Port(
                int(p.get("PublishedPort", 0)),
                int(p["TargetPort"]),
                p.get("Protocol", "tcp"),
                p.get("PublishMode", "ingress"),
            )
            for p in (raw.get("EndpointSpec") or {}).get("Ports") or ()
        ),
        secrets=tuple(Grant(s["SecretName"], s["File"]["Name"]) for s in container.get("Secrets") or ()),
        configs=tuple(Grant(c["ConfigName"], c["File"]["Name"]) for c in container.get("Configs") or () if "File" in c),
        networks=tuple(n["Target"] for n in template.get("Networks") or ()),
        labels=dict(raw.get("Labels") or {}),
        update=UpdateConfig(
            parallelism=int(update.get("Parallelism", 1)),
            delay=update.get("Delay", 0) / _SECOND,
            order=update.get("Order", "stop-first"),
            failure_action=update.get("FailureAction", "pause"),
            monitor=(update.get("Monitor", 0) or 5 * _SECOND) / _SECOND,
            max_failure_ratio=float(update.get("MaxFailureRatio", 0)),
        ),
        command=tuple(container.get("Command") or ()),
        volumes=tuple(
            m["Source"] for m in container.get("Mounts") or () if m.get("Type") == "volume" and m.get("Source")
        ),
        memory=int(((template.get("Resources") or {}).get("Limits") or {}).get("MemoryBytes", 0)),
        health=tuple((container.get("Healthcheck") or {}).get("Test") or ()),
        endpoint=(raw.get("EndpointSpec") or {}).get("Mode", "vip"),
    )


def constraints(template: Raw) -> tuple[str, ...]:
    """The placement constraints of a task template."""
    return tuple((template.get("Placement") or {}).get("Constraints") or ())


def task(raw: Raw) -> Task:
    """A task of `GET /tasks`. The engine gives an exit status only to a container that was started."""
    status = raw["Status"]
    container = status.get("ContainerStatus") or {}
    ended = status["State"] in {"complete", "shutdown", "failed"}
    return Task(
        id=raw["ID"],
        service=raw.get("ServiceID", ""),
        slot=int(raw.get("Slot", 0)),
        node=raw.get("NodeID", ""),
        state=status["State"],
        desired=raw["DesiredState"],
        created=seconds(raw["CreatedAt"]),
        changed=seconds(status.get("Timestamp", "")),
        message=status.get("Message", ""),
        error=status.get("Err", ""),
        exit=int(container.get("ExitCode", 0)) if ended and container.get("ContainerID") else None,
        container=container.get("ContainerID", ""),
        image=raw["Spec"].get("ContainerSpec", {}).get("Image", "").partition("@")[0],
        mark=mark(raw["Spec"]),
    )


def secret(raw: Raw) -> Named:
    """A secret of `GET /secrets`."""
    return Named("secret", raw["ID"], raw["Spec"]["Name"], dict(raw["Spec"].get("Labels") or {}))


def config(raw: Raw) -> Named:
    """A config of `GET /configs`."""
    return Named("config", raw["ID"], raw["Spec"]["Name"], dict(raw["Spec"].get("Labels") or {}))


def network(raw: Raw) -> Named:
    """A network of `GET /networks`."""
    return Named("network", raw["Id"], raw["Name"], dict(raw.get("Labels") or {}))


def event(node_name: str, raw: Raw) -> EngineEvent:
    """An event of `GET /events`."""
    actor = raw.get("Actor") or {}
    said = actor.get("Attributes") or {}
    code = said.get("exitCode", "")
    return EngineEvent(
        node=node_name,
        type=raw["Type"],
        action=raw["Action"].partition(":")[0],
        id=actor.get("ID", ""),
        name=said.get("com.docker.swarm.task.name", said.get("name", "")),
        at=raw.get("timeNano", 0) / _SECOND,
        task=said.get("com.docker.swarm.task.id", ""),
        exit=int(code) if code.isdigit() else None,
    )
