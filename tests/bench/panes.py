"""What one draw of each view costs: the demo deployed and in motion, two minutes of load, an update under way."""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256

from lab.panes import other_panes
from lab.tui.panes import find_module
from lab.world.entries import AcmeTold, Entry, Fact, Failure, Hit, LoadReport, SwarmChanged, TrafficSeen
from lab.world.load import BUCKETS, bucket
from lab.world.swarm import Task, UpdateConfig, UpdateStatus
from lab.world.world import World, fold
from tests.tui import edge

Figures = Mapping[str, float | int | str]

ROOM, HEIGHT = 118, 40
SECONDS = 120
HOSTS = ("node-app.localhost", "traefik.localhost", "viz.localhost")
RATE = 50
"""Requests a second."""


def pane_draw(draws: int = 60) -> Figures:
    """Milliseconds of CPU for one draw of a view, the median. Each draw is of a new world, as in life: nothing of the
    draw before can be taken again."""
    took: dict[str, list[float]] = {pane.id: [] for pane in other_panes()}
    now = demo()
    for number in range(draws):
        for fact in _second(SECONDS + number):
            now = fold(now, Entry(float(SECONDS + number), fact))
        for view, times in took.items():
            lines = find_module(view).lines
            began = time.process_time()
            lines(now, ROOM, HEIGHT, now.at + 0.5)
            times.append(1000 * (time.process_time() - began))
    medians = {f"{view}_ms": round(statistics.median(times), 2) for view, times in took.items()}
    return {**medians, "draws": draws}


def demo() -> World:
    """The demo after two minutes."""
    told = [AcmeTold((host,), stage, "") for host in HOSTS for stage in ("ordering", "proving", "issued")]
    seen = [fact for host in HOSTS for fact in edge.served(host, edge.certificate(host))]
    now = edge.deployed(edge.ROUTES, *told, *seen, _update())
    for second in range(1, SECONDS):
        for fact in _second(second):
            now = fold(now, Entry(float(second), fact))
    return now


def _update() -> SwarmChanged:
    """The backend's update: the first of three slots is new."""
    backend = next(one for one in edge.SERVICES if one.name == "app_backend")
    spec = replace(backend.spec, image="backend:2", update=UpdateConfig(1, 2.0, "start-first", "pause", 10.0, 0.25))
    moved = replace(backend, spec=spec, template_digest="new", status=UpdateStatus("updating", "", started=2.0))
    old = [replace(task, container=_container(task.id), template_digest="old") for task in edge.TASKS]
    first = next(task for task in old if task.service == backend.id)
    gone = replace(first, state="shutdown", desired="shutdown", changed=4.0)
    fresh = Task("app_backend.1.new", backend.id, 1, "n2", "running", "running", 2.0, 3.0, template_digest="new")
    return SwarmChanged("node1", services=(moved,), tasks=(fresh, *old, gone))


def _container(task: str) -> str:
    """A container's id, short as its host name is."""
    return sha256(task.encode()).hexdigest()[:12]


def _second(number: int) -> Iterator[Fact]:
    """What a second brings: the load's report, a round of the mesh, Traefik's counters."""
    counts = [0] * BUCKETS
    for place in range(RATE):
        counts[bucket(3.0 + (place * 37 + number * 11) % 90)] += 1
    bad = 1 if number % 30 == 0 else 0
    failures = tuple(Failure(0.4, "node4", 502, "", 31.0) for _ in range(bad))
    yield LoadReport(
        True,
        RATE,
        f"https://{HOSTS[0]}/",
        1.0,
        RATE,
        RATE - bad,
        bad,
        2,
        1.5,
        tuple(counts),
        (),
        failures,
    )
    for place in range(1, 5):
        web, front = (_container(f"{name}.{1 + (number + place) % 2}") for name in ("web", "app_frontend"))
        back = _container(f"app_backend.{2 + (number + place) % 2}")
        yield Hit(f"node{place}", 8080, "/", 200, web, 5.0)
        yield Hit(f"node{place}", 443, "/", 200, back, 12.0, host=HOSTS[0], protocol="https", front=front)
    yield TrafficSeen(tuple(replace(row, good=row.good + RATE * number) for _, row in _ROWS))


_ROWS = [(at, row) for at, fact in edge.traffic(0, 0)[:1] if isinstance(fact, TrafficSeen) for row in fact.rows]
