"""The sources that run besides the swarm's own: who asks for one names one that there is."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from lab.cluster.edge_settings import read_settings
from lab.cluster.model import Cluster
from lab.lesson.check_table import kinds
from lab.panes import CLUSTER, PANES, find_pane
from lab.watch.supervisor import SourceSupervisor
from lab.world.journal import Journal
from tests.unit.test_session_driver import Nodes


@pytest.fixture
def supervisor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SourceSupervisor:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    cluster = cast(Cluster, Nodes())
    return SourceSupervisor(Journal(), cluster, read_settings(cluster))


def test_every_pane_needs_sources_that_there_are(supervisor: SourceSupervisor) -> None:
    assert {source for pane in PANES for source in pane.needs} <= supervisor.names
    assert find_pane(CLUSTER).needs == (), "the swarm is looked at in any case"


def test_every_check_looks_at_a_source_that_there_is(supervisor: SourceSupervisor) -> None:
    assert {each.source for each in kinds().values()} - {""} <= supervisor.names


def test_an_unknown_source_is_refused(supervisor: SourceSupervisor) -> None:
    with pytest.raises(ValueError, match="no source is called meshes; there are acme, certificates, dns, mesh, "):
        supervisor.watch(["meshes"])
