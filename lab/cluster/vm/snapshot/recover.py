"""What a killed command left half done with a snapshot, brought to an end by whoever comes next."""

from __future__ import annotations

from lab.cluster import lab_paths
from lab.cluster.model import Progress, Report
from lab.cluster.vm import processes
from lab.cluster.vm.snapshot import restore, store, take
from lab.cluster.vm.state import RESTORING
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError


def recover(lab: VmCluster, report: Report) -> None:
    """Let paused machines go on, and go on with an interrupted restore. Call this with the lab's lock held.

    Raises LabError when the snapshot that was being restored is gone; its machines are off then.
    """
    if take.recover(lab):
        report(Progress("snapshot", "the machines, paused by a snapshot that was interrupted, go on", 1.0))
    store.delete_unfinished(lab_paths.snapshots_folder(lab.name))
    if (found := restore.find_unfinished(lab)) is None:
        return
    folder, record = found
    if record is None:
        for node in lab.state.nodes:
            processes.power_off(lab.home / node.name, node.identity)
        (lab.home / RESTORING).unlink(missing_ok=True)
        raise LabError(
            f"restoring {folder.name} was interrupted, and that snapshot is gone: what the cluster was is lost",
            remedy="swarmlab down, then swarmlab up",
        )
    report(Progress("restore", f"restoring {folder.name} was interrupted: going on with it", 0.0))
    restore.restore(lab, folder, record, report)
