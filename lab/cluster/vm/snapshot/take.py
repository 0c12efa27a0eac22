"""Taking a snapshot: all machines paused at one instant, saved, and let go on.

A killed `take` leaves the folder that it was making and, at worst, paused machines; `recover` ends both.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from lab import paths
from lab.cluster.model import Progress, Report
from lab.cluster.snapshot import Kind
from lab.cluster.vm import agent, machine_faults, processes
from lab.cluster.vm.snapshot import fits, memory, store
from lab.cluster.vm.snapshot.store import NodeRecord, Record
from lab.cluster.vm.state import PAUSED, NodeState
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import LabError

EDGE = "edge"
"""The folder with the keys and the password of the edge's stacks, which a snapshot's services were made with."""


def take(
    lab: VmCluster,
    parent: Path,
    name: str,
    kind: Kind,
    *,
    services: Sequence[str] = (),
    about: Mapping[str, str] | None = None,
    whole: bool = False,
    report: Report,
    also: Callable[[VmCluster, Path], None] = lambda *_: None,
) -> Path:
    """Take a snapshot of the lab's machines, and return its folder in `parent`. `also` puts more into the folder. Call
    this with the lab's lock held.

    Raises LabError, and the machines go on as before, then.
    """
    store.delete_unfinished(parent)
    nodes = tuple(_record(lab, node) for node in lab.state.nodes)
    running = [lab.home / node.name for node in nodes if node.on]
    if not running:
        raise LabError("no machine of this lab is on: there is nothing to save", remedy="swarmlab up")
    report(Progress("snapshot", "the machines give back the memory that they do not need", 0.1))
    _free(running)
    record = Record(
        name=name,
        kind=kind,
        created=datetime.now(UTC),
        machines=fits.key_of(lab.state),
        swarm=fits.swarm_key(lab.home / "tls"),
        nodes=nodes,
        services=tuple(services),
        about=dict(about or {}),
        whole=whole,
    )
    folder = store.begin(parent)
    try:
        with paths.guard_writes(folder):
            return _fill(lab, folder, record, report, also)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fill(
    lab: VmCluster, folder: Path, record: Record, report: Report, also: Callable[[VmCluster, Path], None]
) -> Path:
    on = [node.name for node in record.nodes if node.on]
    report(Progress("snapshot", f"pausing and saving {', '.join(on)}", 0.3))
    stood_still = _save(lab, record.nodes, folder)
    # Reading a packed template would make each `up` a second longer. A step's is packed when the next one may begin.
    if record.kind not in ("template", "step"):
        report(Progress("snapshot", f"the cluster stood still for {stood_still:.1f} s; compressing", 0.6))
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(memory.compress, [folder / f"{node}.memory" for node in on]))
    if (lab.home / EDGE).is_dir() and record.kind != "template":
        shutil.copytree(lab.home / EDGE, folder / EDGE)
    also(lab, folder)
    return store.finish(folder, record.model_copy(update={"stood_still": stood_still}))


def recover(lab: VmCluster) -> bool:
    """Let machines go on that a killed `take` left paused. Call this with the lab's lock held. Returns whether there
    was anything to do."""
    if not (lab.home / PAUSED).exists():
        return False
    memory.resume_all(lab.home / node.name for node in lab.state.nodes if lab.is_running(node))
    (lab.home / PAUSED).unlink(missing_ok=True)
    return True


def _record(lab: VmCluster, node: NodeState) -> NodeRecord:
    on = lab.is_running(node)
    broken = on and any(held.fault.node == node.name for held in machine_faults.read_faults(lab.home))
    return NodeRecord(name=node.name, on=on, cut=on and processes.is_cut(lab.home / node.name), broken=broken)


def _free(folders: Sequence[Path]) -> None:
    """Ask every machine to drop its caches: what is free is in no snapshot."""

    def ask(folder: Path) -> None:
        with agent.connect(folder) as one:
            one.send("free")
            one.await_done("free")

    with ThreadPoolExecutor(len(folders)) as pool:
        list(pool.map(ask, folders))


def _save(lab: VmCluster, nodes: Sequence[NodeRecord], folder: Path) -> float:
    def copy_disks() -> None:
        for node in nodes:
            copy_disk(lab.home / node.name / "disk.qcow2", folder / f"{node.name}.qcow2")

    (lab.home / PAUSED).touch(mode=0o600)
    stood_still = memory.save_all(
        {lab.home / node.name: folder / f"{node.name}.memory" for node in nodes if node.on}, copy_disks
    )
    (lab.home / PAUSED).unlink(missing_ok=True)
    return stood_still


def copy_disk(source: Path, target: Path) -> None:
    """Copy a disk to a new, private file. Raises LabError when there is no room."""
    try:
        target.touch(mode=0o600, exist_ok=False)
        with source.open("rb") as data, target.open("wb") as out:
            shutil.copyfileobj(data, out, 1 << 20)
    except OSError as error:
        raise LabError(
            f"{target} cannot be written: {error.strerror or error}", remedy="free some space, then try again"
        ) from error
