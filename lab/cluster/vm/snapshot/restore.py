"""Restoring a snapshot: every machine ended, its disk put back, and a new emulator that reads its memory.

What is under way stands in a file of the lab's folder before anything changes, so that whoever comes next can go on
with it: the disks and the memory in the snapshot stay as they are.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from lab import files, paths
from lab.cluster.model import Progress, Report
from lab.cluster.vm import agent, link_faults, machine_faults, processes
from lab.cluster.vm.snapshot import memory, store
from lab.cluster.vm.snapshot.store import NodeRecord, Record
from lab.cluster.vm.snapshot.take import EDGE, copy_disk
from lab.cluster.vm.state import RESTORING, NodeState
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError


def restore(lab: VmCluster, folder: Path, record: Record, report: Report) -> None:
    """Put the machines of the lab back to what they were. Call this with the lab's lock held.

    Raises LabError. If the disks are not all back, whoever comes next goes on; if they are, and the memory cannot be
    loaded, the machines are off and boot from these disks at the next `up`.
    """
    (lab.home / RESTORING).write_text(str(folder))
    report(Progress("restore", "ending the machines as they are", 0.1))
    everyone = [lab.node(node.name) for node in record.nodes]
    _power_off(lab, everyone)
    machine_faults.forget(lab.home, [node.name for node in everyone])
    with paths.guard_writes(lab.home):
        for node in everyone:
            _put_disk_back(folder / f"{node.name}.qcow2", lab.home / node.name / "disk.qcow2")
        if (folder / EDGE).is_dir():
            files.delete(lab.home / EDGE)
            shutil.copytree(folder / EDGE, lab.home / EDGE)
    try:
        _start(lab, folder, record, report)
    except LabError as error:
        _power_off(lab, everyone)
        (lab.home / RESTORING).unlink(missing_ok=True)
        raise LabError(
            f"the memory in the snapshot {record.name} could not be loaded: {error.sentence}",
            remedy="swarmlab up boots the machines from the disks in it",
        ) from error
    (lab.home / RESTORING).unlink(missing_ok=True)


def _start(lab: VmCluster, folder: Path, record: Record, report: Report) -> None:
    running = [node for node in record.nodes if node.on]
    report(Progress("restore", f"loading the memory of {', '.join(node.name for node in running)}", 0.3))
    link_faults.write_links(lab.home, ())
    processes.start_switch(lab.home, lab.state.switch, [node.name for node in record.nodes])
    with ThreadPoolExecutor(len(running)) as pool:
        list(pool.map(lambda node: _load(lab, folder, node), running))
    memory.wait_loaded(lab.home / node.name for node in running)
    for node in running:
        if node.cut:
            processes.set_cut(lab.home / node.name, off=True)
    report(Progress("restore", "setting the clocks", 0.7))
    go_on({lab.home / node.name: node.broken for node in running})


def _power_off(lab: VmCluster, nodes: Sequence[NodeState]) -> None:
    with ThreadPoolExecutor(len(nodes)) as pool:
        list(pool.map(lambda node: processes.power_off(lab.home / node.name, node.identity), nodes))


def find_unfinished(lab: VmCluster) -> tuple[Path, Record | None] | None:
    """Return the snapshot whose restoring was interrupted, and its record if it is still there; None when there was no
    interruption."""
    try:
        folder = Path((lab.home / RESTORING).read_text())
    except OSError:
        return None
    return folder, store.read_record(folder)


def go_on(folders: Mapping[Path, bool]) -> None:
    """Let paused machines go on, all at one instant. The time is sent before: setting the clock is among the first
    things that they do. Where the value is true, the faults that a machine was saved with end, too; an emulated one
    takes a second to look for them. Raises LabError."""
    last = {folder: "mend" if broken else "clock" for folder, broken in folders.items()}
    with ExitStack() as stack:
        agents = {folder: stack.enter_context(agent.connect(folder)) for folder in folders}
        for folder, one in agents.items():
            one.send("clock", f"{time.time():.3f}")
            if last[folder] == "mend":
                one.send("mend")
        memory.resume_all(folders)
        for folder, one in agents.items():
            one.await_done(last[folder])


def _put_disk_back(saved: Path, disk: Path) -> None:
    beside = disk.with_suffix(".new")
    beside.unlink(missing_ok=True)
    copy_disk(saved, beside)
    beside.replace(disk)


def _load(lab: VmCluster, folder: Path, node: NodeRecord) -> None:
    try:
        descriptor = memory.open_memory(store.find_memory(folder, node.name))
    except FileNotFoundError:  # It was packed at this very moment.
        descriptor = memory.open_memory(store.find_memory(folder, node.name))
    try:
        processes.power_on(lab.as_machine(lab.node(node.name)), descriptor)
    finally:
        os.close(descriptor)
