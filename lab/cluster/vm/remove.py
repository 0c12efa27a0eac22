"""The end of a lab of machines, even of a half-made one."""

from __future__ import annotations

from collections.abc import Sequence

from lab import files
from lab.cluster import lab_paths
from lab.cluster.model import Progress, Report
from lab.cluster.vm import processes, state
from lab.errors import LabError


def remove(name: str, report: Report) -> None:
    """End the machines of the lab `name`, even a half-made one, and delete its folder.

    Raises LabError and deletes nothing when there is no sign that the lab made the folder: no record, mark or process.
    """
    home = lab_paths.lab_folder(name)
    try:
        lab = state.load_state(name)
        nodes: Sequence[tuple[str, str]] = [(n.name, n.identity) for n in lab.nodes]
        switch = lab.switch
    except LabError:
        nodes, switch = processes.find_strays(home), processes.find_stray_switch(home)
        if not (nodes or switch or state.is_made_by_lab(name)) and home.is_dir() and any(home.iterdir()):
            raise LabError(
                f"nothing in {home} was deleted: it holds no record of a lab, so others may have put it there",
                remedy="delete the files in it that you do not need",
            ) from None
    for node, identity in nodes:
        report(Progress("down", f"powering {node} off"))
        processes.power_off(home / node, identity)
    if switch:
        processes.stop_switch(home, switch)
    report(Progress("down", "deleting disks and keys"))
    # The signs that the lab made it are deleted last, so that an interrupted `down` can be run again.
    for path in () if home.is_symlink() else tuple(home.glob("*")):
        if path.name not in (state.FILE, state.MARK):
            files.delete(path)
    files.delete(home)
