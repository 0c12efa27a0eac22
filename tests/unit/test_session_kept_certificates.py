"""Certificates that Traefik keeps of an authority that is gone: found on every node's volume, and nowhere else."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.session.kept_certificates import VOLUME, find_outdated_volumes
from tests.doubles.https import Answer, http_server
from tests.doubles.tls import HOUR, Authority, sign
from tests.doubles.volumes import VolumeEngine, volume_engine

NOW, FORMER = Authority("1"), Authority("2")
HOST = "node-app.localhost"


def acme_json(*authorities: Authority, ends: float = HOUR) -> bytes:
    """What Traefik keeps, with a certificate of each authority."""
    chains = [by.issue(HOST, begins=-3 * HOUR, ends=ends).pem + by.between.pem for by in authorities]
    kept = [{"domain": {"main": HOST}, "certificate": b64encode(chain).decode(), "key": ""} for chain in chains]
    return json.dumps({"le": {"Account": {"Email": "a@example.org"}, "Certificates": kept or None}}).encode()


def on(files: dict[str, bytes] | None, **more: object) -> VolumeEngine:
    return VolumeEngine(VOLUME, "edge", files, **more)  # type: ignore[arg-type]


@pytest.fixture
def pebble(tmp_path: Path) -> Iterator[dict[int, tuple[str, int]]]:
    """What a node publishes while Pebble, with its present root, answers there."""
    with http_server(lambda _: Answer(NOW.root.pem), sign("pebble"), tmp_path) as address:
        yield {15000: address}


def found(engines: list[VolumeEngine], published: dict[int, tuple[str, int]], *more: Endpoint) -> frozenset[str]:
    with ExitStack() as stack:
        for engine in engines:
            stack.enter_context(volume_engine(engine))
        endpoints = [engine.endpoint(f"node{n}", published=published) for n, engine in enumerate(engines, 1)]
        return find_outdated_volumes((*endpoints, *more))


@pytest.mark.parametrize(
    "kept",
    [acme_json(FORMER), acme_json(NOW, FORMER), acme_json(FORMER, ends=-HOUR)],
    ids=["one", "one of two", "one that has ended"],
)
def test_a_certificate_of_a_former_authority_makes_the_volume_outdated(
    kept: bytes, pebble: dict[int, tuple[str, int]]
) -> None:
    assert found([on({"acme.json": kept}, mounted={"c1": "/data"})], pebble) == {VOLUME}


@pytest.mark.parametrize(
    "kept",
    [acme_json(NOW), acme_json(NOW, ends=-HOUR), acme_json(), b"", b"null", b'{"le":nul'],
    ids=["of the present one", "that has ended", "none yet", "empty file", "null", "half written"],
)
def test_one_of_the_present_authority_or_none_does_not(kept: bytes, pebble: dict[int, tuple[str, int]]) -> None:
    assert found([on({"acme.json": kept}, mounted={"c1": "/data"})], pebble) == frozenset()
    assert found([on({}, mounted={"c1": "/data"})], pebble) == frozenset(), "Traefik has not written it yet"


def test_a_volume_that_no_container_has_is_read_by_one_that_never_runs(pebble: dict[int, tuple[str, int]]) -> None:
    left = on({"acme.json": acme_json(FORMER)})
    assert found([on({"acme.json": acme_json(NOW)}, mounted={"c1": "/data"}), left], pebble) == {VOLUME}
    assert left.made[0]["HostConfig"]["Binds"] == [f"{VOLUME}:/data:ro"]
    assert left.mounted == {}, "the container for reading is removed"


def test_a_volume_that_is_not_the_stacks_is_not_read(pebble: dict[int, tuple[str, int]]) -> None:
    other = on({"acme.json": acme_json(FORMER)})
    other.stack = "mine"
    assert found([other, on(None)], pebble) == frozenset()
    assert not other.made


def test_without_pebble_nothing_is_called_outdated() -> None:
    assert found([on({"acme.json": acme_json(FORMER)}, mounted={"c1": "/data"})], {}) == frozenset()


def test_a_node_that_is_off_is_passed_over_and_a_refusal_is_told(pebble: dict[int, tuple[str, int]]) -> None:
    off = Endpoint("node4", "worker", "tcp://127.0.0.1:1")
    assert found([on({"acme.json": acme_json(FORMER)}, mounted={"c1": "/data"})], pebble, off) == {VOLUME}
    with pytest.raises(EngineError, match="the engine of node1 refuses"):
        found([on({}, refuse=500)], pebble)
