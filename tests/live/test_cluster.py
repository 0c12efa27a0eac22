"""The cluster itself: four machines, the mesh between them, a node that goes and comes, an `up` that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import docker
import httpx
import psutil
import pytest
from docker.errors import NotFound

from lab.cluster import api
from lab.cluster.model import Cluster
from lab.engine.client import connect
from tests.live.conftest import swarmlab, until

# The first test to run brings the cluster up, from nothing on a new machine.
pytestmark = pytest.mark.timeout(3000)
BOUND = 600.0
PORT = 8083


@contextmanager
def service(client: docker.DockerClient, image: str, **options: object) -> Iterator[None]:
    """A service for the length of a block, and none of its name before."""
    name, services = "live-cluster-mesh", cast(Any, client.services)
    with suppress(NotFound):
        services.get(name).remove()
    services.create(image, name=name, **options)
    try:
        yield
    finally:
        services.get(name).remove()


def test_four_nodes_three_manage_one_works(cluster: Cluster) -> None:
    status = cluster.status()
    assert status.whole
    assert status.made_by_lab
    assert [node.role for node in status.nodes] == ["manager", "manager", "manager", "worker"]
    assert {node.swarm for node in status.nodes} == {"ready"}
    assert sum(node.leader for node in status.nodes) == 1
    assert len({node.lan_address for node in status.nodes}) == 4


def test_every_lesson_image_is_on_every_node(cluster: Cluster) -> None:
    for endpoint in cluster.endpoints():
        client = connect(endpoint, 30)
        tags = {tag for image in client.images.list() for tag in image.tags}
        client.close()
        assert {"nginx", "node", "busybox", "traefik", "pebble"} <= {tag.split(":")[0] for tag in tags}


def test_a_published_port_is_answered_on_every_node_by_the_replicas_of_others(cluster: Cluster) -> None:
    from docker.types import EndpointSpec, ServiceMode

    client = connect(cluster.endpoints()[0], 60)
    ports = cast(Any, EndpointSpec)(ports={PORT: 80})
    where = ["node.role == worker"]
    with service(client, "nginx:1.26", mode=ServiceMode("replicated", 2), endpoint_spec=ports, constraints=where):
        for endpoint in cluster.endpoints():
            replicas: set[str] = set()
            address, port = endpoint.published[PORT]

            def both(url: str = f"http://{address}:{port}/", replicas: set[str] = replicas) -> bool:
                with suppress(httpx.TransportError):
                    replicas.add(httpx.get(url, timeout=5, trust_env=False).headers["X-Replica"])
                return len(replicas) == 2

            until(both, f"two replicas through {endpoint.node}; seen: {replicas}")
    client.close()


def test_a_node_is_cut_off_and_healed(cluster: Cluster) -> None:
    cluster.cut("node4")
    node = cluster.status().nodes[3]
    assert (node.cut, node.engine) == (True, True)
    cluster.heal("node4")
    until(lambda: cluster.status().whole, "the whole swarm")


def machines(folder: Path) -> list[psutil.Process]:
    """Every process whose command line names `folder`."""
    found = []
    for one in psutil.process_iter():
        with suppress(psutil.Error):
            if any(f"{folder}/" in word for word in one.cmdline()) and one.status() != psutil.STATUS_ZOMBIE:
                found.append(one)
    return found


@pytest.mark.usefixtures("cluster")
def test_an_up_that_is_killed_is_mended_and_down_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = tmp_path / "state"
    monkeypatch.setenv("SWARMLAB_STATE", str(state))
    argv = [sys.executable, "-m", "lab.cli", "up", "--name", "second", "--nodes", "1", "--yes", "--json"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ}) as first:
        until(lambda: bool(machines(state)) or first.poll() is not None, "a machine")
        first.send_signal(signal.SIGKILL)
    assert first.returncode == -signal.SIGKILL

    second = swarmlab("up", "--name", "second", "--yes", "--json", bound=BOUND)
    assert second.code == 0, second.err
    assert second.json["whole"]
    assert len(machines(state)) == 1

    # It does not meet the other lab, and a second `up` has nothing to do.
    assert api.names() == ("second",)
    before = [one.pid for one in machines(state)]
    assert swarmlab("up", "--name", "second", "--json", bound=BOUND).json["whole"]
    assert [one.pid for one in machines(state)] == before

    down = swarmlab("down", "--name", "second", "--json", bound=BOUND)
    assert down.code == 0, down.err
    assert not machines(state)
    assert not [path for path in state.rglob("*") if path.is_file() or path.is_socket()]
    assert not (state / "labs" / "second").exists()
