"""Comparing a service's declaration with the service that is found. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lab.compose.to_spec import Use
from lab.engine.labels import LABEL
from lab.world.swarm import Service, ServiceSpec
from lab.world.world import World

#: The fields that can change without replacing a service's tasks one by one; for any other the service is recreated.
IN_PLACE = frozenset({"replicas", "labels", "update"})


def changed_fields(declared: ServiceSpec, found: ServiceSpec, networks: Mapping[str, str]) -> tuple[str, ...]:
    """Return the fields in which a service differs from its declaration; `networks` are names by id."""
    one, other = _normal(declared, networks), _normal(found, networks)
    return tuple(f for f in ServiceSpec.__dataclass_fields__ if getattr(one, f) != getattr(other, f))


def networks(world: World) -> Mapping[str, str]:
    """Return the names of the networks by id."""
    return {n.id: n.name for n in world.swarm.objects.values() if n.what == "network"}


def list_uses(world: World, service: Service) -> frozenset[Use]:
    """Return the secrets and configs that a service is granted, the networks that it is on, and its volumes."""
    given = {("secret", g.source) for g in service.spec.secrets} | {("config", g.source) for g in service.spec.configs}
    given |= {("volume", name) for name in service.spec.volumes}
    return frozenset(given | {("network", networks(world).get(n, n)) for n in service.spec.networks})


def describe_changes(differs: Iterable[str], now: ServiceSpec, wanted: ServiceSpec) -> str:
    """Return what differs, in words."""
    return ", ".join(f"replicas {now.replicas} → {wanted.replicas}" if d == "replicas" else d for d in differs)


def _normal(spec: ServiceSpec, networks: Mapping[str, str]) -> ServiceSpec:
    """Return a spec without what the engine writes in its own way: a default tag, blanks, an order, ids instead of
    names."""
    image = spec.image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    return replace(
        spec,
        image=image if ":" in image.rpartition("/")[2] else f"{image}:latest",
        env=tuple(sorted(spec.env)),
        constraints=tuple(sorted(_bare(c) for c in spec.constraints)),
        ports=tuple(sorted(spec.ports, key=lambda p: (p.published, p.target, p.protocol, p.mode))),
        secrets=tuple(sorted(spec.secrets, key=lambda g: (g.source, g.target))),
        configs=tuple(sorted(spec.configs, key=lambda g: (g.source, g.target))),
        volumes=tuple(sorted(spec.volumes)),
        networks=tuple(sorted(networks.get(n, n) for n in spec.networks)),
        labels={k: v for k, v in spec.labels.items() if not k.startswith((LABEL, "com.docker."))},
    )


def _bare(constraint: str) -> str:
    """Return a constraint without the blanks around its parts."""
    return "".join(part.strip() for part in re.split(r"([!=]=)", constraint))
