"""The faults inside a lab's machines: kept in a file in its private folder, caused and undone by the machines' agents.

A fault made for a lesson has an owner, the process that runs the lesson. When that has ended, however it ended, the
process that switches the nodes' network undoes the fault: it lives as long as the machines. A fault is in the file
before it is caused and until it is undone, so that one that was interrupted is undone too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from lab import file_lock
from lab.cluster.machine_faults import MachineFault
from lab.cluster.vm import agent
from lab.cluster.vm.owner import Owner
from lab.errors import LabError
from lab.files import write_private

FILE = "machines.json"

_FILL_BOUND = 120.0
"""Seconds for a machine to reserve every block of its disk."""


@dataclass(frozen=True, slots=True)
class Held:
    """A fault, and whose it is; None for one that stays until it is healed."""

    fault: MachineFault
    owner: Owner | None = None

    @property
    def orphaned(self) -> bool:
        """Whether its owner has ended, so that it is to be undone."""
        return self.owner is not None and not self.owner.alive


def read_faults(home: Path) -> tuple[Held, ...]:
    """Return the faults of the machines of the lab in `home`, those that are still to be undone included."""
    try:
        found = json.loads((home / FILE).read_bytes())
        return tuple(Held(MachineFault(**each["fault"]), each["owner"] and Owner(**each["owner"])) for each in found)
    except (OSError, ValueError, TypeError, KeyError):
        return ()


def _write(home: Path, held: Iterable[Held]) -> None:
    rows = [asdict(each) for each in held]
    if rows:
        write_private(home / FILE, json.dumps(rows).encode())
    else:
        (home / FILE).unlink(missing_ok=True)


def cause(home: Path, fault: MachineFault, containers: Iterable[str] = (), owner: Owner | None = None) -> None:
    """Cause a fault in a machine of the lab in `home`; `containers` are the ids of those whose processes are to hang.
    Call this with the lab's lock held. Raises LabError when the machine does not do it."""
    _write(home, [*(one for one in read_faults(home) if not fault.replaces(one.fault)), Held(fault, owner)])
    with agent.connect(home / fault.node) as one:
        match fault.kind:
            case "fill":
                one.ask("fill", bound=_FILL_BOUND)
            case "hang":
                one.ask("hang", " ".join(containers) or fault.what)
            case "skew":
                one.ask("clock", f"{time.time() + 60 * fault.minutes:.3f}")


def mend(home: Path, concerns: Callable[[Held], bool] = lambda _: True) -> None:
    """Undo the faults of the machines that are concerned, and with them all others of the same machines. Call this with
    the lab's lock held. Raises LabError when a machine that is on does not answer."""
    held = read_faults(home)
    for node in sorted({one.fault.node for one in held if concerns(one)}):
        mend_machine(home / node)
        held = tuple(one for one in held if one.fault.node != node)
        _write(home, held)


def mend_machine(folder: Path) -> None:
    """Undo whatever was done inside the machine in `folder`. One that is off has nothing to undo: its clock and its
    processes begin anew, and its disk has room again when it boots. Raises LabError."""
    if not agent.is_there(folder):
        return
    with agent.connect(folder) as one:
        one.ask("mend")
        one.ask("clock", f"{time.time():.3f}")


def forget(home: Path, nodes: Iterable[str]) -> None:
    """Note that these machines have no faults any more: they were powered off, or put back."""
    gone = frozenset(nodes)
    _write(home, [one for one in read_faults(home) if one.fault.node not in gone])


def mend_orphans(home: Path, lock: Path) -> bool:
    """Undo the faults whose owners have ended; return whether there were any. Never raises for a machine that does not
    answer, or a lab that another command is at work on: call this again later."""
    if not any(one.orphaned for one in read_faults(home)):
        return False
    try:
        with file_lock.hold(lock, "undoing the faults of a lesson that has ended"):
            mend(home, lambda one: one.orphaned)
    except (LabError, OSError):
        pass
    return True
