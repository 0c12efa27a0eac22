"""What unit tests of several files begin with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.cluster import api
from lab.cluster.model import Cluster, Report, silent
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import fake_cluster


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that holds the lab's own, `state` and `disk`, and whatever else a test puts there."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "disk"))
    return tmp_path


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoubleCluster]:
    """A cluster of doubled engines, which every name finds."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    with fake_cluster() as (swarm, engines):
        double = DoubleCluster(swarm, engines)

        def find(name: str = "default", report: Report = silent) -> Cluster:
            return double

        monkeypatch.setattr(api, "find", find)
        yield double
