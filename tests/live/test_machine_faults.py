"""What is wrong inside a real machine, caused and undone by its agent; and what is read of the machines' network."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from lab.cluster import swarm_init
from lab.cluster.model import Cluster
from lab.engine.client import open_client
from lab.engine.decode import parse_time
from lab.lesson.course import load_course
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import reset_to
from lab.tui.panes.wire.hops import Way, find_way
from lab.world.request import Request
from lab.world.world import World
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


def test_one_requests_way_is_read_hop_by_hop(driver: ClusterDriver, say: Say) -> None:
    """A page that runs on one node, asked at another: by the lab, and by a third machine. The mesh translates the
    addresses of the connection and keeps its sequence number."""

    def read(wanted: Callable[[Way], bool]) -> Way:
        def seen(world: World) -> bool:
            found = find_way(world, world.at)
            return found is not None and wanted(found)

        assert driver.journal.wait(seen, 60), driver.journal.world.wire.exchanges
        found = find_way(driver.journal.world, driver.journal.world.at)
        assert found is not None
        say("\n".join(f"{hop.since * 1000:6.1f} ms  {hop.exchange}" for hop in found.hops))
        return found

    # Nothing else may have the port.
    reset_to(driver, next(each for each in load_course() if each.id == "first-service"))
    publish = "--publish 8080:80 --constraint node.hostname==node4"
    made = driver.run(
        f"docker service create --detach=false --no-resolve-image --name way {publish} nginx:1.26", bound=300
    )
    assert made.status == 0
    try:
        driver.watch(["wire"])
        assert driver.journal.wait(lambda world: bool(world.wire.reports) and world.swarm.converged, 60)
        driver.ask(Request(8080), nodes=("node2",))
        found = read(lambda found: found.hit is not None and bool(found.hops) and bool(found.hops[0].exchange.got))
        (hop,) = found.hops
        assert (hop.exchange.source, hop.exchange.target, hop.exchange.port, hop.task) == (
            "node2",
            "node4",
            8080,
            "way.1",
        )
        assert hop.exchange.accepted is not None
        asked = next(node.address for node in driver.journal.world.swarm.nodes.values() if node.name == "node2")
        driver.run(f"docker run --rm --network host nginx:1.26 wget -q -O /dev/null http://{asked}:8080/", node="node3")
        found = read(lambda found: found.hit is None and len(found.hops) == 2 and bool(found.hops[1].exchange.got))
        outer, inner = found.hops
        assert (outer.exchange.source, outer.exchange.target, outer.exchange.network) == ("node3", "node2", 0)
        assert (inner.exchange.source, inner.exchange.target, inner.same) == ("node2", "node4", True)
        assert inner.exchange.got == outer.exchange.got > 0
    finally:
        driver.run("docker service rm way", bound=300)
