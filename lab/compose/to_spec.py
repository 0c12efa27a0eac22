"""The objects that `docker stack deploy` creates from a stack file, in the world's terms. Pure.

The names of a stack's objects begin with the stack's: the service `web` of the stack `app` is `app_web`. The names of
external objects, and of those with a `name` of their own, do not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from lab.compose.model import FileObject, Granted, Network, Service, Stack, Update, Volume
from lab.compose.read import StackFile
from lab.compose.referenced_files import resolve_path
from lab.world.swarm import FileReference, Port, ServiceSpec, UpdateConfig

Use = tuple[str, str]
"""The kind of object (secret, config, network, volume) and its full name."""


@dataclass(frozen=True, slots=True)
class Expected:
    """The result of a deploy, by full names; `needs` is what must exist before it, `contents` the fingerprints of the
    contents of its configs, where they are known."""

    services: Mapping[str, ServiceSpec]
    makes: frozenset[Use]
    needs: frozenset[Use]
    contents: Mapping[str, str] = field(default_factory=dict)


def service_specs(file: StackFile, name: str, env: Mapping[str, str]) -> Expected:
    """Return what deploying the file under a name creates with these settings. Raises Problems (an InputError) for a
    required setting that is missing or invalid."""
    return _expect(file.fill(env), name, env)


def config_files(file: StackFile, name: str, env: Mapping[str, str]) -> Mapping[str, Path]:
    """Return the files of the configs that a deploy creates, by the configs' full names. Raises Problems."""
    configs = file.fill(env).configs.items()
    return {
        _full_name(name, key, c): resolve_path(file.document, c.file) for key, c in configs if c.file and not c.external
    }


def outline(file: StackFile, name: str, env: Mapping[str, str]) -> Expected:
    """Return the same with settings still to come: a name with `${` in it is not known yet. Raises Problems."""
    return _outline_cached(file, name, tuple(sorted(env.items())))


def service_names(file: StackFile, name: str) -> tuple[str, ...]:
    """Return the full names of a stack's services, which no setting changes."""
    return tuple(f"{name}_{key}" for key in file.outline.services)


@lru_cache(maxsize=256)
def _outline_cached(file: StackFile, name: str, env: tuple[tuple[str, str], ...]) -> Expected:
    """Cached, because a lesson asks for the same at each of its steps."""
    return _expect(file.fill_partly(dict(env)), name, dict(env))


def _expect(stack: Stack, name: str, env: Mapping[str, str]) -> Expected:
    used = {("network", key) for service in stack.services.values() for key in _networks(service)}
    needs = {("secret", g.source) for service in stack.services.values() for g in service.secrets}
    needs |= {("config", g.source) for service in stack.services.values() for g in service.configs}
    things: dict[Use, Network | FileObject] = {("network", key): _network(stack, key) for _, key in used}
    things |= {("secret", key): secret for key, secret in stack.secrets.items()}
    things |= {("config", key): config for key, config in stack.configs.items()}
    return Expected(
        services={f"{name}_{key}": _spec(stack, service, name, env) for key, service in stack.services.items()},
        makes=frozenset((what, _full_name(name, key, t)) for (what, key), t in things.items() if not t.external),
        # Docker looks for an external object only when a service uses it.
        needs=frozenset(
            (what, _full_name(name, key, t))
            for (what, key), t in things.items()
            if t.external and (what, key) in used | needs
        ),
    )


def _spec(stack: Stack, service: Service, name: str, env: Mapping[str, str]) -> ServiceSpec:
    deploy = service.deploy
    replicas = 1 if deploy.replicas is None else deploy.replicas
    return ServiceSpec(
        image=service.image,
        mode=deploy.mode,
        replicas=replicas if deploy.mode == "replicated" else 0,
        args=service.command,
        env=tuple(sorted(_variables(service.environment, env))),
        constraints=deploy.placement.constraints,
        ports=tuple(Port(p.published, p.target, p.protocol, p.mode) for p in service.ports),
        secrets=_grants(service.secrets, stack.secrets, name),
        configs=_grants(service.configs, stack.configs, name),
        networks=tuple(sorted(_full_name(name, key, _network(stack, key)) for key in _networks(service))),
        labels=dict(deploy.labels),
        update=_update(deploy.update_config),
        command=service.entrypoint,
        volumes=tuple(
            _full_name(name, m.source, stack.volumes[m.source])
            for m in service.volumes
            if m.type == "volume" and m.source
        ),
        memory=deploy.resources.limits.memory,
        health=_health(service),
        endpoint=deploy.endpoint_mode,
        preferences=tuple(p.spread for p in deploy.placement.preferences),
        max_per_node=deploy.placement.max_replicas_per_node,
        stop_signal=service.stop_signal,
    )


def _variables(environment: Mapping[str, str | None], env: Mapping[str, str]) -> Iterable[str]:
    """Yield `NAME=value`; a name without a value takes the setting of that name."""
    for name, value in environment.items():
        given = value or env.get(name, value)
        yield name if given is None else f"{name}={given}"


def _grants(given: tuple[Granted, ...], known: Mapping[str, FileObject], name: str) -> tuple[FileReference, ...]:
    return tuple(FileReference(_full_name(name, g.source, known.get(g.source)), g.target or g.source) for g in given)


def _networks(service: Service) -> tuple[str, ...]:
    """Return a service's networks; one that names none is attached to the stack's own."""
    return tuple(service.networks) or ("default",)


def _network(stack: Stack, key: str) -> Network:
    return stack.networks.get(key, Network())


def _full_name(stack: str, key: str, thing: Network | Volume | FileObject | None) -> str:
    """Return the full name of a top-level object."""
    if thing is None:
        return key
    return thing.name or (key if thing.external else f"{stack}_{key}")


def _update(update: Update | None) -> UpdateConfig:
    """Convert the update settings; a `monitor` of 0 means the engine's default, as if it were left out."""
    if update is None:
        return UpdateConfig()
    return UpdateConfig(
        parallelism=update.parallelism,
        delay=update.delay,
        order=update.order,
        failure_action=update.failure_action,
        monitor=update.monitor or UpdateConfig().monitor,
        max_failure_ratio=update.max_failure_ratio,
    )


def _health(service: Service) -> tuple[str, ...]:
    check = service.healthcheck
    return () if check is None else ("NONE",) if check.disable else check.test
