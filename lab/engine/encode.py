"""Conversion of a service's spec to the engine's JSON (Engine API v1.44). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.engine.labels import LABEL
from lab.world.swarm import FileReference, ServiceSpec, UpdateConfig

Raw = dict[str, Any]
_SECOND = 1_000_000_000


def service_body(spec: ServiceSpec, ids: Mapping[tuple[str, str], str]) -> Raw:
    """Return the arguments of `create_service`: nothing is left to docker-py's defaults, which are not the engine's.

    `ids` maps ("secret", name) and ("config", name) to the id of each secret and config.
    """
    template: Raw = {
        "ContainerSpec": {
            "Image": spec.image,
            "Args": list(spec.args),
            "Env": list(spec.env),
            "Secrets": [_grant("Secret", g, ids["secret", g.source]) for g in spec.secrets],
            "Configs": [_grant("Config", g, ids["config", g.source]) for g in spec.configs],
        },
        "RestartPolicy": {"Condition": "any", "Delay": 5 * _SECOND, "MaxAttempts": 0},
        "Placement": {
            "Constraints": list(spec.constraints),
            "Preferences": [{"Spread": {"SpreadDescriptor": each}} for each in spec.preferences],
            "MaxReplicas": spec.max_per_node,
        },
        "Networks": [{"Target": name} for name in spec.networks],
        "ForceUpdate": 0,
    }
    ports = [
        {"PublishedPort": p.published, "TargetPort": p.target, "Protocol": p.protocol, "PublishMode": p.mode}
        for p in spec.ports
    ]
    return {
        "task_template": template,
        "labels": {**spec.labels, LABEL: "service"},
        "mode": service_mode(spec),
        "update_config": update_config(spec.update),
        "endpoint_spec": {"Mode": spec.endpoint, "Ports": ports},
    }


def service_mode(spec: ServiceSpec) -> Raw:
    """Return a service's mode, with its replicas."""
    return {"Global": {}} if spec.mode == "global" else {"Replicated": {"Replicas": spec.replicas}}


def update_config(update: UpdateConfig) -> Raw:
    """Return an update config with every field set."""
    return {
        "Parallelism": update.parallelism,
        "Delay": round(update.delay * _SECOND),
        "FailureAction": update.failure_action,
        "Monitor": round(update.monitor * _SECOND),
        "MaxFailureRatio": update.max_failure_ratio,
        "Order": update.order,
    }


def _grant(what: str, grant: FileReference, id: str) -> Raw:
    file = {"Name": grant.target, "UID": "0", "GID": "0", "Mode": 0o444}
    return {"File": file, f"{what}ID": id, f"{what}Name": grant.source}
