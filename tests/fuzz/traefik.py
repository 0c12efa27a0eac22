"""What Traefik answers: its API and metrics through the source that asks, and single answers read on their own."""

from __future__ import annotations

import base64
import json
import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.watch import traefik_api
from lab.watch.source import PollInterval
from lab.watch.traefik import TraefikSource
from lab.world.entries import Entry, RoutesSeen, TrafficSeen
from lab.world.journal import Journal
from tests.doubles.https import Asked
from tests.doubles.raw import RawServer, answer, path_of
from tests.doubles.tls import server_context, sign
from tests.doubles.traefik import HOST, LOGIN, METRICS, Traefik
from tests.fuzz.kept import goes_on, keepable
from tests.fuzz.surface import Surface, threads_that_raise
from tests.fuzz.values import latin, mutated_text, mutated_value, noise, odd, odd_text, raw

CHARSETS = (
    *(
        "base64",
        "rot13",
        "hex",
        "zlib",
        "bz2",
        "uu",
        "nope",
        "",
        "undefined",
        "idna",
        "punycode",
        "utf-7",
        "utf-16",
        "utf-32",
    ),
    *("unicode_escape", "raw_unicode_escape", "mbcs", "utf-8-sig", "cp037", "\x00", '"', "x" * 3000),
)
_PATHS = (
    *("/api/version", "/api/entrypoints", "/api/certificates", "/metrics"),
    *(f"/api/{protocol}/{kind}" for protocol in ("http", "tcp") for kind in ("routers", "services", "middlewares")),
)
_LISTS = Traefik().lists
_GOOD = {"X-Next-Page": "1", "Content-Type": "application/json"}


def odd_headers(rng: Random) -> dict[str, str]:
    """Headers that no good server sends."""
    return rng.choice((
        {"Content-Type": f"text/plain; charset={rng.choice(CHARSETS)}"},
        {"Content-Type": f"application/json; charset={rng.choice(CHARSETS)}"},
        {"X-Next-Page": rng.choice(("-1", "2", "99999999999999999999", "²", "x", "", "9" * 5000))},
        {"Content-Encoding": rng.choice(("gzip", "deflate", "br", "zstd", "nope"))},
        {"Transfer-Encoding": rng.choice(("chunked", "gzip, chunked", "nope"))},
        {"Content-Length": rng.choice(("0", "5", "-1", "x", "99999999999"))},
        {"Location": odd_text(rng), "X-Replica": odd_text(rng), "X-Version": odd_text(rng)},
        {odd_text(rng): odd_text(rng)},
    ))  # fmt: skip


def odd_answer(rng: Random, body: str) -> str:
    """An answer with this body, something about it odd, as a latin-1 text."""
    match rng.randrange(8):
        case 0:
            return latin(answer(body, rng.choice((0, 100, 204, 301, 401, 404, 500, 503, 599, 999, "x")), dict(_GOOD)))
        case 1 | 2 | 3:
            return latin(answer(body, 200, {**_GOOD, **odd_headers(rng)}))
        case 4:
            return latin(raw(mutated_text(rng, latin(answer(body, 200, dict(_GOOD))))))
        case 5:
            return latin(answer(bytes(rng.randrange(256) for _ in range(rng.randint(0, 60))), 200, odd_headers(rng)))
        case _:
            return latin(answer(body, 200, dict(_GOOD)))


def _body(rng: Random, path: str) -> str:
    what = path.removeprefix("/api/")
    if what == "/metrics":
        return mutated_text(rng, METRICS % 38)
    good = _LISTS.get(what, {"Version": "3.7.15"})
    if rng.random() < 0.2:
        return mutated_text(rng, json.dumps(good))
    return json.dumps(mutated_value(rng, good))


def _draw(rng: Random) -> Any:
    return {path: odd_answer(rng, _body(rng, path)) for path in rng.sample(_PATHS, rng.choice((1, 1, 2)))}


@cache
def _server() -> RawServer:
    with tempfile.TemporaryDirectory() as folder:
        context = server_context(Path(folder), (sign("TRAEFIK DEFAULT CERT"),))
    return RawServer(lambda _: b"", context)


def _source(value: Any) -> None:
    server, traefik, odd_ones = _server(), Traefik(), dict(value)
    login = "Basic " + base64.b64encode(":".join(LOGIN).encode()).decode()

    def reply(asked: bytes) -> bytes:
        path = path_of(asked)
        if (said := odd_ones.get(path.partition("?")[0])) is not None:
            return raw(said)
        good = traefik.answer(Asked(path, HOST, login))
        return answer(good.body, good.status, good.headers)

    server.reply = reply
    journal, told = Journal(), list[Entry]()
    journal.read(lambda entry, _: told.append(entry))
    node = Endpoint("node1", "manager", "tcp://127.0.0.1:1", published={443: ("127.0.0.1", server.port)})
    with threads_that_raise() as raised:
        source = TraefikSource(journal, (node,), lambda _: HOST, None, interval=PollInterval(60, 60, 60, 0))
        source.start()
        try:
            goes_on(journal, lambda world: world.edge.routes is not None, raised, lambda: None, "Traefik's view")
            odd_ones.clear()
            traefik.version["Version"] = "again"
            goes_on(
                journal,
                lambda world: world.edge.routes is not None and world.edge.routes.version == "again",
                raised,
                source.wake,
                "Traefik's view",
            )
        finally:
            source.close()
    keepable(entry.fact for entry in told)


def _api(value: Any) -> None:
    what, body = value
    try:
        if what == "metrics":
            facts: list[Any] = [TrafficSeen(traefik_api.traffic("/metrics", body))]
        elif what == "version":
            facts = [RoutesSeen("live", version=traefik_api.version("/x", body))]
        elif what == "entrypoints":
            facts = [RoutesSeen("live", entrypoints=traefik_api.entrypoints("/x", body).values)]
        elif what == "certificates":
            facts = [RoutesSeen("live", certificates=traefik_api.certificates("/x", body).values)]
        elif what.endswith("routers"):
            facts = [RoutesSeen("live", routers=traefik_api.routers("/x", body, "http").values)]
        elif what.endswith("services"):
            facts = [RoutesSeen("live", balancers=traefik_api.balancers("/x", body, "http").values)]
        else:
            facts = [RoutesSeen("live", middlewares=traefik_api.middlewares("/x", body, "http").values)]
    except EngineError:
        return
    keepable(facts)


def _draw_api(rng: Random) -> Any:
    what = rng.choice(("metrics", "version", *_LISTS))
    if what == "metrics":
        return [what, mutated_text(rng, METRICS % 38) if rng.random() < 0.9 else noise(rng, METRICS.split())]
    good = _LISTS.get(what, {"Version": "3.7.15"})
    return [what, mutated_value(rng, good) if rng.random() < 0.95 else odd(rng)]


SOURCE = Surface(
    "traefik",
    _draw,
    _source,
    known=tuple(
        {path: latin(answer(body, 200, {"Content-Type": f"application/json; charset={charset}"}))}
        for path, body in (
            ("/api/version", '{"Version": "3"}'),
            ("/metrics", METRICS % 1),
            ("/api/entrypoints", "nonsense"),
        )
        for charset in ("base64", "rot13", "nope")
    )[:7],
    share=0.8,
    fast=30,
)
API = Surface(
    "traefik-answers",
    _draw_api,
    _api,
    known=(["version", {"Version": "\ud800"}], ["certificates", [{"name": "a", "notBefore": "9" * 400}]]),
    share=2,
    fast=300,
)
