"""The lab's app on engines of the tests' double: argv holds NAME=URL for each node, managers first."""

from __future__ import annotations

import os
import sys
import tempfile
from datetime import UTC, datetime
from typing import cast

from lab.cluster.faults import FAULTS
from lab.cluster.model import Capacity, Cluster, ClusterStatus, NodeStatus
from lab.engine.endpoint import Endpoint
from lab.session.live import LiveStage
from lab.tui import launch


class Double:
    """A cluster that is only engines."""

    capacity, faults = Capacity(), frozenset(FAULTS)

    name, provider, made_by_lab = "bench", "double", True
    acceleration, images = "native", "packages"

    def __init__(self, pairs: list[str]) -> None:
        named = [pair.split("=", 1) for pair in pairs]
        self.made = tuple(
            Endpoint(name, "manager" if number < 3 else "worker", url) for number, (name, url) in enumerate(named)
        )

    def endpoints(self) -> tuple[Endpoint, ...]:
        """See `Cluster.endpoints`."""
        return self.made

    def powered_off(self) -> tuple[str, ...]:
        """See `Cluster.powered_off`."""
        return ()

    def cut_off(self) -> tuple[str, ...]:
        """See `Cluster.cut_off`."""
        return ()

    def status(self) -> ClusterStatus:
        """See `Cluster.status`."""
        nodes = tuple(NodeStatus(e.node, e.role, "running", True, "ready") for e in self.made)
        return ClusterStatus(self.name, self.provider, True, "native", datetime.now(UTC), nodes, True)


if __name__ == "__main__":
    # The keys and the password of its edge are for this run alone.
    with tempfile.TemporaryDirectory() as state:
        os.environ["SWARMLAB_STATE"] = state
        stage = LiveStage(cast(Cluster, Double(sys.argv[1:])))
        try:
            launch(stage)
        finally:
            stage.close()
