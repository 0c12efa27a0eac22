"""Owners: what a process causes for a lesson ends with that process, however that ends."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, and when it started in clock ticks since the boot: process ids are used again (proc_pid_stat(5))."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return find_owner(self.pid) == self


def find_owner(pid: int) -> Owner | None:
    """Return the process with this id; None when there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The program's name in parentheses may hold anything, parentheses too.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else Owner(pid, fields[19])
