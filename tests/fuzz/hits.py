"""Requests to published ports, whatever is behind them: HTTP or not, each ends in a Hit."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from lab.engine.endpoint import Endpoint
from lab.watch.probe import probe_nodes
from lab.world.request import Request
from tests.doubles.raw import RawServer, answer
from tests.fuzz.kept import keepable
from tests.fuzz.surface import Broken, Surface, readable
from tests.fuzz.traefik import CHARSETS, odd_answer
from tests.fuzz.values import latin, mutated_text, raw


@cache
def _server() -> RawServer:
    return RawServer(lambda _: b"")


def _draw(rng: Random) -> Any:
    body = mutated_text(rng, rng.choice(("hello from web.1\nsecond", "<html>", '{"a": 1}', "x" * 3000)))
    return [rng.choice(("http", "http", "tcp")), odd_answer(rng, body)]


def _hold(value: Any) -> None:
    protocol, said = value
    server, data = _server(), raw(said)
    server.reply = lambda _: data
    node = Endpoint("node1", "manager", "tcp://127.0.0.1:1", published={8080: ("127.0.0.1", server.port)})
    hits = probe_nodes([node], Request(8080, protocol=protocol, says="hello" if protocol == "tcp" else ""))
    if len(hits) != 1:
        raise Broken("a request that is no hit", f"{hits!a}")
    keepable(hits)
    readable(hits[0].error.replace("\r", ""), "the error of a hit")


SURFACE = Surface(
    "hits",
    _draw,
    _hold,
    known=tuple(
        ["http", latin(answer("hello", 200, {"Content-Type": f"text/plain; charset={charset}"}))]
        for charset in CHARSETS[:8]
    ),
    fast=80,
)
