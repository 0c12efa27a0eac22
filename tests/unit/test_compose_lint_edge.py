"""`swarmlab check` on what the services of one file say of each other through Traefik."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.lesson.course import check_paths

GOOD = """\
services:
  proxy:
    image: traefik:v3.7
    command:
      - --providers.swarm=true
      - --entrypoints.web.address=:80
      - --certificatesresolvers.le.acme.tlschallenge=true
      - --api.insecure=true
    networks: [edge]
  shop:
    image: shop:1
    networks: [edge, inner]
    deploy:
      labels:
        traefik.swarm.network: edge
        traefik.http.routers.shop.rule: Host(`a.b`)
        traefik.http.routers.shop.entrypoints: web,traefik
        traefik.http.routers.shop.middlewares: cut@swarm,auth@file
        traefik.http.routers.shop.tls.certresolver: LE
        traefik.http.routers.shop.service: shop
        traefik.http.middlewares.cut.stripprefix.prefixes: /a
        traefik.http.services.shop.loadbalancer.server.port: "80"
  stock:
    image: stock:1
    networks: [inner]
networks:
  edge: {name: edge}
  inner: {}
"""
ROUTED = """\
    deploy:
      labels:
        - traefik.http.routers.{0}.rule=Host(`{0}.b`)
        - traefik.http.services.{0}.loadbalancer.server.port=80
networks:
"""


def wrong(tmp_path: Path, text: str) -> list[tuple[int, str]]:
    """Line and reason of all that is wrong with a stack of this text."""
    path = tmp_path / "stack.yaml"
    path.write_text(text)
    return [(problem.line, problem.reason) for problem in check_paths([path])[0]]


def test_names_that_are_there(tmp_path: Path) -> None:
    assert wrong(tmp_path, GOOD) == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (GOOD.replace("edge: {name: edge}", "edge: {}"), 15, "is called STACK_edge; write name: edge with the network"),
        (
            GOOD.replace("--api.insecure=true", "--providers.swarm.network=inner"),
            8,
            "--providers.swarm.network=inner: the stack's own network is called STACK_inner",
        ),
        (GOOD.replace("networks: [edge, inner]", "networks: [inner]"), 12, "service shop is on no network of proxy"),
        (GOOD.replace("    networks: [edge, inner]\n", ""), 10, "write one of edge"),
        (
            GOOD.replace("certresolver: LE", "certresolver: mine"),
            19,
            "no certificate resolver mine; write one of those",
        ),
        (GOOD.replace("cut@swarm", "cut@docker"), 18, "write cut@swarm"),
        (GOOD.replace("service: shop", "service: shopp"), 20, "no label defines the service shopp; write shop"),
        (
            GOOD.replace("inner]\nnetworks:\n", f"inner, edge]\n{ROUTED.format('shop')}"),
            28,
            "shop defines the router shop too, and differently",
        ),
        (
            GOOD.replace("--providers.swarm=true", "--providers.docker"),
            5,
            "reads containers, and no label under deploy",
        ),
        (GOOD.replace("--api.insecure=true", "--api=true"), 17, "there is no entry point traefik"),
        (
            GOOD.replace("--api.insecure=true", "--providers.swarm.constraints=Label(`edge`, `outer`)"),
            14,
            "does not meet the constraint of proxy, so that Traefik passes it over; write the label edge: outer",
        ),
        (
            GOOD.replace("--api.insecure=true", "--providrs.swarm.x=y"),
            8,
            "knows no flag --providrs.swarm.x, and does not",
        ),
        (
            GOOD.replace("--api.insecure=true", "--providers.swarm.exposeByDefault=false"),
            8,
            "write --providers.swarm.exposedbydefault=false",
        ),
        (GOOD.replace("--api.insecure=true", "--api.insecur=true"), 8, "write --api.insecure=true"),
        (GOOD.replace("--api.insecure=true", "--entryPoints.dns.adress=:53"), 8, "write --entryPoints.dns.address=:53"),
        (GOOD.replace("--api.insecure=true", "--entrypoint.dns.address=:53"), 8, "write --entrypoints.dns.address=:53"),
        (GOOD.replace("v3.7", "v2.11"), 5, "Traefik 2 does not start; write --providers.docker.swarmMode=true"),
        (
            GOOD.replace("v3.7", "v2.11").replace("--api.insecure=true", "--providers.swarm.exposedbydefault=false"),
            8,
            "write --providers.docker.exposedbydefault=false",
        ),
        (GOOD.replace("v3.7", "v2.11"), 15, "Traefik 2 does not read labels of a swarm provider"),
    ],
)
def test_a_name_that_is_not_there_is_told_with_its_line(tmp_path: Path, text: str, line: int, reason: str) -> None:
    found = wrong(tmp_path, text)
    assert [(n, r) for n, r in found if n == line and reason in r], found


OLD = (
    GOOD.replace("v3.7", "v2.11")
    .replace("--providers.swarm=true", "--providers.docker\n      - --providers.docker.swarmMode=true")
    .replace("traefik.swarm.network: edge", "traefik.docker.network: edge")
    .replace("cut@swarm", "cut@docker")
    .replace("stripprefix.prefixes: /a", "ipwhitelist.sourcerange: 10.0.0.0/8")
    .replace("Host(`a.b`)", "Host(`a.b`, `c.d`) || HostRegexp(`{sub:[a-z]+}.b`)")
)


@pytest.mark.parametrize(
    "text",
    [
        OLD,
        GOOD.replace("--api.insecure=true", "--ping=true\n      - --core.defaultRuleSyntax=v2").replace(
            "Host(`a.b`)", "HostRegexp(`{sub:[a-z]+}.b`)"
        ),
        GOOD.replace("      - --certificatesresolvers.le.acme.tlschallenge=true\n", ""),
        GOOD.replace("certresolver: LE", "certresolver: ${RESOLVER}"),
        GOOD.replace(
            "--api.insecure=true", "--ping\n      - --providers.swarm.constraints=Label(`a`, `b`) || Label(`c`, `d`)"
        ),
        GOOD.replace("--api.insecure=true", "--ping\n      - --providers.swarm.constraints=Label(`a`, `b`)").replace(
            "labels:", "labels:\n        a: b"
        ),
        GOOD.replace("service: shop", "service: of-another-stack"),
        GOOD.replace("inner]\nnetworks:\n", f"inner, edge]\n{ROUTED.format('stock')}"),
        GOOD.replace("--providers.swarm=true", "--providers.swarm\n      - --providers.docker").replace(
            "cut@swarm", "cut@docker"
        ),
        GOOD.replace("  edge: {name: edge}", "  edge: {external: true}"),
        GOOD.replace("edge, inner]", "inner]").replace("shop.service: shop", "shop.service: api@internal"),
    ],
)
def test_names_that_may_be_right_are_not_told(tmp_path: Path, text: str) -> None:
    assert wrong(tmp_path, text) == []
