"""The routes pane, as plain text."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.tui.panes.routes import view
from lab.tui.spans import plain, width
from lab.world.entries import Fact, RoutesSeen, SwarmChanged
from lab.world.swarm import Service
from lab.world.traefik import Balancer, EntryPoint, Middleware, Router
from lab.world.world import World
from tests.tui.edge import APP_LABELS, ROUTES, deployed, service, tasks
from tests.tui.edge_strategies import worlds


def drawn(now: World, room: int = 118, height: int = 200) -> str:
    return plain(view.lines(now, room, height, now.at + 2))


def with_service(one: Service, *, runs: bool = True, seen: Fact = ROUTES) -> World:
    """The demo and one more service, its one task running."""
    return deployed(SwarmChanged("node1", services=(one,), tasks=tasks(one.name, 1) if runs else ()), (1.0, seen))


def labelled(name: str = "hello", network: str = "w1", **labels: str) -> Service:
    """A service with these labels of Traefik's; `_` in a keyword is a dot."""
    given = {f"traefik.{key.replace('_', '.')}": value for key, value in labels.items()}
    return service(name, "busybox:1.36", 1, (network,), labels=given)


GOOD = {
    "enable": "true",
    "http_routers_hello_rule": "Host(`hello.localhost`)",
    "http_services_hello_loadbalancer_server_port": "80",
}


@pytest.mark.parametrize("room", [56, 70, 118])
def test_all_that_traefik_has_is_there(room: int) -> None:
    text = drawn(deployed((1.0, ROUTES)), room)
    for said in (
        "Traefik 3.7.15  ✔ all routers enabled", "web :80", "websecure :443", "tcp :9000", "● app@swarm",
        "Host(`node-app.localhost`)", "→ app", "through again@swarm", "TLS certificate by acme", "● echo@swarm tcp",
        "● http://10.0.1.5:80 UP", "again@swarm retry", "users@swarm basicauth",
    ):  # fmt: skip
        assert said in text
    assert "Errors" not in text and "Labels" not in text


def test_routers_stand_under_their_entry_points() -> None:
    text = drawn(deployed((1.0, replace(ROUTES, routers=(*ROUTES.routers, Router("all@file", "http", "x", "y"))))))
    secure = text.partition("websecure :443")[2].partition("tcp :9000")[0]
    assert "2 routers" in secure and "dashboard@swarm" in secure and "echo@swarm" not in secure
    assert "all@file" in text.partition("every entry point")[2]


def test_an_entry_point_without_routers_and_one_that_is_not_there() -> None:
    seen = RoutesSeen(
        "live",
        entrypoints=(EntryPoint("web", ":80"),),
        routers=(Router("a@file", "http", "Host(`a`)", "b", ("https",), status="disabled"),),
    )
    text = drawn(deployed((1.0, seen)))
    assert "web :80" in text and "no router" in text and "https ✘ no such entry point" in text
    assert "✘ a@file disabled" in text and "✘ 1 router not enabled" in text


def test_servers_are_counted_against_the_swarms_tasks() -> None:
    assert "✔ 2 servers, and 2 tasks of app_frontend run" in drawn(deployed((1.0, ROUTES)))
    less = Balancer("app@swarm", "http", (("http://10.0.1.5:80", "DOWN"),))
    text = drawn(deployed((1.0, replace(ROUTES, balancers=(less,)))))
    assert "▲ 1 server, but 2 tasks of app_frontend run" in text and "✘ http://10.0.1.5:80 DOWN" in text


def test_errors_stand_first_with_the_service_its_label_and_what_to_write() -> None:
    bad = {**APP_LABELS, "traefik.http.routers.app.rule": "Host('node-app.localhost')"}
    said = "error while parsing rule: illegal rune literal"
    router = replace(ROUTES.routers[0], rule="Host('node-app.localhost')", status="disabled", errors=(said,))
    now = deployed(
        SwarmChanged("node1", services=(service("app_frontend", "nginx", 2, ("w1", "w2"), labels=bad),)),
        (1.0, replace(ROUTES, routers=(router, *ROUTES.routers[1:]))),
    )
    text = drawn(now)
    errors = text.partition("Errors")[2].partition("web :80")[0]
    assert text.index("Errors") < text.index("web :80")
    for part in (
        "✘ router app@swarm", f"Traefik: {said}", "made by the service app_frontend",
        "traefik.http.routers.app.rule: Host('node-app.localhost')", "write Host(`node-app.localhost`)",
    ):  # fmt: skip
        assert part in errors
    assert text.count("write Host(`node-app.localhost`)") == 1, "a mistake is told once"


def test_errors_of_services_and_middlewares_are_told_too() -> None:
    seen = replace(
        ROUTES,
        balancers=(replace(ROUTES.balancers[0], errors=("no servers",)),),
        middlewares=(Middleware("again@swarm", "http", "retry", "disabled", ("attempts is missing",)),),
    )
    text = drawn(deployed((1.0, seen)))
    assert "✘ service app@swarm" in text and "✘ middleware again@swarm" in text and "attempts is missing" in text
    assert "traefik.http.middlewares.again.retry.attempts: 3" in text


def test_a_service_without_a_port_is_not_known_and_is_told_what_to_write() -> None:
    labels = {key: value for key, value in GOOD.items() if "port" not in key}
    text = drawn(with_service(labelled(**labels)), 130)
    assert "✘ hello Traefik does not know its router hello" in text and "port is missing" in text
    assert 'write traefik.http.services.hello.loadbalancer.server.port: "80"' in text


def test_traefik_enable_and_no_router() -> None:
    text = drawn(with_service(labelled("who_am_i", enable="true")))
    assert "✘ who_am_i" in text and "default rule, Host(`who-am-i`)" in text and "port is missing" in text


@pytest.mark.parametrize(
    ("one", "runs", "why"),
    [
        (labelled(network="w9", **GOOD), True, "no network that Traefik is on"),
        (labelled(**GOOD), False, "no task of it runs"),
        (labelled(**{k: v for k, v in GOOD.items() if k != "enable"}), True, "has to say traefik.enable"),
        (labelled(**GOOD), True, "docker service logs"),
    ],
)
def test_right_labels_that_traefik_passes_over(one: Service, runs: bool, why: str) -> None:
    text = drawn(with_service(one, runs=runs))
    assert "✘ hello Traefik does not know its router hello" in text and why in text


def test_a_middleware_of_another_service_is_no_mistake() -> None:
    router = Router("hello@swarm", "http", "Host(`hello.localhost`)", "hello", ("websecure",))
    seen = replace(ROUTES, routers=(*ROUTES.routers, router))
    good = labelled(**GOOD, http_routers_hello_middlewares="users")
    assert "Labels" not in drawn(with_service(good, seen=seen))
    odd = labelled(**GOOD, http_routers_hello_middlewares="nobody")
    assert "? hello Traefik has its routers" in drawn(with_service(odd, seen=seen))


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("none", "no Traefik runs"),
        ("unreachable", "cannot be reached"),
        ("refused", "refuses the password"),
        ("unreadable", "not as it promises"),
    ],
)
def test_a_traefik_that_does_not_answer_says_why_and_what_to_do(state: str, said: str) -> None:
    text = drawn(with_service(labelled(**{**GOOD, "port": "80"}), seen=RoutesSeen(state, "status 418")), 70)  # type: ignore[arg-type]
    assert said in text and "status 418" in text
    assert "traefik.port" in text and "does not know" not in text, "mistakes in labels are told all the same"


def test_before_the_first_answer() -> None:
    assert "Its answer is waited for." in drawn(deployed())
    assert "stacks/edge.yaml" in drawn(World(), 70)


def test_without_room_no_line_is_empty() -> None:
    now = deployed((1.0, ROUTES))
    assert "\n\n" in drawn(now) and "\n\n" not in drawn(now, height=10)


@given(worlds, st.integers(1, 130), st.integers(0, 60))
def test_any_world_keeps_within_the_room(now: World, room: int, height: int) -> None:
    assert all(width(line) <= room for line in view.lines(now, room, height, now.at))
