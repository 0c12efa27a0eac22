"""Which services of a swarm are Traefik, and what services ask Traefik to route: the one place that knows."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from lab.world.traefik_labels import Declared, default_name, hosts_of_rule, parse_labels, read_enable

if TYPE_CHECKING:
    from lab.world.swarm import Service
    from lab.world.world import World


def image_name(image: str) -> str:
    """Return an image's bare name: `traefik` for `docker.io/library/traefik:3.7`."""
    return image.rpartition("/")[2].partition(":")[0].partition("@")[0]


def runs_traefik(image: str, args: Iterable[str] = ()) -> bool:
    """Return whether a container of this image, started with these arguments, is Traefik: by the image's name, which
    may have a prefix, or by flags that only Traefik has."""
    name = image_name(image).lower()
    return name.endswith("traefik") or any(arg.lower().startswith("--providers.") for arg in args)


def is_traefik(service: Service) -> bool:
    """Return whether the service is Traefik."""
    return runs_traefik(service.spec.image, (*service.spec.command, *service.spec.args))


def traefik_services(world: World) -> tuple[Service, ...]:
    """Return the services that are Traefik, sorted by name."""
    return tuple(sorted(filter(is_traefik, world.swarm.services.values()), key=lambda s: s.name))


def traefik_id(world: World) -> str:
    """Return the id of Traefik's service, "" if there is none."""
    return next((service.id for service in traefik_services(world)), "")


def labels_of(world: World, service: Service) -> Declared:
    """Return what a service's labels declare; parsed once, when the service is folded."""
    known = world.swarm.declared.get(service.id)
    return parse_labels(service.spec.labels) if known is None else known


def dashboard_host(world: World) -> str:
    """Return the host name under which Traefik's own API is routed, "" if it is not."""
    for service in world.swarm.services.values():
        for options in labels_of(world, service).of("http", "routers").values():
            if options.value("service") == "api@internal":
                return next(iter(hosts_of_rule(options.value("rule"))), "")
    return ""


def open_hosts(world: World) -> tuple[str, ...]:
    """Return the host names that are routed without a login: those of routers without a middleware whose name holds
    `users`, as the stacks call theirs."""
    found: set[str] = set()
    for service in world.swarm.services.values():
        for options in labels_of(world, service).of("http", "routers").values():
            if "users" not in options.value("middlewares"):
                found |= set(hosts_of_rule(options.value("rule")))
    return tuple(sorted(found))


def routed_hosts(world: World) -> tuple[str, ...]:
    """Return the host names that the swarm's services ask Traefik to route HTTP for, sorted and without duplicates."""
    found: set[str] = set()
    for service in world.swarm.services.values():
        if read_enable(service.spec.labels) is False:
            continue
        for options in labels_of(world, service).of("http", "routers").values():
            found.update(hosts_of_rule(options.value("rule")))
    return tuple(sorted(found))


def owning_service(world: World, protocol: str, kind: str, name: str) -> tuple[Service, str] | None:
    """Return the service whose labels define one of Traefik's routers, services or middlewares (`app@swarm`), and the
    most telling of those labels, "" if Traefik created it by default for that service. None for another provider's."""
    bare, _, provider = name.partition("@")
    if provider not in ("", "swarm"):
        return None
    by_default = None
    for service in sorted(world.swarm.services.values(), key=lambda s: s.name):
        things = labels_of(world, service)
        if options := things.of(protocol, kind).get(bare):
            first = next((options[o] for o in ("rule", "loadbalancer.server.port") if o in options), None)
            return service, (first or next(iter(options.values()))).key
        if (
            kind != "middlewares"
            and read_enable(service.spec.labels) is not False
            and default_name(service.name) == bare
        ):
            by_default = service
    return (by_default, "") if by_default else None
