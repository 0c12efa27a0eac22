"""The cluster of `make bench` is one that the lab can be opened on."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.session.live import LiveStage
from tests.bench.live_app import ElsewhereCluster
from tests.doubles.engine import fake_cluster


def test_the_live_lab_of_the_bench_sees_its_swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    with fake_cluster() as (swarm, engines):
        swarm.create("web", 4)
        stage = LiveStage(ElsewhereCluster([f"{each.node}={each.endpoint.url}" for each in engines]))
        try:
            stage.open("orientation")
            assert stage.journal.wait(lambda world: world.swarm.service("web") is not None, 60)
        finally:
            stage.close()
