"""The whole demo as a journal: two minutes in which it runs under load, is updated, and loses a task. Every time in it
is pinned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from math import inf

from lab.lesson.model import Lesson, Reading
from lab.world.entries import (
    AcmeTold,
    CertificateSeen,
    CommandBegan,
    EngineEvent,
    Entry,
    Failure,
    Hit,
    LoadReport,
    SwarmChanged,
    TrafficSeen,
)
from lab.world.load import BUCKETS
from lab.world.swarm import Service, Task, UpdateConfig, UpdateStatus
from lab.world.traefik import Traffic
from tests.tui.edge import FIRST, NODES, ROUTES, WALL, certificate, served
from tests.tui.fake import LESSON, FakeStage

EPOCH = 1_800_000_000.0
"""The managers' clock when the journal began."""
HOSTS = ("node-app.localhost", "traefik.localhost")
TARGET = "https://node-app.localhost/"
POLICY = UpdateConfig(1, 2.0, "start-first", "pause", 5.0, 0.2)
DIED = 95.2
HEIRS = {("app_frontend", 1): 98.1, ("app_backend", 1): 104.0, ("app_backend", 2): 117.0}
"""From when on another task serves a slot."""
_SHAPE = (0, 0, 0, 0, 2, 5, 9, 12, 9, 6, 3, 2, 1, 1)
"""How a second's 50 requests fall into buckets."""


def _container(name: str, slot: int, at: float = 0.0) -> str:
    """The id of the container of a service's slot at a time."""
    fresh = at >= HEIRS.get((name, slot), inf)
    return f"{sum(map(ord, name)) % 240 + slot:02x}{slot + 16 * fresh:02x}" * 16


def _task(task: Task, **more: object) -> Task:
    """A task of the demo, with its container and what it was made from."""
    made = replace(task, container=_container(task.service, task.slot), created=EPOCH - 9, changed=EPOCH - 6)
    return replace(made, image="backend:1" if task.service == "app_backend" else "", template_digest="old", **more)  # type: ignore[arg-type]


TASKS = tuple(_task(task) for task in FIRST.tasks)


def _service(service: Service, state: str = "", digest: str = "old", version: str = "1") -> Service:
    if service.name != "app_backend":
        return replace(service, template_digest="old")
    spec = replace(service.spec, image=f"backend:{version}", update=POLICY)
    times = UpdateStatus(state, "", EPOCH + 100 if state else 0.0)
    return replace(service, spec=spec, template_digest=digest, status=times)


BEGAN = replace(FIRST, services=tuple(_service(each) for each in FIRST.services), tasks=TASKS)
BACKEND = next(each for each in FIRST.services if each.name == "app_backend")


def _report(at: float, failures: tuple[Failure, ...] = (), slower: int = 0) -> Entry:
    """A second of load; `slower` moves the latencies up by so many buckets."""
    counts = [0] * BUCKETS
    for place, count in enumerate(_SHAPE):
        counts[place + slower] += count
    turn = int(at) % 7  # no second is quite as the one before
    counts[6 + slower] += turn
    counts[7 + slower] -= turn
    bad = len(failures)
    return Entry(at, LoadReport(True, 50.0, TARGET, 1.0, 50, 50 - bad, bad, 3, 1.2, tuple(counts), (), failures))


def _load() -> Iterator[Entry]:
    for second in range(20, 121):
        failures: tuple[Failure, ...] = ()
        if second == 96:
            failures = (Failure(0.6, "node3", 502, "", 34.2), Failure(0.1, "node4", 0, "connection refused", 2.0))
        yield _report(float(second), failures, 3 if 96 <= second <= 99 else 0)


def _hits() -> Iterator[Entry]:
    straight = Hit("", 8080, "/", 200, "", 11.0)
    routed = Hit("", 443, "/", 200, "", 31.0, host=HOSTS[0], protocol="https", version="1")
    for turn in range(14):
        for place, node in enumerate(NODES, 1):
            at = 60.0 + 4 * turn + place / 10
            slot = (turn + place) % 2 + 1
            yield Entry(at, replace(straight, node=node.name, replica=_container("web", slot)[:12], ms=9.0 + turn))
            alive = 2 if DIED <= at < HEIRS["app_frontend", 1] else slot
            front, behind = _container("app_frontend", alive, at)[:12], _container("app_backend", turn % 3 + 1, at)[:12]
            hit = replace(routed, node=node.name, front=front, replica=behind, ms=28.0 + turn)
            failed = turn == 9 and place == 3
            yield Entry(at, replace(hit, status=502, replica="", front="") if failed else hit)


def _edge() -> Iterator[Entry]:
    for host in HOSTS:
        yield Entry(6.0, AcmeTold((host,), "ordering", f"Trying to obtain a certificate for {host}"))
        yield Entry(8.0, AcmeTold((host,), "proving", f"Trying to solve TLS-ALPN-01 for {host}"))
        yield Entry(11.0, AcmeTold((host,), "issued", f"The server issued a certificate for {host}"))
    for host, one in zip(HOSTS, ROUTES.certificates, strict=True):
        yield from (
            Entry(12.0, replace(fact, now=WALL)) for fact in served(host, one) if isinstance(fact, CertificateSeen)
        )
    default = certificate(
        "TRAEFIK DEFAULT CERT", "d0d0d0d0d0d0d0d0", issuer="TRAEFIK DEFAULT CERT", chain=("TRAEFIK DEFAULT CERT",)
    )
    yield from (Entry(13.0, fact) for fact in served("viz.localhost", default, "default"))
    yield Entry(14.0, ROUTES)
    for at in range(20, 121, 5):
        many = 50 * (at - 20)
        rows = (Traffic("app@swarm", good=many, bad=3 if at > 95 else 0), Traffic("api@internal", good=at))
        yield Entry(float(at), TrafficSeen(rows))


def _update() -> Iterator[Entry]:
    """The backend's second version, one task after the other; while it goes, a task of the frontend dies."""
    old = [task for task in TASKS if task.service == "app_backend"]

    def new(slot: int, state: str, at: float) -> Task:
        made = replace(
            old[slot - 1],
            id=f"new.{slot}",
            template_digest="new",
            state=state,
            created=EPOCH + 100.1 + 6.4 * (slot - 1),
        )
        return replace(made, changed=EPOCH + at, container=_container("app_backend", slot, inf))

    front = next(task for task in TASKS if task.id == "app_frontend.1")
    dead = replace(front, state="failed", desired="shutdown", exit=137, changed=EPOCH + DIED)
    heir = replace(front, id="app_frontend.1b", created=EPOCH + 95.4, changed=EPOCH + 98.0)
    heir = replace(heir, container=_container("app_frontend", 1, inf))
    going = _service(BACKEND, "updating", "new", "2")
    yield Entry(92.0, CommandBegan(1, "node1", "docker kill 3f1c9a7be2d4"))
    yield Entry(DIED, EngineEvent("node2", "container", "die", "c", front.id, EPOCH + DIED, front.id, 137))
    yield Entry(95.6, SwarmChanged("node1", tasks=(dead, replace(heir, state="preparing", changed=EPOCH + 95.4))))
    yield Entry(98.1, SwarmChanged("node1", tasks=(heir,)))
    yield Entry(100.0, CommandBegan(2, "node1", "docker service update --image backend:2 app_backend"))
    yield Entry(100.2, SwarmChanged("node1", services=(going,), tasks=(new(1, "preparing", 100.1),)))
    yield Entry(104.0, SwarmChanged("node1", tasks=(new(1, "running", 104.0), _ended(old[0], 104.5))))
    yield Entry(107.0, SwarmChanged("node1", tasks=(new(2, "preparing", 106.8),)))
    yield Entry(117.0, SwarmChanged("node1", tasks=(new(2, "running", 117.0), _ended(old[1], 117.0))))


def _ended(task: Task, at: float) -> Task:
    return replace(task, state="shutdown", desired="shutdown", changed=EPOCH + at)


def entries() -> tuple[Entry, ...]:
    """All of it, to second 120."""
    told = (Entry(0.5, BEGAN), *_edge(), *_load(), *_hits(), *_update())
    return tuple(sorted(told, key=lambda entry: entry.at))


LABELS = """\
deploy:
  labels:
    traefik.enable: "true"
    # Who may come in: everybody who asks for this name.
    traefik.http.routers.app.rule: Host(`node-app.localhost`)
    traefik.http.routers.app.entrypoints: websecure
    traefik.http.services.app.loadbalancer.server.port: "80\""""
READS = (
    Reading.model_validate(
        {
            "file": "app.yaml",
            "block": "services/frontend/networks",
            "says": "It is on **two** networks: `edge`, where Traefik finds it, and the application's own.",
            "became": {"service": "app_frontend"},
            "excerpt": "networks: [edge, inside]",
        }
    ),
    Reading.model_validate(
        {
            "file": "app.yaml",
            "block": "services/frontend/deploy/labels",
            "says": "Labels are all that Traefik needs: no file of routes is written.",
            "became": {"router": "app"},
            "excerpt": LABELS,
        }
    ),
    Reading.model_validate(
        {
            "file": "app.yaml",
            "block": "configs/nginx",
            "says": "A config cannot be changed: a new one gets a new name.",
            "became": {"config": "nginx-2"},
            "excerpt": "configs:\n  nginx:\n    name: nginx-${NGINX_CONFIG:-1}\n"
            "    file: ./app/nginx-${NGINX_CONFIG:-1}.conf",
        }
    ),
)


def reading_lesson() -> Lesson:
    """The lesson whose first step reads the blocks."""
    first = LESSON.steps[0].model_copy(update={"reads": READS})
    return LESSON.model_copy(update={"steps": (first, *LESSON.steps[1:])})


def stage() -> FakeStage:
    """A live stage on which the demo has been running for two minutes."""
    made = FakeStage()
    made.taught = (reading_lesson(),)
    made.journal.put_all(entries())
    return made
