"""The snapshots of one lab: what `lab.cluster.snapshot.Snapshots` promises, for machines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lab import files
from lab.cluster import lab_paths, swarm_init
from lab.cluster.model import Progress, Report, silent
from lab.cluster.snapshot import Kind, Snapshot, check_snapshot_name
from lab.cluster.vm.snapshot import budget, fits, memory, restore, store, take
from lab.cluster.vm.snapshot.store import Record
from lab.cluster.vm.vm_cluster import VmCluster
from lab.errors import InputError
from lab.wait import wait_until

_BOUND = 180.0
"""Seconds for a restored swarm to answer as it did."""


class VmSnapshots:
    """The snapshots of a lab of machines."""

    def __init__(self, lab: VmCluster) -> None:
        self._lab = lab
        self._parent = lab_paths.snapshots_folder(lab.name)

    def all(self) -> tuple[Snapshot, ...]:
        """Return all of them, oldest first, those that do not fit included."""
        machines, swarm = self._keys()
        return tuple(_as_value(folder, record, machines, swarm) for folder, record in store.read_all(self._parent))

    def expect_room(self, size: int) -> None:
        """Check the budget, and the disk."""
        budget.expect_room(self._parent, size)

    def take(
        self,
        name: str,
        kind: Kind,
        *,
        services: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
        report: Report = silent,
    ) -> Snapshot:
        """Take one, after room was made for it. Raises InputError for a name that is not one, and LabError."""
        if kind == "own":
            check_snapshot_name(name)
        with self._lab.hold_lock():
            budget.make_room(self._parent, self._keys(), len(self._lab.state.nodes), name)
            whole = not swarm_init.find_missing(self._lab.endpoints())
            folder = take.take(
                self._lab, self._parent, name, kind, services=services, about=about, report=report, whole=whole
            )
        report(Progress("snapshot", f"{name} is saved", 1.0))
        return self._value(folder)

    def restore(self, name: str, report: Report = silent) -> Snapshot:
        """Put the machines back, and wait until the swarm is as whole as it was, or else until the engines answer."""
        folder, record = self._find(name)
        if unfit := fits.why_unfit(record, *self._keys()):
            raise InputError(f"the snapshot {name} {unfit}", remedy="swarmlab snapshots lists those that fit")
        with self._lab.hold_lock():
            restore.restore(self._lab, folder, record, report)
            self._wait(record, report)
        report(Progress("restore", f"{name} is restored", 1.0))
        return self._value(folder)

    def _wait(self, record: Record, report: Report) -> None:
        def say(text: str, _: float = 0.0) -> None:
            report(Progress("restore", text, 0.9))

        if record.whole:
            swarm_init.wait_until_whole(self._lab.endpoints(), bound=_BOUND, say=say)
            return
        running = {node.name for node in record.nodes if node.on}
        endpoints = [endpoint for endpoint in self._lab.endpoints() if endpoint.node in running]

        def silent_ones() -> str:
            silent = [one.node for one in swarm_init.ping_engines(endpoints) if not one.local]
            return f"no answer from the engine of {', '.join(silent)}" if silent else ""

        wait_until("the engines", _BOUND, silent_ones, pause=0.5, say=say, remedy="swarmlab status")

    def pack(self, name: str) -> None:
        """Compress what is not compressed yet, behind everything else that this machine does."""
        found = store.find(self._parent, name)
        for path in sorted(found[0].glob("*.memory")) if found is not None else ():
            with suppress(OSError):  # It was deleted or replaced meanwhile, or there is no room: it stays as it is.
                memory.compress(path)

    def remove(self, name: str) -> None:
        """Delete one."""
        folder, _ = self._find(name)
        with self._lab.hold_lock():
            files.delete(folder)

    def _find(self, name: str) -> tuple[Path, Record]:
        if (found := store.find(self._parent, name)) is None:
            have = ", ".join(record.name for _, record in store.read_all(self._parent)) or "none"
            raise InputError(f"there is no snapshot called {name}; there are: {have}", remedy="swarmlab snapshots")
        return found

    def _value(self, folder: Path) -> Snapshot:
        return next(s for s in self.all() if s.name == folder.name)

    def _keys(self) -> tuple[str, str]:
        return fits.key_of(self._lab.state), fits.swarm_key(self._lab.home / "tls")


def _as_value(folder: Path, record: Record, machines: str, swarm: str) -> Snapshot:
    return Snapshot(
        name=record.name,
        kind=record.kind,
        created=record.created,
        size=store.size_of(folder),
        services=record.services,
        stood_still=record.stood_still,
        about=record.about,
        unfit=fits.why_unfit(record, machines, swarm),
    )
