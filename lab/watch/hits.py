"""Requests to published ports: who answered, through which node. Every request is a new connection."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import httpx

from lab.cluster.model import Endpoint
from lab.world.entries import Hit

#: One request's bound, seconds: generous, an emulated node under load takes its time.
BOUND = 10.0


def ask(endpoints: Iterable[Endpoint], port: int, path: str = "/", times: int = 1) -> list[Hit]:
    """Send `times` requests to the published port of every node given, nodes side by side. Never raises for a
    node: no answer is a Hit with status 0."""
    asked = tuple(endpoints)
    with ThreadPoolExecutor(max_workers=max(1, len(asked))) as pool:
        rounds = pool.map(lambda endpoint: [_one(endpoint, port, path) for _ in range(times)], asked)
        return [hit for hits in rounds for hit in hits]


def _one(endpoint: Endpoint, port: int, path: str) -> Hit:
    if port not in endpoint.published:
        why = f"port {port} of {endpoint.node} is not reached from this machine"
        return Hit(endpoint.node, port, path, 0, "", 0.0, error=why)
    address, local = endpoint.published[port]
    began = time.perf_counter()
    try:
        answer = httpx.get(
            f"http://{address}:{local}{path}", timeout=BOUND, headers={"Connection": "close"}, trust_env=False
        )
    except httpx.HTTPError as error:
        return Hit(endpoint.node, port, path, 0, "", _ms(began), error=f"{type(error).__name__}: {error}".strip(": "))
    body = answer.text[:200]
    replica = answer.headers.get("X-Replica") or (body.splitlines() or [""])[0][:64]
    return Hit(endpoint.node, port, path, answer.status_code, replica, _ms(began), body=body)


def _ms(began: float) -> float:
    return round((time.perf_counter() - began) * 1000, 1)
