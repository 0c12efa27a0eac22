"""Lines of Traefik's log, and the frames in which an engine gives them."""

from __future__ import annotations

import json
import struct
from functools import cache
from random import Random
from typing import Any

import docker

from lab.engine.endpoint import Endpoint
from lab.watch.acme import AcmeSource, parse_log_line
from lab.watch.source import PollInterval
from lab.world.entries import Entry
from lab.world.journal import Journal
from tests.doubles.logs import line
from tests.doubles.raw import RawServer, answer
from tests.fuzz.kept import goes_on, keepable
from tests.fuzz.surface import Surface, threads_that_raise
from tests.fuzz.values import latin, mutated_text, mutated_tree, odd_text, raw

_MESSAGES = (
    "Register...",
    "Obtaining bundled SAN certificate.",
    "Trying to solve TLS-ALPN-01.",
    "Server responded with a certificate.",
    "Renewing ACME certificate: {Main:node-app.localhost SANs:[]}",
    "Unable to obtain ACME certificate for domains",
)
GOOD = line("Server responded with a certificate.", domains="good.localhost")


def _line(rng: Random) -> str:
    text = line(
        rng.choice(_MESSAGES), domains=rng.choice(("a.org, b.org", ["x.localhost"])), error="why", level="error"
    )
    if rng.random() < 0.4:
        return mutated_text(rng, text)
    return json.dumps(mutated_tree(rng, json.loads(text)), ensure_ascii=rng.random() < 0.5)


def _told(text: Any) -> None:
    fact = parse_log_line(text)
    if fact is not None:
        keepable([fact])


def _frames(rng: Random) -> Any:
    """Frames of lines, some of them damaged, as a latin-1 text."""
    found = b""
    for _ in range(rng.randint(1, 4)):
        data = _line(rng).encode("utf-8", "surrogatepass") + rng.choice((b"\n", b"\n", b"", b"\r\n\n"))
        head = struct.pack(">BxxxL", rng.choice((1, 2, 0, 3, 255)), rng.choice((len(data), len(data), 0, 7, 2**32 - 1)))
        found += rng.choice((head, head, head, head[:3], b"")) + data
    return mutated_text(rng, latin(found)) if rng.random() < 0.3 else latin(found)


@cache
def _server() -> RawServer:
    return RawServer(lambda _: b"")


def _source(frames: Any) -> None:
    server, odd = _server(), raw(frames)
    kind = {"Content-Type": "application/vnd.docker.multiplexed-stream"}
    data = GOOD.encode() + b"\n"
    good = answer(struct.pack(">BxxxL", 1, len(data)) + data, 200, kind)
    answers = iter([answer(odd, 200, kind)])
    server.reply = lambda _: next(answers, good)
    journal, seen = Journal(), list[Entry]()
    journal.read(lambda entry, _: seen.append(entry))
    manager = Endpoint("node1", "manager", f"tcp://127.0.0.1:{server.port}")

    def connect(endpoint: Endpoint, patience: float) -> docker.DockerClient:
        return docker.DockerClient(base_url=endpoint.url, version="1.44", timeout=int(patience))

    with threads_that_raise() as raised:
        source = AcmeSource(journal, (manager,), connect, lambda _: "svc-1", interval=PollInterval(0.01, 0.01, 0.1, 0))
        source.start()
        try:
            goes_on(
                journal,
                lambda world: any("good.localhost" in fact.hosts for _, fact in world.edge.acme),
                raised,
                source.wake,
                "Traefik's log",
            )
        finally:
            source.close()
    keepable(entry.fact for entry in seen)


LINES = Surface(
    "acme-lines",
    _line,
    _told,
    known=(
        line("Register...", domains=["\ud800"]),
        line("Unable to obtain ACME certificate for domains", error={"a": odd_text(Random(0))}),
        '{"message": "register...", "domains": ' + "[" * 500 + "]" * 500 + "}",
    ),
    share=2,
    fast=400,
)
FRAMES = Surface("acme-frames", _frames, _source, known=("\x01\x00\x00\x00\xff\xff\xff\xff{",), share=0.4, fast=20)
