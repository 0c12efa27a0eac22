"""A service in a snapshot, by whose tasks a test tells whether the cluster is as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from lab.cluster.model import Cluster
from lab.engine.client import open_client
from tests.live.conftest import swarmlab, until

NAME = "live-snapshot"
SERVICE = "live-snapshot-web"

Tasks = dict[str, str]
"""The ids of running tasks by slot."""


@contextmanager
def saved_service(cluster: Cluster) -> Iterator[Tasks]:
    """Save a snapshot with a service in it, and provide its tasks; everything is removed afterwards."""
    endpoint = cluster.endpoints()[0]
    with open_client(endpoint, 120) as client:
        made: Any = client.services
        with suppress(Exception):
            made.get(SERVICE).remove()
        made.create("busybox:1.37", ["sleep", "1000000"], name=SERVICE, mode={"Replicated": {"Replicas": 3}})
    until(lambda: len(running(cluster)) == 3, "three tasks run")
    done = swarmlab("snapshot", NAME, "--name", cluster.name, "--json")
    assert done.code == 0, done.err
    assert done.json["stood_still"] > 0
    yield running(cluster)
    assert swarmlab("restore", NAME, "--name", cluster.name).code == 0
    with open_client(endpoint, 120) as client:
        services: Any = client.services
        services.get(SERVICE).remove()
    assert swarmlab("snapshot", NAME, "--remove", "--name", cluster.name).code == 0


def running(cluster: Cluster, service: str = SERVICE) -> Tasks:
    """Return the running tasks of a service, as whichever manager answers tells them."""
    for endpoint in cluster.endpoints():
        with suppress(Exception), open_client(endpoint, 60) as client:
            asked: Any = client.api
            tasks = asked.tasks(filters={"service": service, "desired-state": "running"})
            return {str(t["Slot"]): t["ID"] for t in tasks if t["Status"]["State"] == "running"}
    return {}
