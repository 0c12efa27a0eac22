"""The lab's app on engines of the tests' double: argv holds NAME=URL for each node, managers first."""

from __future__ import annotations

import os
import sys
import tempfile
from typing import cast

from lab.cluster.faults import FAULTS
from lab.cluster.model import ClusterStatus, NodeStatus
from lab.engine.endpoint import Endpoint
from lab.session.live import LiveStage
from lab.tui import launch
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import InstantSwarm


class ElsewhereCluster(DoubleCluster):
    """The tests' cluster, its engines in another process."""

    faults = frozenset(FAULTS)

    def __init__(self, pairs: list[str]) -> None:
        super().__init__(cast(InstantSwarm, None), [], name="bench", made_by_lab=True)
        named = [pair.split("=", 1) for pair in pairs]
        self.made = tuple(
            Endpoint(name, "manager" if number < 3 else "worker", url) for number, (name, url) in enumerate(named)
        )

    def endpoints(self) -> tuple[Endpoint, ...]:
        return self.made

    def status(self) -> ClusterStatus:
        nodes = tuple(NodeStatus(e.node, e.role, "running", True, "ready") for e in self.made)
        return ClusterStatus(self.name, self.provider, True, self.acceleration, self.created, nodes, True)


if __name__ == "__main__":
    # The keys and the password of its edge are for this run alone.
    with tempfile.TemporaryDirectory() as state:
        os.environ["SWARMLAB_STATE"] = state
        stage = LiveStage(ElsewhereCluster(sys.argv[1:]))
        try:
            launch(stage)
        finally:
            stage.close()
