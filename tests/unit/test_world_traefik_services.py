"""What the sources at the edge take from the world: whom to ask, and which names are open to all. Pure."""

from __future__ import annotations

from pathlib import Path

from lab import paths
from lab.compose import read
from lab.compose.to_spec import service_specs
from lab.world.entries import Entry, SwarmChanged
from lab.world.swarm import Service, ServiceSpec
from lab.world.traefik_services import dashboard_host, open_hosts, traefik_id
from lab.world.world import World, fold

ENV = {"ACME_DIR": "/nowhere", "DOMAIN": "example.org"}


def world_of(*services: Service) -> World:
    return fold(World(), Entry(0.0, SwarmChanged("node1", services=services, first=True)))


def service(name: str, image: str = "nginx:1.26", **labels: str) -> Service:
    return Service(
        f"id-{name}", name, ServiceSpec(image, labels={k.replace("_", "."): v for k, v in labels.items()}), 1
    )


def deployed(*stacks: str) -> World:
    services: list[Service] = []
    for name in stacks:
        made = service_specs(read.read_stack(Path(paths.stacks()) / f"{name}.yaml"), name, ENV).services
        services += [Service(f"id-{full}", full, spec, spec.replicas) for full, spec in made.items()]
    return world_of(*services)


def test_of_the_labs_own_stacks() -> None:
    world = deployed("acme", "edge", "app", "viz")
    assert dashboard_host(world) == "traefik.example.org"
    assert traefik_id(world) == "id-edge_traefik"
    assert open_hosts(world) == ("node-app.example.org",), "the dashboard and the visualizer ask for a password"


def test_where_there_is_no_edge() -> None:
    for world in (World(), deployed("app"), world_of(service("plain"))):
        assert dashboard_host(world) == ""
        assert traefik_id(world) == ""
    assert open_hosts(World()) == ()
    assert open_hosts(world_of(service("plain"))) == ()


def test_the_dashboard_is_the_router_that_leads_to_the_api() -> None:
    app = service("app", traefik_http_routers_app_rule="Host(`app.a`)")
    api = service(
        "t",
        traefik_http_routers_x_rule="Host(`api.a`) && PathPrefix(`/api`)",
        traefik_http_routers_x_service="api@internal",
    )
    assert dashboard_host(world_of(app, api)) == "api.a"
    nameless = service(
        "t", traefik_http_routers_x_rule="PathPrefix(`/`)", traefik_http_routers_x_service="api@internal"
    )
    assert dashboard_host(world_of(nameless)) == ""


def test_traefik_is_known_by_its_image() -> None:
    for image in ("traefik:3.7", "traefik", "docker.io/library/traefik:v3.7", "registry.local:5000/traefik:3"):
        assert traefik_id(world_of(service("a"), service("router", image))) == "id-router"
    assert traefik_id(world_of(service("traefik", "whoami:1"))) == ""


def test_open_hosts_are_each_named_once_in_order() -> None:
    one = service(
        "one",
        traefik_http_routers_b_rule="Host(`b.a`, `c.a`)",
        traefik_http_routers_a_rule="Host(`a.a`) || Host(`b.a`)",
        traefik_http_routers_closed_rule="Host(`secret.a`)",
        traefik_http_routers_closed_middlewares="again,users@swarm",
    )
    broken = service("two", traefik_http_routers_x_rule="Host(`", traefik_tcp_routers_y_rule="HostSNI(`tcp.a`)")
    assert open_hosts(world_of(one, broken)) == ("a.a", "b.a", "c.a")
