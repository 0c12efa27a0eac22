"""Traefik's labels: host names, who carries them, known mistakes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.world.entries import SwarmChanged
from lab.world.traefik_labels import find_mistakes, parse_labels
from lab.world.traefik_rules import is_balanced, matchers, to_regexp, translate_rule
from lab.world.traefik_services import owning_service, routed_hosts
from tests.tui.edge import APP_LABELS, ECHO_LABELS, EDGE_LABELS, deployed, service, world

RULE = "traefik.http.routers.app.rule"
PORT = "traefik.http.services.app.loadbalancer.server.port"
GOOD = {"traefik.enable": "true", RULE: "Host(`a.b`)", PORT: "80"}


def wrong(labels: dict[str, str], *entrypoints: str) -> list[tuple[str, str]]:
    """The label and what to write, of each mistake."""
    return [(m.label, m.write) for m in find_mistakes(labels, frozenset(entrypoints) or None)]


def rule(text: str) -> list[str]:
    """What to write instead of a rule."""
    return [m.write for m in find_mistakes({**GOOD, RULE: text})]


@pytest.mark.parametrize("labels", [GOOD, APP_LABELS, EDGE_LABELS, ECHO_LABELS, {}, {"com.docker.stack.image": "x"}])
def test_the_demos_own_labels_have_no_mistake(labels: dict[str, str]) -> None:
    assert find_mistakes(labels, frozenset({"web", "websecure", "tcp"})) == ()


def test_a_service_that_traefik_is_told_to_pass_over_has_no_mistakes() -> None:
    assert wrong({"traefik.enable": "false", RULE: "Host('a')", "traefik.backend": "x"}) == []


MATCHERS = (
    *("ClientIP", "Host", "HostRegexp", "Method", "Path", "PathPrefix", "PathRegexp"),
    *("Header", "HeaderRegexp", "Query", "QueryRegexp"),
)


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("Host(`a.b`) || Host(`c.d`)", []),
        ('Host("a.b") && PathPrefix(`/x`)', []),
        ("HostRegexp(`^[a-z]{2,3}\\.b$`)", []),
        ("!Host(`a.b`) && (ClientIP(`10.0.0.0/8`) || Header(`X`, `y`))", []),
        ("Host(`a.b`,`c.d`)", ["Host(`a.b`) || Host(`c.d`)"]),
        ("Host('a.b')", ["Host(`a.b`)"]),
        ("Host(a.b)", ["Host(`a.b`)"]),
        ("Host(a.b, c.d)", ["Host(`a.b`) || Host(`c.d`)"]),
        ("hostregexp(`{host:.+}`)", ["HostRegexp(`^.+$`) (in a stack file $ is $$)"]),
        ("HostRegexp(`{s:[a-z]{2}}.b`)", ["HostRegexp(`^[a-z]{2}\\.b$`) (in a stack file $ is $$)"]),
        ("PathPrefix(`/u/{id}`)", ["PathRegexp(`^/u/[^/]+$`) (in a stack file $ is $$)"]),
        ("Headers(`X`, `y`)", ["Header(`X`, `y`)"]),
        ("Host(`a.b`", ["close every ( with ) and every ` with `"]),
        ("(Host(`a.b`)))", ["close every ( with ) and every ` with `"]),
        ("Host(`a.b)", ["close every ( with ) and every ` with `"]),
        ("Host:a.b", ["Host(`name.example.org`)"]),
        ("Host()", ["Host(`...`)"]),
        ("Host(``)", ["Host(`...`)"]),
        ("Hosts(`a.b`)", ["Host(`a.b`)"]),
        ("Wholly(`a.b`)", [f"one of {', '.join(MATCHERS)}"]),
        ("Host(`a.b`) && PathPrefixStrip(`/x`)", ["PathPrefix(`/x`), and a middleware with stripprefix"]),
        ("ClientIP(`10.0.0.0/8`, `::1`)", ["ClientIP(`10.0.0.0/8`) || ClientIP(`::1`)"]),
        ("ClientIP(`10.0.0.0/33`)", ["ClientIP(`10.0.0.0/8`)"]),
        ("Header(`X`)", ["Header(`NAME`, `VALUE`)"]),
        ("Query(`a`) || Query(`a`, `b`)", []),
        ("Host(`bücher.de`)", ["Host(`xn--bcher-kva.de`)"]),
        ("Path(`api`) && PathPrefix(`${BASE}`)", ["Path(`/api`)"]),
        ("Host(`a.b`) PathPrefix(`/(x`)", ["&& PathPrefix(...), or || PathPrefix(...)"]),
        ("Host(`a.b`) `c`", ["&& `c`, or || `c`"]),
        ("Host(`a.b`) &&", ["a matcher after it, or no &&"]),
        ("Host(`a.b`) && || Path(`/`)", ["a matcher before it, or no ||"]),
        ("|| Host(`a.b`)", ["a matcher before it, or no ||"]),
        ("Host(`a.b`) && c", ["Host(`name.example.org`)"]),
        ("hOst(`a.b`) || HOST(`a.b`) || Hostregexp(`a`)", ["Host(`a.b`)"]),
        ("HostRegexp(`[a`)", ["HostRegexp(`...`) with a whole one"]),
        ("HeaderRegexp(`[X`, `(a`)", ["HeaderRegexp(`...`) with a whole one"]),
        ("PathRegexp(`(?U)\\pL+[[:alpha:]]`)", []),
        ("Host(`a.b`) ${AND}", []),
        ("${RULE}", []),
        ('"Host(`a.b`)"', ["Host(`a.b`)"]),
    ],
)
def test_rules(text: str, write: list[str]) -> None:
    assert rule(text) == write


@pytest.mark.parametrize(
    ("text", "write"),
    [
        ("Host:a.b", "Host(`a.b`)"),
        ("Host: a.b, c.d", "Host(`a.b`) || Host(`c.d`)"),
        ("Host:a.b,c.d;PathPrefix:/x", "(Host(`a.b`) || Host(`c.d`)) && PathPrefix(`/x`)"),
        ("Host:x.${DOMAIN:-localhost}", "Host(`x.${DOMAIN:-localhost}`)"),
        ("HostRegexp:{a:.+}.b", None),
        ("Path:/{id:[0-9]+}", None),
        ("Host:", None),
        ("a.b", None),
    ],
)
def test_a_rule_of_traefik_1(text: str, write: str | None) -> None:
    assert translate_rule(text) == write
    told = dict(wrong({"traefik.enable": "true", "traefik.frontend.rule": text}))
    assert told["traefik.frontend.rule"] == f"traefik.http.routers.NAME.rule: {write or 'Host(`...`)'}"


def test_a_stack_files_own_braces_are_no_pattern() -> None:
    assert rule("Host(`x.${DOMAIN:-localhost}`)") == []
    assert rule("HostRegexp(`^.+\\.${DOMAIN:-localhost}$`)") == []


@pytest.mark.parametrize(
    ("label", "write"),
    [
        ("traefik.docker.network", "traefik.swarm.network"),
        ("traefik.frontend.rule", "traefik.http.routers.NAME.rule: Host(`...`)"),
        ("traefik.frontend.entryPoints", "traefik.http.routers.NAME.entrypoints"),
        ("traefik.frontend.redirect.entryPoint", "traefik.http.middlewares.NAME.redirectscheme.scheme"),
        ("traefik.backend.loadbalancer.stickiness", "traefik.http.services.NAME.loadbalancer.sticky.cookie"),
        ("traefik.backend", "traefik.http.services.NAME.loadbalancer.server.port"),
        ("traefik.port", "traefik.http.services.NAME.loadbalancer.server.port"),
        ("traefik.http.middlewares.m.ipWhiteList.sourceRange", "traefik.http.middlewares.m.ipallowlist.sourceRange"),
        ("traefik.tcp.middlewares.m.ipwhitelist.sourcerange", "traefik.tcp.middlewares.m.ipallowlist.sourcerange"),
        ("traefik.http.router.x.rule", "traefik.http.routers.x.rule"),
        ("traefik.http.routers.app.entrypoint", "traefik.http.routers.app.entrypoints"),
        ("traefik.http.routers.app.certresolver", "traefik.http.routers.app.tls.certresolver"),
        ("traefik.http.routers.app.tlss", "traefik.http.routers.app.tls"),
        ("traefik.http.routers.a.example.org.rule", "traefik.http.routers.a-example-org.rule"),
        ("traefik.http.middlewares.cut.stripPrefxi.prefixes", "traefik.http.middlewares.cut.stripprefix.prefixes"),
        ("traefik.enabled", "traefik.enable"),
        ("traefik.api.port", "traefik.http.services.api.loadbalancer.server.port"),
        ("traefik.api.frontend.rule", "traefik.http.routers.api.rule: Host(`...`)"),
        ("traefik.frontend.auth.basic.users", "traefik.http.middlewares.NAME.basicauth.users"),
        ("traefik.backend.loadbalancer.sticky", "traefik.http.services.NAME.loadbalancer.sticky.cookie"),
    ],
)
def test_names_that_traefik_3_does_not_take(label: str, write: str) -> None:
    assert wrong({**GOOD, label: "x"}) == [(label, write)]


@pytest.mark.parametrize(
    ("label", "value", "reason"),
    [
        ("traefik.enable", "yes", "yes is neither true nor false, and Traefik passes the service over"),
        ("traefik.http.routers.app.priority", "high", "high is no whole number"),
        ("traefik.http.middlewares.s.redirectscheme.permanent", "yes", "yes is neither true nor false"),
        ("traefik.http.services.app.loadbalancer.server.port", "http", "http is no port"),
        ("traefik.http.services.app.loadbalancer.server.port", "80000", "80000 is no port"),
        ("traefik.http.services.app.loadbalancer.server.port ", "80", "a blank belongs to its key"),
        ("traefik.http.services.b.weighted.services[0].name", "app", "labels cannot make a weighted service"),
    ],
)
def test_values_that_traefik_cannot_parse(label: str, value: str, reason: str) -> None:
    labels = {**GOOD, "traefik.http.routers.app.service": "app", label: value}
    [mistake] = find_mistakes(labels)
    assert mistake.label == label and reason in mistake.wrong


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("traefik.http.routers.app.priority", "${PRIORITY}"),
        ("traefik.http.middlewares.h.headers.customresponseheaders.secure", "yes"),
        ("traefik.http.middlewares.h.plugin.mine.average", "much"),
        ("traefik.http.services.app.loadbalancer.healthcheck.headers.priority", "high"),
        ("traefik.http.middlewares.h.fieldofthefuture.x", "1"),
        ("traefik.constraint-label", "edge"),
    ],
)
def test_what_traefik_may_know_is_not_told(label: str, value: str) -> None:
    assert wrong({**GOOD, label: value}) == []


def test_docker_labels_beside_those_of_the_swarm_provider() -> None:
    old = "traefik.docker.network"
    [alone] = find_mistakes({**GOOD, old: "edge"})
    [beside] = find_mistakes({**GOOD, old: "edge", "traefik.swarm.network": "edge"})
    assert "still works" in alone.wrong and "passes the service over" in beside.wrong


def test_a_missing_port_drops_everything() -> None:
    without = {key: value for key, value in GOOD.items() if key != PORT}
    [mistake] = find_mistakes(without)
    assert (mistake.label, mistake.write) == (RULE, f'{PORT}: "80"') and "port is missing" in mistake.wrong
    assert wrong({"traefik.enable": "true"})[0][0] == "traefik.enable"
    sticky = "traefik.http.services.app.loadbalancer.sticky.cookie"
    assert wrong({**without, sticky: "true"}) == [(sticky, f'{PORT}: "80"')]


def test_tcp() -> None:
    key, port = "traefik.tcp.routers.echo.rule", "traefik.tcp.services.echo.loadbalancer.server.port"
    assert wrong({key: "Host(`a`)", port: "9"}) == [(key, "traefik.tcp.routers.echo.rule: HostSNI(`*`)")]
    assert wrong({"traefik.tcp.routers.echo.entrypoints": "tcp", port: "9"})[0][1].endswith("HostSNI(`*`)")
    assert wrong({key: "HostSNI(`*`) ALPN(`x`)", port: "9"}) == [(key, "&& ALPN(...), or || ALPN(...)")]
    assert wrong({key: "HostSNI(`*`) && Host(`x`)", port: "9"}) == [(key, "HostSNI(`x`)")]
    assert wrong({key: "HostSNI(`*`)"}) == [(key, f'{port}: "80"')]
    assert wrong({key: "HostSNI(`a.b`)", port: "9"})[0][1].startswith("HostSNI(`*`), or ")
    assert wrong({key: "HostSNI(`a.b`)", port: "9", "traefik.tcp.routers.echo.tls.passthrough": "true"}) == []


def test_entry_points_are_judged_only_when_they_are_known() -> None:
    key = "traefik.http.routers.app.entrypoints"
    assert wrong({**GOOD, key: "https, web"}) == []
    assert wrong({**GOOD, key: "https, web"}, "web", "websecure") == [(key, "one of those there are: web, websecure")]


def test_a_middleware_that_no_label_defines_is_a_hint() -> None:
    key = "traefik.http.routers.app.middlewares"
    labels = {**GOOD, key: "users,auth@file,own", "traefik.http.middlewares.own.compress": "true"}
    [mistake] = find_mistakes(labels)
    assert mistake.hint and "users" in mistake.wrong
    assert find_mistakes(labels, middlewares=frozenset({"users"})) == ()


def test_a_router_beside_two_services_has_to_say_which() -> None:
    other = {"traefik.http.services.other.loadbalancer.server.port": "81"}
    assert wrong({**GOOD, **other}) == [(RULE, "traefik.http.routers.app.service: app")]
    assert wrong({**GOOD, **other, "traefik.http.routers.app.service": "other"}) == []
    unlike = {RULE.replace("app", "x"): "Host(`x`)", "traefik.http.routers.app.service": "app"}
    assert wrong({**GOOD, **other, **unlike}) == [
        (RULE.replace("app", "x"), "traefik.http.routers.x.service: one of app, other")
    ]


def test_host_names() -> None:
    assert routed_hosts(deployed()) == ("node-app.localhost", "traefik.localhost")
    more = service("x", "y", 1, (), labels={RULE: 'Host("B.b", `a.a`) && !Host(`no.no`) || HostRegexp(`^r$`)'})
    off = service("z", "y", 1, (), labels={RULE: "Host(`off.off`)", "traefik.enable": "false"})
    assert routed_hosts(world(SwarmChanged("node1", services=(more, off)))) == ("a.a", "b.b")


def test_who_carries_a_router() -> None:
    now = deployed()

    def found(*what: str) -> tuple[str, str] | None:
        pair = owning_service(now, *what)
        return (pair[0].name, pair[1]) if pair else None

    assert found("http", "routers", "app@swarm") == ("app_frontend", RULE)
    assert found("http", "services", "app@swarm") == ("app_frontend", PORT)
    assert found("tcp", "routers", "echo@swarm") == ("echo_echo", "traefik.tcp.routers.echo.rule")
    assert found("http", "middlewares", "again@swarm") == (
        "app_frontend",
        "traefik.http.middlewares.again.retry.attempts",
    )
    assert found("http", "services", "app-backend@swarm") == ("app_backend", "")
    assert found("http", "routers", "api@internal") is None and found("tcp", "routers", "app@swarm") is None


@given(st.text("Host(`a.b`)||&&!{x:.+}\"', ", max_size=60))
def test_any_rule_can_be_taken_apart(text: str) -> None:
    matchers(text)
    assert isinstance(is_balanced(text), bool)
    find_mistakes({RULE: text, "traefik.tcp.routers.t.rule": text})


@given(st.lists(st.from_regex(r"[a-z]{1,5}\.[a-z]{1,3}", fullmatch=True), min_size=1, max_size=4))
def test_what_is_to_be_written_has_no_mistake(names: list[str]) -> None:
    for text in (f"Host({', '.join(names)})", f"Host({', '.join(f'`{n}`' for n in names)})", f"Host('{names[0]}')"):
        for write in rule(text):
            assert rule(write) == []


@given(st.from_regex(r"\{[a-z]+:[a-z]+\}(\.[a-z]+){0,2}", fullmatch=True))
def test_a_pattern_of_traefik_2_becomes_one_that_is_none(pattern: str) -> None:
    made = to_regexp(pattern)
    assert made is not None and to_regexp(made) is None and made[0] == "^" and made[-1] == "$"


def test_keys_are_read_in_any_case() -> None:
    assert parse_labels({"Traefik.HTTP.Routers.App.Rule": "x"}).of("http", "routers") == {
        "App": {"rule": ("Traefik.HTTP.Routers.App.Rule", "x")}
    }
