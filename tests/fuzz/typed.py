"""Random facts of the right types, made from the types themselves: a fact or field that is added later is there too."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from random import Random
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from lab.tape.codec import CLOCK, Damaged, from_line, to_entry
from lab.world.entries import Entry, Fact
from lab.world.swarm import STATES
from tests.fuzz.values import NUMBERS, odd_text

KINDS: tuple[Any, ...] = get_args(get_args(Fact)[0])
LESSONS = ("reconciliation", "certificates", "rolling-update")

_POOLS: Mapping[str, tuple[str, ...]] = {
    "id": ("id1", "id2", "id3"),
    "service": ("id1", "id2", "app@swarm"),
    "task": ("id1", "id2", ""),
    "node": ("node1", "node2", "id1", ""),
    "by": ("node1", "node2"),
    "name": ("web", "app", "node1", "app@swarm", "db"),
    "lesson": LESSONS,
    "step": ("create", "crash", "declare", ""),
    "state": (*STATES, "updating", "paused", "rollback_started", ""),
    "desired": ("running", "shutdown", "remove"),
    "role": ("manager", "worker"),
    "reachability": ("reachable", "unreachable", ""),
    "availability": ("active", "drain", "pause"),
    "type": ("container", "service", "node", ""),
    "action": ("die", "start", "oom", "update"),
    "container": ("ab" * 32, "cd" * 32, ""),
    "replica": ("abababababab", "web.1", "cd" * 32),
    "host": ("a.localhost", "b.localhost", ""),
    "protocol": ("http", "https", "tcp"),
    "image": ("nginx:1.26", "traefik:3.7", "a/b@sha256:0", ""),
    "target": ("https://a.localhost/", "port 8080 /", ""),
    "path": ("/", "/x"),
    "text": ("\x1b[1;32mnode1\x1b[0m $ ls\r\n", "done\r\n", "docker ps", "\x1b[2K\r50%", "plain words of some length"),
    "output": ("one\ntwo\n", "x" * 300, "\x1b[31mred\x1b[0m", "\t\ta\n" * 60),
}
_SERVED = ("traefik.enable", "traefik.http.routers.app.rule", "traefik.http.services.app.loadbalancer.server.port")


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def made(rng: Random, kind: Any, name: str = "") -> Any:
    """A value of a type, as JSON has it."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return made(rng, args[0], name)
    if origin is Literal:
        return rng.choice(args)
    if origin in (Union, types.UnionType):
        return made(rng, rng.choice(args), name)
    if origin is tuple and args[-1:] == (Ellipsis,):
        return [made(rng, args[0], name) for _ in range(rng.choice((0, 1, 1, 2, 3, 8)))]
    if origin is tuple:
        return [made(rng, one, name) for one in args]
    if origin in (Mapping, dict):
        return {rng.choice((*_SERVED, odd_text(rng))): made(rng, args[1]) for _ in range(rng.randint(0, 3))}
    if isinstance(kind, type) and is_dataclass(kind):
        given = (f for f in fields(kind) if f.name == "kind" or _needed(f) or rng.random() < 0.6)
        return {field.name: made(rng, _hints(kind)[field.name], field.name) for field in given}
    return _plain(rng, kind, name)


def _needed(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _plain(rng: Random, kind: Any, name: str) -> Any:
    if kind is str:
        return rng.choice(_POOLS[name]) if name in _POOLS and rng.random() < 0.8 else odd_text(rng)
    if kind is bool:
        return rng.random() < 0.5
    if kind is int:
        odd = [number for number in NUMBERS if isinstance(number, int)]
        return rng.choice(odd) if rng.random() < 0.03 else rng.choice((0, 1, 2, 3, 5, 80, 443, 502))
    if kind is float:
        return rng.choice(NUMBERS) if rng.random() < 0.03 else round(rng.uniform(0, 120), 3)
    return None


def journal(rng: Random, most: int = 14) -> list[Any]:
    """Times and facts, in order, beginning with a lesson and a step now and then."""
    at, found = 0.0, []
    for _ in range(rng.randint(1, most)):
        at = round(at + rng.choice((0.0, 0.1, 1.0, rng.uniform(0, 60))), 3)
        found.append([at, made(rng, rng.choice(KINDS))])
    if rng.random() < 0.5:
        lesson = rng.choice(LESSONS)
        found[:0] = [
            [0.0, {"kind": "lesson", "lesson": lesson}],
            [0.0, {"kind": "step", "lesson": lesson, "step": "create", "state": "begun"}],
        ]
    return found


def entries(told: list[Any]) -> tuple[Entry, ...]:
    """Those of the facts that a tape may hold."""
    found = []
    for at, fact in told:
        try:
            found.append(to_entry(from_line(json.dumps(line(at, fact)))))
        except Damaged:
            continue
    return tuple(found)


def line(at: float, fact: dict[str, Any]) -> dict[str, Any]:
    """A fact as a line of a tape has it."""
    own = {CLOCK: fact["at"]} if "at" in fact else {}
    return {**fact, **own, "at": at}
