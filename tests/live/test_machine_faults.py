"""What is wrong inside a real machine, caused and undone by its agent; and what is read of the machines' network."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from lab.cluster import swarm_init
from lab.cluster.model import Cluster
from lab.engine.client import open_client
from lab.engine.decode import parse_time
from lab.session.cluster_driver import ClusterDriver
from tests.live.conftest import Say, swarmlab, until

pytestmark = pytest.mark.timeout(3000)
NODE = "node4"
#: A process that causes a fault for a lesson, says so, and waits.
HOLDER = f"""
import sys, time
from lab.cluster import api
from lab.cluster.faults import apply_fault
from lab.cluster.model import silent
apply_fault(api.find(sys.argv[1]), "fill", "{NODE}", silent, held=True)
print("held", flush=True)
time.sleep(3600)
"""


def clock_error(cluster: Cluster) -> float:
    """How many seconds the node's clock is ahead of this machine's."""
    endpoint = next(each for each in cluster.endpoints() if each.node == NODE)
    with open_client(endpoint, 60) as client:
        return parse_time(client.info()["SystemTime"]) - time.time()


def test_a_clock_a_disk_and_an_engine_are_wrong_and_healed(cluster: Cluster, say: Say) -> None:
    endpoint = next(each for each in cluster.endpoints() if each.node == NODE)
    try:
        assert swarmlab("node", "skew", NODE, "90", "--name", cluster.name).code == 0
        assert 5300 < clock_error(cluster) < 5500
        cluster.heal_machines()
        assert abs(clock_error(cluster)) < 100
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, cluster.name], stdout=subprocess.PIPE, text=True
        ) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline().strip() == "held"
            assert [fault.sentence for fault in cluster.broken_machines()] == [f"the disk of {NODE} is full"]
            holder.send_signal(signal.SIGKILL)
        began = time.monotonic()
        until(lambda: not cluster.broken_machines(), "the switch ends what a killed lesson left")
        say(f"undone {time.monotonic() - began:.1f} s after its owner was killed")
        assert swarmlab("node", "hang", NODE, "engine", "--name", cluster.name).code == 0
        assert swarm_init.ping_engine(endpoint, 3.0).local == "", "it does not answer"
        cluster.heal(NODE)
        until(lambda: cluster.status().whole, "the cluster is whole")
    finally:
        cluster.heal_machines()


def test_the_wire_and_the_nodes_views_of_each_other(cluster: Cluster, driver: ClusterDriver) -> None:
    names = {endpoint.node for endpoint in cluster.endpoints()}
    driver.watch(["wire", "peers"])
    assert driver.journal.wait(lambda world: world.wire.frames.get("gossip", 0) > 0, 60)
    assert driver.journal.wait(lambda world: world.peers is not None, 60)
    peers = driver.journal.world.peers
    assert peers is not None
    assert [view.answer for view in peers.views].count("leads") == 1
    assert all({*view.reaches} == names - {view.node} for view in peers.views)
