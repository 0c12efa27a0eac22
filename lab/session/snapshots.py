"""Snapshots of a cluster from the command line and from the app: taken when it is still, and restored."""

from __future__ import annotations

from lab.cluster import api
from lab.cluster.model import Report, silent
from lab.cluster.snapshot import Snapshot
from lab.session.run import open_driver
from lab.session.save_snapshot import save, snapshots_of


def take_snapshot(name: str, snapshot: str, report: Report = silent) -> Snapshot:
    """Save the cluster `name` as a snapshot of its user's own, once it is still. Raises InputError, LabError,
    BusyError when another swarmlab is at work on it, WaitError when it does not become still."""
    snapshots_of(api.find(name))
    with api.at_work(name, f"saving the snapshot {snapshot}"), open_driver(name) as driver:
        return save(driver, snapshot, "own", report=report)


def restore_snapshot(name: str, snapshot: str, report: Report = silent) -> Snapshot:
    """Put the cluster `name` back to a snapshot. Raises InputError, LabError, and BusyError when another swarmlab is at
    work on it."""
    with api.at_work(name, f"restoring the snapshot {snapshot}"):
        return snapshots_of(api.find(name)).restore(snapshot, report)
