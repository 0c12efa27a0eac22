"""What the world knows of the edge and of load, folded from entries: totals, histograms, and the timeline's words."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.watch.load.schedule import LoadStats
from lab.world.entries import AcmeTold, CertificateSeen, Entry, Failure, LoadReport, RoutesSeen, TrafficSeen
from lab.world.load import (
    BUCKETS,
    KEEP_TICKS,
    LONGEST,
    STEPS,
    Load,
    bucket,
    latencies,
    percentile,
    reaches,
    step,
    step_reaches,
)
from lab.world.traefik import Certificate, Router, Traffic
from lab.world.world import World, fold, fold_all

GOOD = Certificate("aa", "", "Pebble Intermediate CA 1", ("viz.localhost",), "EC P-256", "1", 0.0, 100.0)
OWN = Certificate("bb", "TRAEFIK DEFAULT CERT", "TRAEFIK DEFAULT CERT", (), "RSA 2048", "2", 0.0, 100.0)
ticks = st.builds(
    LoadReport,
    running=st.booleans(),
    rate=st.floats(0, 500),
    target=st.just("https://node-app.localhost/"),
    sent=st.integers(0, 50),
    good=st.integers(0, 50),
    bad=st.integers(0, 50),
)


def texts(world: World) -> list[str]:
    return [change.text for change in world.changes]


def folded(*facts: object) -> World:
    return fold_all(Entry(float(at), fact) for at, fact in enumerate(facts, 1))  # type: ignore[arg-type]


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_a_bucket_holds_what_it_reaches(one: float, other: float) -> None:
    index = bucket(one)
    assert 0 <= index < BUCKETS
    assert one <= reaches(index) * (1 + 1e-9)
    assert index == 0 or one > reaches(index - 1) * (1 - 1e-9)
    assert bucket(min(one, other)) <= bucket(max(one, other))


def reported(values: Iterable[float]) -> Mapping[float, int]:
    """Latencies as they come back from the reports of a load."""
    tally = LoadStats(0.0)
    for value in values:
        tally.send(0.0)
        tally.end(value / 1000, 0.0, "node1", 200)
    return latencies([tally.report(1.0, running=True, rate=1.0, target="port 80 /", in_flight=0)])


@given(st.lists(st.floats(0.1, 20_000), min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_percentile_is_not_exceeded_by_its_share(values: list[float], share: float) -> None:
    found = percentile(reported(values), share)
    assert sum(value <= found * (1 + 1e-9) for value in values) >= math.floor(share * len(values) + 1e-9)
    assert percentile({}, share) == 0.0


chance = random.Random(7)
MANY = 20_000
LATENCIES = {
    "lognormal": [chance.lognormvariate(3.5, 0.6) for _ in range(MANY)],
    "uniform": [chance.uniform(2, 900) for _ in range(MANY)],
    "bimodal": [chance.gauss(*((8, 0.4) if chance.random() < 0.8 else (450, 20))) for _ in range(MANY)],
    "fast": [chance.uniform(0.05, 0.4) for _ in range(MANY)],
}


@pytest.mark.parametrize("kind", LATENCIES)
def test_a_percentile_is_at_most_a_few_percent_too_long(kind: str) -> None:
    values = sorted(LATENCIES[kind])
    found = reported(values)
    for share in (0.5, 0.9, 0.99):
        exact = values[math.ceil(share * MANY) - 1]
        assert exact <= percentile(found, share) * (1 + 1e-9)
        assert percentile(found, share) <= exact * 1.03


def test_an_old_tapes_reports_are_still_counted_by_their_buckets() -> None:
    counts = [0] * BUCKETS
    counts[bucket(30)], counts[bucket(10**9)] = 9, 1
    old = LoadReport(True, 50.0, "port 8080 /", good=10, counts=tuple(counts))
    assert percentile(latencies([old, old]), 0.5) == reaches(bucket(30))
    assert percentile(latencies([old]), 1.0) == LONGEST
    assert percentile(latencies([old, replace(old, steps=((step(2000.0), 40),))]), 0.5) == step_reaches(step(2000.0))


@given(st.floats(0, 1e12))
def test_a_step_reaches_as_far_as_what_it_holds(ms: float) -> None:
    assert 0 <= step(ms) <= STEPS
    assert step_reaches(step(ms)) >= min(ms, LONGEST) * (1 - 1e-9)


@given(st.lists(ticks, max_size=30))
def test_totals_are_the_sums_of_the_reports(reports: list[LoadReport]) -> None:
    world = folded(*reports)
    assert world.load.sent == sum(r.sent for r in reports)
    assert world.load.bad == sum(r.bad for r in reports)
    assert world.load.count_since(Load()) == (world.load.sent, world.load.good, world.load.bad)
    assert len(world.load.ticks) == min(KEEP_TICKS, len(reports))


def test_the_timeline_tells_when_load_begins_changes_fails_and_ends() -> None:
    tick = LoadReport(True, 50.0, "port 8080 /", sent=25, good=25)
    failed = replace(tick, bad=2, failures=(Failure(0.2, "node3", 502, "", 31.0),))
    world = folded(tick, tick, replace(tick, rate=1.0), failed, replace(tick, running=False, rate=0.0))
    assert texts(world) == [
        "load: 50 requests a second to port 8080 /",
        "load: 1 request a second to port 8080 /",
        "load: 50 requests a second to port 8080 /",
        "load: 2 requests failed (status 502)",
        "load: off",
    ]
    many = folded(*[failed] * 6)
    assert [t for t in texts(many) if "failed" in t] == [
        "load: 2 requests failed (status 502)",
        "load: 10 requests failed (status 502)",
    ]
    assert world.load.failures == ((3.8, failed.failures[0]),)


def test_an_order_is_told_when_it_moves_not_at_every_line_of_the_log() -> None:
    lines = [
        AcmeTold((), "ordering", "Register..."),
        AcmeTold((), "ordering", "Registering the account."),
        AcmeTold(("a.localhost",), "ordering", "Obtaining a certificate."),
        AcmeTold(("a.localhost",), "proving", "The server validated our request."),
        AcmeTold(("b.localhost",), "ordering", "Trying to obtain one for b.localhost"),
        AcmeTold(("a.localhost",), "proving", "Waiting for certificates."),
        AcmeTold(("a.localhost",), "issued", "Server responded with a certificate."),
        AcmeTold(("b.localhost",), "failed", "no"),
        AcmeTold(("b.localhost",), "failed", "no"),
    ]
    assert texts(folded(*lines)) == [
        "ACME: Register...",
        "ACME: a.localhost: Obtaining a certificate.",
        "ACME: a.localhost: The server validated our request.",
        "ACME: Trying to obtain one for b.localhost",
        "ACME: a.localhost: Server responded with a certificate.",
        "ACME: b.localhost: no",
        "ACME: b.localhost: no",
    ]
    assert len(folded(*lines).edge.acme) == len(lines)


def test_failed_requests_are_told_with_their_reasons_the_most_frequent_first() -> None:
    refused, bad = Failure(0.1, "node1", 0, "refused", 2.0), Failure(0.2, "node2", 502, "", 31.0)
    first = LoadReport(True, 50.0, "port 8080 /", sent=50, good=47, bad=3, failures=(bad, refused, refused))
    later = LoadReport(True, 50.0, "port 8080 /", sent=50, good=49, bad=1, failures=(bad,))
    told = [text for text in texts(folded(first, *[later] * 6)) if "failed" in text]
    assert told == ["load: 3 requests failed (refused, status 502)", "load: 5 requests failed (status 502)"]
    untold = LoadReport(True, 50.0, "port 8080 /", sent=50, bad=50)
    assert "load: 50 requests failed (no reason told)" in texts(folded(untold))


def test_a_certificate_is_told_once_for_all_nodes_and_again_when_it_changes() -> None:
    own = CertificateSeen("viz.localhost", "node1", "default", "", 1.0, OWN)
    good = CertificateSeen("viz.localhost", "node1", "good", "", 2.0, GOOD)
    world = folded(own, replace(own, node="node2"), good, replace(good, node="node2"), replace(good, now=40.0))
    assert texts(world) == [
        "viz.localhost: Traefik's own default certificate, first seen on node1",
        "viz.localhost: a certificate from Pebble Intermediate CA 1, first seen on node1",
    ]
    assert world.edge.certificates["viz.localhost", "node1"] == (5.0, replace(good, now=40.0))


def test_a_node_that_is_not_reached_is_told_with_its_reason() -> None:
    seen = CertificateSeen("viz.localhost", "node1", "good", "", 2.0, GOOD)
    gone = CertificateSeen("viz.localhost", "node1", "unreachable", "connection refused", 9.0)
    assert texts(folded(seen, gone))[-1] == "viz.localhost on node1: unreachable (connection refused)"


def test_routers_that_come_go_and_are_wrong_are_told() -> None:
    router = Router("hello@swarm", "http", "Host(`hello.localhost`)", "hello")
    live = RoutesSeen("live", routers=(router,))
    wrong = RoutesSeen("live", routers=(replace(router, status="disabled", errors=("invalid rule",)),))
    world = folded(RoutesSeen("live"), live, wrong, RoutesSeen("live"), RoutesSeen("refused", "401"))
    assert texts(world) == [
        "Traefik: router hello@swarm routes Host(`hello.localhost`) to hello",
        "Traefik: router hello@swarm is disabled: invalid rule",
        "Traefik: router hello@swarm is gone",
        "Traefik's API: refused (401)",
    ]
    assert world.edge.routes == RoutesSeen("refused", "401")


def test_an_order_that_fails_is_bad_news() -> None:
    world = folded(AcmeTold(("shop.localhost",), "failed", "no such name"))
    assert world.changes[-1].tone == "bad"
    assert world.edge.acme[-1][1].hosts == ("shop.localhost",)


def test_counts_are_kept_with_their_times() -> None:
    world = folded(TrafficSeen((Traffic("app@swarm", good=1),)), TrafficSeen((Traffic("app@swarm", good=5, bad=1),)))
    assert [(at, row.good) for at, row in world.edge.traffic["service:app@swarm"]] == [(1.0, 1), (2.0, 5)]
    assert fold(world, Entry(3.0, TrafficSeen(()))).edge.traffic == world.edge.traffic
