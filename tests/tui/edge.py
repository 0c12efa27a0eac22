"""A swarm with the whole demo on it: Traefik, Pebble, the application in two tiers, certificates, traffic."""

from __future__ import annotations

from dataclasses import replace

from lab.world.entries import (
    CertificateSeen,
    Entry,
    Fact,
    Failure,
    Hit,
    LoadReport,
    RoutesSeen,
    SwarmChanged,
    TrafficSeen,
)
from lab.world.swarm import FileReference, Node, Port, Service, ServiceSpec, SwarmObject, Task
from lab.world.traefik import Balancer, Certificate, EntryPoint, Middleware, Router, Traffic
from lab.world.world import World, fold

WALL = 1_800_000_000.0
NODES = tuple(
    Node(f"n{i}", f"node{i}", "worker" if i == 4 else "manager", "ready", leader=i == 1, reachability="reachable")
    for i in range(1, 5)
)
EDGE_LABELS = {
    "traefik.enable": "true",
    "traefik.http.routers.dashboard.rule": "Host(`traefik.localhost`)",
    "traefik.http.routers.dashboard.entrypoints": "websecure",
    "traefik.http.routers.dashboard.service": "api@internal",
    "traefik.http.routers.dashboard.middlewares": "users",
    "traefik.http.middlewares.users.basicauth.usersfile": "/run/secrets/users",
    "traefik.http.services.unused.loadbalancer.server.port": "80",
}
APP_LABELS = {
    "traefik.enable": "true",
    "traefik.http.routers.app.rule": "Host(`node-app.localhost`)",
    "traefik.http.routers.app.entrypoints": "websecure",
    "traefik.http.routers.app.middlewares": "again",
    "traefik.http.services.app.loadbalancer.server.port": "80",
    "traefik.http.middlewares.again.retry.attempts": "3",
}
ECHO_LABELS = {
    "traefik.enable": "true",
    "traefik.tcp.routers.echo.rule": "HostSNI(`*`)",
    "traefik.tcp.routers.echo.entrypoints": "tcp",
    "traefik.tcp.services.echo.loadbalancer.server.port": "9000",
}


def service(name: str, image: str, desired: int, networks: tuple[str, ...], **more: object) -> Service:
    """A service, its id being its name."""
    spec = ServiceSpec(image, replicas=desired, networks=networks, **more)  # type: ignore[arg-type]
    return Service(name, name, spec, desired)


SERVICES = (
    service(
        "edge_traefik", "traefik:3.7", 1, ("w1",),
        labels=EDGE_LABELS,
        ports=(Port(80, 80), Port(443, 443), Port(9000, 9000)),
        secrets=(FileReference("users-1", "users"),),
        configs=(FileReference("acme-ca-1", "/acme-ca.pem"),),
    ),
    service(
        "acme_pebble", "pebble:2.6", 1, ("w1",),
        ports=(Port(15000, 15000),),
        secrets=(FileReference("acme_key", "key"),),
    ),
    service(
        "app_frontend", "nginx:1.26", 2, ("w1", "w2"),
        labels=APP_LABELS,
        configs=(FileReference("nginx-1", "/etc/nginx/conf.d/default.conf"),),
    ),
    service(
        "app_backend", "backend:1", 3, ("w2",),
        secrets=(FileReference("api-key-1", "api-key"),),
        configs=(FileReference("settings-1", "/app/settings.json"),),
    ),
    service("echo_echo", "busybox:1.36", 1, ("w1",), labels=ECHO_LABELS),
    service("web", "nginx:1.26", 2, (), ports=(Port(8080, 80),)),
)  # fmt: skip
NAMED = (
    SwarmObject("network", "w1", "edge"),
    SwarmObject("network", "w2", "app_inside"),
    SwarmObject("secret", "x1", "users-1"),
    SwarmObject("secret", "x2", "api-key-1"),
    SwarmObject("config", "x3", "nginx-1"),
)
_PLACES = {
    "edge_traefik": (1,),
    "acme_pebble": (2,),
    "app_frontend": (2, 4),
    "app_backend": (1, 3, 4),
    "echo_echo": (3,),
    "web": (3, 4),
}


def tasks(name: str, *nodes: int, state: str = "running") -> tuple[Task, ...]:
    """A task of a service on each of these nodes."""
    return tuple(
        Task(f"{name}.{slot}", name, slot, f"n{node}", state, "running" if state == "running" else "shutdown", 1.0, 2.0)
        for slot, node in enumerate(nodes, 1)
    )


TASKS = tuple(task for name, nodes in _PLACES.items() for task in tasks(name, *nodes))


def certificate(name: str, fingerprint: str = "3f1c9a7be2d455aa", **more: object) -> Certificate:
    """What Pebble issued for a name: valid for half an hour, of which three minutes have passed at WALL."""
    made = Certificate(
        fingerprint * 4,
        name,
        "Pebble Intermediate CA 2f1e",
        (name,),
        "EC P-256",
        "4a2f9c0011",
        WALL - 180,
        WALL + 1620,
        (name, "Pebble Intermediate CA 2f1e"),
    )
    return replace(made, **more)  # type: ignore[arg-type]


def served(host: str, one: Certificate | None, verdict: str = "good", nodes: str = "1234", why: str = "") -> list[Fact]:
    """The same handshake on some nodes."""
    return [CertificateSeen(host, f"node{n}", verdict, why, WALL, one) for n in nodes]  # type: ignore[arg-type]


_TO_HTTPS = "redirect-web-to-websecure@internal"
ROUTES = RoutesSeen(
    "live",
    version="3.7.15",
    entrypoints=(EntryPoint("web", ":80"), EntryPoint("websecure", ":443"), EntryPoint("tcp", ":9000")),
    routers=(
        Router("app@swarm", "http", "Host(`node-app.localhost`)", "app", ("websecure",), ("again@swarm",), tls=True),
        Router(
            "dashboard@swarm", "http", "Host(`traefik.localhost`)", "api@internal", ("websecure",), ("users@swarm",)
        ),
        Router("web-to-websecure@internal", "http", "HostRegexp(`^.+$`)", "noop@internal", ("web",), (_TO_HTTPS,)),
        Router("echo@swarm", "tcp", "HostSNI(`*`)", "echo", ("tcp",)),
    ),
    balancers=(
        Balancer("app@swarm", "http", (("http://10.0.1.5:80", "UP"), ("http://10.0.1.6:80", "UP"))),
        Balancer("api@internal", "http"),
        Balancer("echo@swarm", "tcp", (("10.0.1.9:9000", "UP"),)),
    ),
    middlewares=(
        Middleware("again@swarm", "http", "retry"),
        Middleware("users@swarm", "http", "basicauth"),
        Middleware(_TO_HTTPS, "http", "redirectscheme"),
    ),
    certificates=(certificate("node-app.localhost"), certificate("traefik.localhost", "aa11bb22cc33dd44")),
)
ROUTES = replace(ROUTES, routers=tuple(replace(r, tls=True, resolver="acme") if r.tls else r for r in ROUTES.routers))
FIRST = SwarmChanged("node1", NODES, SERVICES, TASKS, NAMED, first=True)


def world(*facts: tuple[float, Fact] | Fact, base: World | None = None) -> World:
    """The world after these facts; one without a time comes at the time of the one before."""
    now, at = base or World(), base.at if base else 0.0
    for given in facts:
        at, fact = given if isinstance(given, tuple) else (at, given)
        now = fold(now, Entry(at, fact))
    return now


def deployed(*facts: tuple[float, Fact] | Fact) -> World:
    """The demo deployed, and what came then."""
    return world((0.0, FIRST), *facts)


def traffic(first: int, second: int, bad: int = 0) -> list[tuple[float, Fact]]:
    """The counters of app@swarm at 0 and at 10 seconds."""
    return [
        (0.0, TrafficSeen((Traffic("app@swarm", good=first),))),
        (10.0, TrafficSeen((Traffic("app@swarm", good=second, bad=bad),))),
    ]


def load(at: float, bad: int = 0) -> tuple[float, Fact]:
    """A second of the load at 50 a second."""
    failures = tuple(Failure(0.1, "node4", 0, "refused", 3.0) for _ in range(min(bad, 20)))
    return at, LoadReport(True, 50.0, "https://node-app.localhost/", 1.0, 50, 50 - bad, bad, 2, failures=failures)


def hit(node: str, status: int = 200) -> Fact:
    """A request to a node's port 443."""
    return Hit(node, 443, "/", status, "app_frontend.1", 12.0, host="node-app.localhost", protocol="https")
