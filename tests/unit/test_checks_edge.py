"""Checks on what Traefik answers and serves, on its routes, on load, and on updates: false before and true after, with
a sentence and the real figures. Pure worlds, folded from entries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from lab.checks.base import Baseline, Outcome
from lab.checks.check import Check
from lab.world.entries import CertificateSeen, Hit, LoadReport, RoutesSeen, SwarmChanged
from lab.world.request import Request
from lab.world.swarm import Service, ServiceSpec, UpdateStatus
from lab.world.traefik import Certificate, Router, Verdict
from lab.world.world import World
from tests import builders
from tests.builders import saw

NODES = builders.NODES[:3]
WEB = Service("s", "web", ServiceSpec("nginx:1.26", replicas=3), 3)
HOST = "app.localhost"


START = saw(World(), SwarmChanged("node1", NODES, (WEB,), first=True))


def check(**plain: Any) -> Check:
    return Check.model_validate(plain, strict=False)


def find(plain: dict[str, Any], world: World, since: World = START) -> Outcome:
    return check(**plain).evaluate(world, Baseline(since=since, asked=since))


def hit(node: str = "node1", status: int = 200, **more: Any) -> Hit:
    fields = {"port": 443, "path": "/", "host": HOST, "protocol": "https", "replica": "r1", "ms": 1.0}
    return Hit(node=node, status=status, **{**fields, **more})


def test_every_check_asks_in_words() -> None:
    asks: list[tuple[dict[str, Any], str]] = [
        ({"http": {"host": HOST}}, "http://app.localhost/ answers 200"),
        (
            {"http": {"host": HOST, "https": True, "path": "/a", "contains": "x", "lacks": "y", "every_node": True}},
            "https://app.localhost/a answers 200 and “x” and without “y” through every node",
        ),
        (
            {"http": {"host": HOST, "https": True, "version": "2", "replicas": 2}},
            "https://app.localhost/ answers 200 of version 2, from at least 2 replicas",
        ),
        (
            {"http": {"host": HOST, "status": 302, "location": "https://"}},
            "http://app.localhost/ answers 302, to https://",
        ),
        (
            {"http": {"host": HOST, "login": "wrong", "status": 401}},
            "http://app.localhost/ answers 401 with a wrong password",
        ),
        ({"http": {"port": 80, "login": "right"}}, "port 80 answers / with 200 with the right password"),
        (
            {"tcp": {"port": 9000, "contains": "echo", "every_node": True}},
            "a TCP connection to port 9000 is answered “echo” through every node",
        ),
        (
            {"certificate": {"host": HOST, "issuer": "Pebble"}},
            "every node serves a good certificate for app.localhost, issued by Pebble",
        ),
        (
            {"certificate": {"host": HOST, "state": "default"}},
            "every node serves Traefik's own default certificate for app.localhost",
        ),
        ({"renewed": {"host": HOST}}, "every node serves a new certificate for app.localhost"),
        (
            {"router": {"name": "app", "service": "web"}},
            "Traefik has the http router app, enabled and leads to web",
        ),
        (
            {"router": {"name": "app", "status": "disabled", "error": "bad rule"}},
            "Traefik has the http router app, disabled (“bad rule”)",
        ),
        (
            {"router": {"name": "app", "middlewares": ["limit", "users"]}},
            "Traefik has the http router app, enabled through limit, users",
        ),
        ({"router": {"name": "echo", "protocol": "tcp", "absent": True}}, "Traefik has no tcp router echo"),
        ({"load": {"sent": 50, "failed": 0}}, "the load sent at least 50 requests, and no request failed"),
        ({"load": {"sent": 1, "failed": 1}}, "the load sent at least 1 request, and 1 request failed"),
        ({"load": {"sent": 30}}, "the load sent at least 30 requests"),
        (
            {"load": {"sent": 30, "failed_at_least": 2}},
            "the load sent at least 30 requests, and at least 2 requests of them failed",
        ),
        (
            {"load": {"sent": 30, "failed_at_most": 2}},
            "the load sent at least 30 requests, and at most 2 requests of them failed",
        ),
        ({"updated": {"service": "web", "state": "paused"}}, "web has its update paused"),
        ({"updated": {"service": "web", "state": "rollback_completed"}}, "web has been rolled back"),
        ({"node": {"name": "node1", "label": "edge=true"}}, "node1 bears the label edge=true"),
    ]
    for plain, sentence in asks:
        assert check(**plain).sentence == sentence
        assert not find(plain, World(), World()).ok, "nothing was seen yet"
        assert find(plain, World(), World()).why


@pytest.mark.parametrize(
    "plain",
    [
        {"http": {"path": "/"}},
        {"http": {"host": HOST, "login": "maybe"}},
        {"tcp": {"port": 9000}},
        {"certificate": {"host": HOST, "state": "fine"}},
        {"router": {"name": "app", "status": "well"}},
        {"load": {"sent": 1, "failed": 0, "failed_at_least": 1}},
        {"load": {"sent": 1, "failed_at_least": 1, "failed_at_most": 2}},
        {"load": {"sent": 0, "failed": 0}},
        {"updated": {"service": "web", "state": "updating"}},
        {"node": {"name": "node1", "label": "edge"}},
    ],
)
def test_what_makes_no_sense_is_refused(plain: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Check.model_validate(plain)


def test_what_each_is_measured_from_and_who_must_have_looked() -> None:
    events = {"renewed": {"host": HOST}, "updated": {"service": "web", "state": "paused"}}
    assert {check(**{key: value}).condition.kind for key, value in events.items()} == {"event"}
    assert check(router={"name": "app"}).condition.kind == "state"
    assert check(load={"sent": 1, "failed": 0}).condition.kind == "total"
    of_certificates = (check(renewed={"host": HOST}), check(certificate={"host": HOST}))
    assert {one.condition.source for one in of_certificates} == {"certificates"}
    assert check(router={"name": "app"}).condition.source == "routes"
    assert check(load={"sent": 1, "failed": 0}).condition.source == ""


def test_what_is_sent() -> None:
    sent: list[tuple[dict[str, Any], Request]] = [
        ({"http": {"host": HOST}}, Request(80, "/", HOST, "http")),
        ({"http": {"host": HOST, "https": True, "login": "wrong"}}, Request(443, "/", HOST, "https", "wrong")),
        ({"http": {"host": HOST, "https": True, "port": 8443}}, Request(8443, "/", HOST, "https")),
        ({"tcp": {"port": 9000, "says": "hi", "contains": "hi"}}, Request(9000, "", "", "tcp", "", "hi")),
    ]
    for plain, request in sent:
        assert check(**plain).condition.request == request


def test_a_host_is_not_a_port_and_a_login_not_another() -> None:
    plain = {"http": {"host": HOST, "https": True}}
    assert find(plain, START).why == "app.localhost has not been asked yet"
    others = saw(
        START,
        hit(host=""),
        hit(host="viz.localhost"),
        hit(login="wrong"),
        hit(protocol="http", port=80),
        hit(path="/b"),
    )
    assert find(plain, others).why == "app.localhost has not been asked yet"
    assert find(plain, saw(START, hit())) == Outcome(True, "1 of 1 requests to app.localhost were answered")


def test_a_wrong_password_is_refused_and_the_right_one_is_not() -> None:
    wrong = {"http": {"host": HOST, "https": True, "login": "wrong", "status": 401}}
    right = {"http": {"host": HOST, "https": True, "login": "right"}}
    world = saw(START, hit(status=401, login="wrong"), hit(login="right"))
    assert find(wrong, world).ok
    assert find(right, world).ok
    open_to_all = saw(START, hit(login="wrong"))
    assert find(wrong, open_to_all).why == "app.localhost of node1: answers 200"


@pytest.mark.parametrize(
    ("asks", "before", "why", "after"),
    [
        ({"contains": "hello"}, hit(body="bye"), "answers 200, without “hello”", hit(body="hello you")),
        ({"lacks": "error"}, hit(body="an error"), "answers 200, with “error”", hit(body="fine")),
        ({"version": "2"}, hit(version="1"), "answers 200, of version 1", hit(version="2")),
        ({"version": "2"}, hit(), "answers 200, of version unknown", hit(version="2")),
        (
            {"status": 302, "location": "https://"},
            hit(status=302, location="http://there"),
            "answers 302, to http://there",
            hit(status=302, location="https://app.localhost/"),
        ),
        ({"status": 302, "location": "x"}, hit(status=302), "answers 302, to nowhere", hit(status=302, location="x")),
        ({}, hit(status=502), "answers 502", hit()),
        ({}, hit(status=0, error="reset"), "no answer (reset)", hit()),
    ],
)
def test_what_an_answer_lacks(asks: dict[str, Any], before: Hit, why: str, after: Hit) -> None:
    plain = {"http": {"host": HOST, "https": True, **asks}}
    assert find(plain, saw(START, before)) == Outcome(False, f"app.localhost of node1: {why}")
    assert find(plain, saw(START, after)).ok
    everywhere = {"http": {"host": HOST, "https": True, "every_node": True, **asks}}
    all_but_one = saw(START, after, replace(after, node="node2"))
    assert find(everywhere, all_but_one).why == "app.localhost of node3: was not asked"
    assert find(everywhere, saw(all_but_one, replace(before, node="node3"))).why == f"app.localhost of node3: {why}"
    assert find(everywhere, saw(all_but_one, replace(after, node="node3"))).ok


def test_tcp() -> None:
    plain = {"tcp": {"port": 9000, "contains": "echo of", "every_node": True}}
    line: dict[str, Any] = {"port": 9000, "path": "", "host": "", "protocol": "tcp"}
    assert find(plain, START).why == "port 9000 has not been asked yet"
    told = saw(START, *(hit(n.name, body="echo of a", **line) for n in NODES))
    assert find(plain, told) == Outcome(True, "3 of 3 connections to port 9000 were answered")
    refused = saw(told, hit("node2", 0, error="refused", **line))
    assert find(plain, refused).why == "port 9000 of node2: no answer (refused)"
    other = saw(START, hit(body="220 ready", **line))
    one = {"tcp": {"port": 9000, "contains": "echo of"}}
    assert find(one, other).why == "port 9000 of node1: answers “220 ready”, without “echo of”"
    assert find(one, saw(other, hit("node2", body="echo of b", **line))).ok


def certificate(fingerprint: str = "a" * 64, issuer: str = "Pebble Intermediate CA 1") -> Certificate:
    return Certificate(fingerprint, "", issuer, (HOST,), "EC P-256", "1", 0.0, 100.0)


def shown(node: str, verdict: Verdict = "good", why: str = "", **more: Any) -> CertificateSeen:
    return CertificateSeen(HOST, node, verdict, why, 50.0, certificate(**more))


def test_certificates() -> None:
    plain = {"certificate": {"host": HOST, "issuer": "Pebble"}}
    tail = "not been asked for the certificate of app.localhost yet"
    assert find(plain, START).why == f"node1, node2, node3 have {tail}"
    assert find(plain, World()).why == f"the nodes have {tail}"
    one = saw(START, shown("node1"))
    assert find(plain, saw(one, shown("node2"))) == Outcome(False, f"node3 has {tail}")
    ordered = saw(one, shown("node2", "default", "no certificate for the name"), shown("node3"))
    assert find(plain, ordered).why == "node2 serves for app.localhost: default (no certificate for the name)"
    good = saw(ordered, shown("node2"))
    assert find(plain, good) == Outcome(True, "3 nodes: good, issued by Pebble Intermediate CA 1")
    other = {"certificate": {"host": HOST, "issuer": "Let's Encrypt"}}
    assert find(other, good).why.endswith("a certificate issued by Pebble Intermediate CA 1")
    assert not find({"certificate": {"host": "viz.localhost"}}, good).ok
    default = {"certificate": {"host": HOST, "state": "default"}}
    assert not find(default, good).ok
    assert find(default, saw(good, *(shown(n.name, "default") for n in NODES))).ok


def test_a_node_that_is_down_need_not_serve() -> None:
    plain = {"certificate": {"host": HOST}}
    silent = CertificateSeen(HOST, "node3", "unreachable", "refused")
    world = saw(START, shown("node1"), shown("node2"), silent)
    assert find(plain, world).why == "node3 serves for app.localhost: unreachable (refused)"
    assert find(plain, saw(world, SwarmChanged("node1", nodes=(replace(NODES[2], state="down"),)))).ok


def test_renewed() -> None:
    plain = {"renewed": {"host": HOST}}
    before = saw(START, *(shown(n.name) for n in NODES))
    assert find(plain, before, before) == Outcome(False, f"node1 still serves the certificate {'a' * 12}")
    half = saw(before, shown("node1", fingerprint="b" * 64))
    assert find(plain, half, before).why == f"node2 still serves the certificate {'a' * 12}"
    all_new = saw(before, *(shown(n.name, fingerprint="b" * 64) for n in NODES))
    assert find(plain, all_new, before) == Outcome(True, f"new for app.localhost: {'b' * 12}")
    assert not find(plain, all_new, all_new).ok, "a renewal before the step is none of its own"
    assert not find(plain, before, START).ok, "nothing was served before: that is an issue, no renewal"
    assert find(plain, all_new, START).ok, "issued and renewed, both since the step began"
    bad = saw(before, *(shown(n.name, "expired", fingerprint="b" * 64) for n in NODES))
    assert find(plain, bad, before).why == "node1 serves for app.localhost: expired"


APP = Router("app@swarm", "http", "Host(`app.localhost`)", "web@swarm")


def routes(*routers: Router, **more: Any) -> RoutesSeen:
    return RoutesSeen("live", routers=routers, **more)


def test_routers() -> None:
    plain = {"router": {"name": "app", "service": "web"}}
    assert find(plain, START).why == "Traefik's API has not been asked yet"
    assert find(plain, saw(START, RoutesSeen("refused", "401"))).why == "Traefik's API: refused (401)"
    inside = Router("api@internal", "http", "PathPrefix(`/api`)", "api@internal")
    assert find(plain, saw(START, routes(inside))).why == "no http router app; there are none"
    there = saw(START, routes(inside, APP))
    assert find(plain, there) == Outcome(True, "router app@swarm is enabled: Host(`app.localhost`) to web@swarm")
    other = saw(START, routes(replace(APP, service="old@swarm")))
    assert find(plain, other).why == "router app@swarm leads to old@swarm"
    assert not find({"router": {"name": "app", "protocol": "tcp"}}, there).ok
    assert find({"router": {"name": "echo"}}, there).why == "no http router echo; there are app@swarm"


def test_the_middlewares_of_a_router_and_their_order() -> None:
    plain = {"router": {"name": "app", "middlewares": ["headers", "users"]}}
    assert find(plain, saw(START, routes(APP))).why == "router app@swarm goes through no middleware"
    there = replace(APP, middlewares=("headers@file", "users@swarm"))
    assert find(plain, saw(START, routes(there))).ok
    turned = replace(APP, middlewares=("users@swarm", "headers@file"))
    assert find(plain, saw(START, routes(turned))).why == "router app@swarm goes through users, headers"
    none = {"router": {"name": "app", "middlewares": []}}
    assert find(none, saw(START, routes(APP))).ok and not find(none, saw(START, routes(there))).ok


def test_a_router_with_an_error_and_one_that_is_gone() -> None:
    broken = saw(START, routes(replace(APP, status="disabled", errors=("error while parsing rule",))))
    told = "router app@swarm is disabled: error while parsing rule"
    assert find({"router": {"name": "app"}}, broken) == Outcome(False, told)
    assert find({"router": {"name": "app", "status": "disabled", "error": "parsing"}}, broken).ok
    assert not find({"router": {"name": "app", "status": "disabled", "error": "middleware"}}, broken).ok
    gone = {"router": {"name": "app", "absent": True}}
    assert find(gone, broken).why == "Traefik still has the router app@swarm"
    assert find(gone, saw(START, routes())).ok
    assert not find(gone, START).ok, "who was not asked cannot say that there is none"


def moved(sent: int, bad: int = 0, *, running: bool = True) -> LoadReport:
    return LoadReport(running, 50.0, "https://app.localhost/", 1.0, sent, sent - bad, bad)


def test_load_counts_since_the_step_began() -> None:
    plain = {"load": {"sent": 50, "failed": 0}}
    assert find(plain, START).why == "no load is made"
    before = saw(START, moved(40, 3))
    assert find(plain, before, before).why == "0 of 50 requests were sent; 0 failed"
    assert find(plain, saw(before, moved(49)), before).why == "49 of 50 requests were sent; 0 failed"
    enough = saw(before, moved(49), moved(1))
    assert find(plain, enough, before) == Outcome(True, "0 of 50 requests failed")
    failed = saw(enough, moved(10, 2))
    assert find(plain, failed, before) == Outcome(False, "2 of 60 requests failed")
    ended = saw(failed, moved(0, running=False))
    assert find({"load": {"sent": 50, "failed": 2}}, ended, before).ok, "an account stays when the load ends"
    least = {"load": {"sent": 50, "failed_at_least": 3}}
    assert not find(least, failed, before).ok
    assert find(least, saw(failed, moved(1, 1)), before).ok
    most = {"load": {"sent": 50, "failed_at_most": 2}}
    assert find(most, failed, before).ok
    assert not find(most, saw(failed, moved(1, 1)), before).ok


def updated(world: World, state: str, message: str = "", started: float = 1.0) -> World:
    return saw(world, SwarmChanged("node1", services=(replace(WEB, status=UpdateStatus(state, message, started)),)))


def test_updated_counts_the_update_of_this_step() -> None:
    plain = {"updated": {"service": "web", "state": "completed"}}
    assert find(plain, START).why == "no update of web since the step began"
    going = updated(START, "updating")
    assert find(plain, going).why == "web: updating"
    assert [(wait.text, wait.since) for wait in find(plain, going).waits] == [("web: updating", 2.0)]
    done = updated(going, "completed", "update completed")
    assert find(plain, done) == Outcome(True, "web: completed (update completed)")
    assert find(plain, done, done).why == "no update of web since the step began"
    assert find(plain, updated(done, "completed", "update completed", started=9.0), done).ok, "the next one"
    paused = updated(going, "paused", "update paused due to failure")
    assert find(plain, paused).why == "web: paused (update paused due to failure)"
    assert find({"updated": {"service": "web", "state": "paused"}}, paused).ok
    back = {"updated": {"service": "web", "state": "rollback_completed"}}
    assert find(back, updated(paused, "rollback_started"), paused).why == "web: rollback started"
    assert find(back, updated(paused, "rollback_completed"), paused).ok
    assert find({"updated": {"service": "api", "state": "paused"}}, paused).why == "there is no service api"


def test_a_nodes_label() -> None:
    plain = {"node": {"name": "node1", "label": "edge=true"}}
    assert find(plain, START) == Outcome(False, "node1 is a manager, ready, active, the leader; labels: none")
    other = saw(START, SwarmChanged("node1", nodes=(replace(NODES[0], labels={"edge": "false", "rack": "a"}),)))
    assert find(plain, other).why == "node1 is a manager, ready, active, the leader; labels: edge=false, rack=a"
    assert find(plain, saw(START, SwarmChanged("node1", nodes=(replace(NODES[0], labels={"edge": "true"}),)))).ok


def test_captured_values_are_put_in() -> None:
    plain = check(http={"host": "node-app.{{domain}}", "https": True})
    assert plain.fill({"domain": "example.org"}).sentence == "https://node-app.example.org/ answers 200"
    assert check(renewed={"host": "{{host}}"}).fill({"host": "a.b"}).condition.source == "certificates"
