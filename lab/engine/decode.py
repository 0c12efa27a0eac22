"""Conversion of the engine's JSON (Engine API v1.44) to the world's values."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime

from lab.engine.raw import Raw, read_count, read_entries
from lab.world.entries import EngineEvent
from lab.world.swarm import (
    FileReference,
    Mode,
    Node,
    Port,
    Service,
    ServiceSpec,
    SwarmObject,
    Task,
    UpdateConfig,
    UpdateStatus,
    fingerprint,
)

_MODES: Mapping[str, Mode] = {
    "Replicated": "replicated",
    "Global": "global",
    "ReplicatedJob": "replicated-job",
    "GlobalJob": "global-job",
}
_SECOND = 1_000_000_000
_VXLAN_NUMBERS = "com.docker.network.driver.overlay.vxlanid_list"


def _read_seconds(raw: Raw, field: str) -> float:
    """Return a duration or a time in seconds; the engine gives it in nanoseconds."""
    return read_count(raw, field) / _SECOND


def parse_time(stamp: str) -> float:
    """Convert an RFC 3339 timestamp with nanoseconds, as the engine writes it, to seconds since the epoch; 0.0 if
    empty."""
    if not stamp:
        return 0.0
    trimmed = re.sub(r"(\.\d{1,6})\d*", r"\1", stamp)
    return max(0.0, datetime.fromisoformat(trimmed.replace("Z", "+00:00")).timestamp())


def node(raw: Raw) -> Node:
    """Convert a node from `GET /nodes`."""
    spec, status, manager = raw["Spec"], raw["Status"], raw.get("ManagerStatus") or {}
    # A node that is just joining has not described itself yet.
    described = raw.get("Description") or {}
    return Node(
        id=raw["ID"],
        name=described.get("Hostname") or raw["ID"][:12],
        role=spec["Role"],
        state=status["State"],
        availability=spec["Availability"],
        leader=manager.get("Leader") or False,
        reachability=manager.get("Reachability") or "",
        address=status.get("Addr") or "",
        engine=(described.get("Engine") or {}).get("EngineVersion") or "",
        labels=dict(spec.get("Labels") or {}),
        version=version(raw),
    )


def service(raw: Raw) -> Service:
    """Convert a service from `GET /services?status=true`."""
    spec, template, (_, mode) = service_spec(raw["Spec"]), raw["Spec"]["TaskTemplate"], _mode(raw["Spec"]["Mode"])
    counts, update = raw.get("ServiceStatus") or {}, raw.get("UpdateStatus") or {}
    known = {"replicated": spec.replicas, "replicated-job": read_count(mode, "MaxConcurrent")}
    return Service(
        id=raw["ID"],
        name=raw["Spec"]["Name"],
        spec=spec,
        # The engine's own count is used only where the spec does not say.
        desired=known[spec.mode] if spec.mode in known else read_count(counts, "DesiredTasks"),
        version=version(raw),
        forced=read_count(template, "ForceUpdate"),
        status=UpdateStatus(
            update.get("State") or "",
            update.get("Message") or "",
            parse_time(update.get("StartedAt") or ""),
            parse_time(update.get("CompletedAt") or ""),
        ),
        template_digest=digest_template(template),
        restart=(template.get("RestartPolicy") or {}).get("Condition") or "any",
        total_completions=read_count(mode, "TotalCompletions"),
        iteration=_iteration(raw.get("JobStatus") or {}),
    )


def version(raw: Raw) -> int:
    """Return the engine's version index of an object, which grows with each change."""
    return read_count(raw["Version"], "Index")


def _iteration(raw: Raw) -> int:
    """Return which execution of a job it is, from a service's `JobStatus` or from a task."""
    return read_count(raw.get("JobIteration") or {}, "Index")


def digest_template(template: Raw) -> str:
    """Return a digest of what distinguishes one version of a service's tasks from another. The engine rewrites the rest
    of a task's spec (networks by their ids), so only these parts are the same in a service and its tasks."""
    parts = [template.get(part) for part in ("ContainerSpec", "Resources", "ForceUpdate")]
    parts[2] = parts[2] or 0
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def service_spec(raw: Raw) -> ServiceSpec:
    """Convert the part of a service's `Spec` that the lab compares. An image's digest is left out; a service that runs
    no containers (a plugin, a network attachment) has no image."""
    template = raw["TaskTemplate"]
    container = template.get("ContainerSpec") or {}
    update, endpoint = raw.get("UpdateConfig") or {}, raw.get("EndpointSpec") or {}
    mode_name, mode = _mode(raw["Mode"])
    placement = template.get("Placement") or {}
    return ServiceSpec(
        image=(container.get("Image") or "").partition("@")[0],
        mode=_MODES[mode_name],
        replicas=read_count(mode, "Replicas"),
        args=tuple(read_entries(container, "Args")),
        env=tuple(read_entries(container, "Env")),
        constraints=tuple(re.sub(r"\s*([!=]=)\s*", r"\1", c) for c in constraints(template)),
        ports=tuple(
            Port(
                read_count(p, "PublishedPort"),
                read_count(p, "TargetPort"),
                p.get("Protocol") or "tcp",
                p.get("PublishMode") or "ingress",
            )
            for p in read_entries(endpoint, "Ports")
        ),
        secrets=tuple(
            FileReference(s["SecretName"], s["File"]["Name"]) for s in read_entries(container, "Secrets") if "File" in s
        ),
        configs=tuple(
            FileReference(c["ConfigName"], c["File"]["Name"]) for c in read_entries(container, "Configs") if "File" in c
        ),
        networks=tuple(n["Target"] for n in read_entries(template, "Networks")),
        labels=dict(raw.get("Labels") or {}),
        update=UpdateConfig(
            parallelism=read_count(update, "Parallelism", 1),
            delay=_read_seconds(update, "Delay"),
            order=update.get("Order") or "stop-first",
            failure_action=update.get("FailureAction") or "pause",
            monitor=_read_seconds(update, "Monitor") or 5.0,
            max_failure_ratio=update.get("MaxFailureRatio") or 0.0,
        ),
        command=tuple(read_entries(container, "Command")),
        volumes=tuple(
            m["Source"] for m in read_entries(container, "Mounts") if m.get("Type") == "volume" and m.get("Source")
        ),
        memory=read_count((template.get("Resources") or {}).get("Limits") or {}, "MemoryBytes"),
        health=tuple(read_entries(container.get("Healthcheck") or {}, "Test")),
        endpoint=endpoint.get("Mode") or "vip",
        preferences=tuple(
            p["Spread"]["SpreadDescriptor"] for p in read_entries(placement, "Preferences") if p.get("Spread")
        ),
        max_per_node=read_count(placement, "MaxReplicas"),
        stop_signal=container.get("StopSignal") or "",
    )


def _mode(raw: Raw) -> tuple[str, Raw]:
    """Return a mode's name and its settings; the API has one key per mode and fills in one."""
    found = [(name, value or {}) for name, value in raw.items() if name in _MODES]
    if not found:
        raise ValueError("its Mode is none that is known")
    return found[0]


def constraints(template: Raw) -> tuple[str, ...]:
    """Return the placement constraints of a task template."""
    return tuple(read_entries(template.get("Placement") or {}, "Constraints"))


def task(raw: Raw) -> Task:
    """Convert a task from `GET /tasks`. The engine reports an exit status only for a container that was started."""
    status = raw["Status"]
    container = status.get("ContainerStatus") or {}
    ended = status["State"] in {"complete", "shutdown", "failed"}
    return Task(
        id=raw["ID"],
        service=raw.get("ServiceID") or "",
        slot=read_count(raw, "Slot"),
        node=raw.get("NodeID") or "",
        state=status["State"],
        desired=raw["DesiredState"],
        created=parse_time(raw["CreatedAt"]),
        changed=parse_time(status.get("Timestamp") or ""),
        message=status.get("Message") or "",
        error=status.get("Err") or "",
        exit=read_count(container, "ExitCode") if ended and container.get("ContainerID") else None,
        container=container.get("ContainerID") or "",
        image=((raw["Spec"].get("ContainerSpec") or {}).get("Image") or "").partition("@")[0],
        template_digest=digest_template(raw["Spec"]),
        iteration=_iteration(raw),
        addresses=_addresses(raw),
    )


def _addresses(raw: Raw) -> tuple[str, ...]:
    """Return a task's own addresses on its networks, without their prefix lengths."""
    attached = read_entries(raw, "NetworksAttachments")
    every = [address for each in attached for address in each.get("Addresses") or () if isinstance(address, str)]
    return tuple(address.partition("/")[0] for address in every)


def secret(raw: Raw) -> SwarmObject:
    """Convert a secret from `GET /secrets`."""
    return SwarmObject("secret", raw["ID"], raw["Spec"]["Name"], dict(raw["Spec"].get("Labels") or {}))


def config(raw: Raw) -> SwarmObject:
    """Convert a config from `GET /configs`."""
    spec = raw["Spec"]
    content = fingerprint(base64.b64decode(spec["Data"])) if spec.get("Data") else ""
    return SwarmObject("config", raw["ID"], spec["Name"], dict(spec.get("Labels") or {}), content)


def network(raw: Raw) -> SwarmObject:
    """Convert a network from `GET /networks`. The managers give an overlay network its number a moment after it was
    created."""
    options = raw.get("Options") or {}
    number = str(options.get(_VXLAN_NUMBERS) or "").partition(",")[0]
    return SwarmObject(
        "network",
        raw["Id"],
        raw["Name"],
        dict(raw.get("Labels") or {}),
        number=int(number) if number.isdecimal() and len(number) < 9 else 0,
        encrypted="encrypted" in options,
    )


def event(node_name: str, raw: Raw) -> EngineEvent:
    """Convert an event from `GET /events`."""
    actor = raw.get("Actor") or {}
    said = actor.get("Attributes") or {}
    code = said.get("exitCode") or ""
    return EngineEvent(
        node=node_name,
        type=raw["Type"],
        action=raw["Action"].partition(":")[0],
        id=actor.get("ID") or "",
        name=said.get("com.docker.swarm.task.name") or said.get("name") or "",
        at=_read_seconds(raw, "timeNano"),
        task=said.get("com.docker.swarm.task.id") or "",
        exit=int(code) if code.isdecimal() and len(code) < 10 else None,
    )
