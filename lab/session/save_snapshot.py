"""Saving a cluster when it is still."""

from __future__ import annotations

from collections.abc import Mapping

from lab.cluster.model import Cluster, Progress, Report, silent
from lab.cluster.snapshot import Kind, Snapshot, Snapshots
from lab.errors import InputError
from lab.reset.settle import find_not_running
from lab.session.cluster_driver import ClusterDriver
from lab.wait import wait_until
from lab.world.world import World

STILL_BOUND = 180.0
"""Seconds that a snapshot waits for the swarm to be still."""


def snapshots_of(cluster: Cluster) -> Snapshots:
    """Return a cluster's snapshots. Raises InputError when its provider has none."""
    if cluster.snapshots is None:
        raise InputError(
            f"a cluster of the provider {cluster.provider} has no snapshots",
            remedy="swarmlab reset goes back to the start of a lesson without them",
        )
    found: Snapshots = cluster.snapshots
    return found


def save(
    driver: ClusterDriver, name: str, kind: Kind, *, about: Mapping[str, str] | None = None, report: Report = silent
) -> Snapshot:
    """Wait until the cluster is still, and save it. Raises what `Snapshots.take` does, and WaitError."""

    def find_moving_now() -> str:
        driver.look()
        return find_moving(driver.journal.world)

    wait_until(
        "the cluster to be still",
        STILL_BOUND,
        find_moving_now,
        pause=0.5,
        say=lambda why: report(Progress("snapshot", f"waiting until the cluster is still: {why}", 0.0)),
        remedy="swarmlab status, then try again",
    )
    services = sorted(service.name for service in driver.journal.world.swarm.services.values())
    return snapshots_of(driver.cluster).take(name, kind, services=services, about=about, report=report)


def find_moving(world: World) -> str:
    """Return what is under way in a swarm, in a sentence; "" when it is still."""
    services = world.swarm.services.values()
    return next(iter(find_not_running(world, sorted(service.name for service in services))), "")
