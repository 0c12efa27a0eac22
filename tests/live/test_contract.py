"""The real swarm keeps the contract that the model of a swarm is written to, on which the proofs of lessons, plans
and resets without a cluster stand.

An emulated cluster takes more than a minute for most scenarios. `make test` proves those whose like no lesson shows it;
`make contract` proves all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from lab.cluster.model import Cluster
from lab.engine.client import connect
from tests.contract.refusals import REFUSALS
from tests.contract.scenarios import NOT_IN_LESSONS, SCENARIOS
from tests.contract.swarm import Api, Swarm
from tests.live.conftest import until

pytestmark = pytest.mark.timeout(3000)


@pytest.fixture
def swarm(cluster: Cluster) -> Iterator[Swarm]:
    """The real swarm, with nothing of another scenario in it; afterwards nothing of this one."""
    ends = {endpoint.node: endpoint for endpoint in cluster.endpoints()}

    def power(node: str, on: bool) -> None:
        if on:
            cluster.start(node)
        else:
            cluster.stop(node)

    with closing(connect(ends["node1"])) as manager, closing(connect(ends["node4"])) as worker:
        swarm = Swarm(Api(manager.api), Api(worker.api), until, power)
        swarm.clear()
        yield swarm
        if {node.name: node.machine for node in cluster.status().nodes}["node4"] == "stopped":
            cluster.start("node4")
        swarm.clear()


LONG = [scenario for scenario in SCENARIOS if scenario not in NOT_IN_LESSONS]


@pytest.mark.parametrize(
    "scenario",
    [*NOT_IN_LESSONS, *REFUSALS, *(pytest.param(scenario, marks=pytest.mark.long) for scenario in LONG)],
    ids=lambda scenario: scenario.__name__,
)
def test_the_real_swarm_keeps_the_contract(swarm: Swarm, scenario: Callable[[Swarm], None]) -> None:
    scenario(swarm)
