"""Snapshots of a cluster from the command line and from the app: taken when it is still, and restored."""

from __future__ import annotations

from contextlib import suppress

from lab.cluster import api
from lab.cluster.model import Progress, Report, silent
from lab.cluster.snapshot import Snapshot, check_snapshot_name
from lab.errors import EngineError, InputError
from lab.lesson import progress
from lab.lesson.course import load_course
from lab.session.run import open_driver
from lab.session.save_snapshot import save, snapshots_of
from lab.session.step_snapshots import Undo, find_undo, take_back

#: Seconds for a manager to answer before a step is taken back.
_QUICK = 10.0


def take_snapshot(name: str, snapshot: str, report: Report = silent) -> Snapshot:
    """Save the cluster `name` as a snapshot of its user's own, once it is still. Raises InputError, LabError,
    BusyError when another swarmlab is at work on it, WaitError when it does not become still."""
    check_snapshot_name(snapshot)
    snapshots_of(api.find(name))
    with api.at_work(name, f"saving the snapshot {snapshot}"), open_driver(name, events=False) as driver:
        return save(driver, snapshot, "own", report=report)


def restore_snapshot(name: str, snapshot: str, report: Report = silent) -> Snapshot:
    """Put the cluster `name` back to a snapshot. Raises InputError, LabError, and BusyError when another swarmlab is at
    work on it."""
    with api.at_work(name, f"restoring the snapshot {snapshot}"):
        return snapshots_of(api.find(name)).restore(snapshot, report)


def undo_step(name: str, report: Report = silent) -> tuple[str, Undo]:
    """Take back the last step that was passed on the cluster `name`, or what was changed by hand since; return its
    lesson's id and what was done. Raises InputError when there is nothing that reaches back, LabError, BusyError."""
    opened = progress.last_lesson(name)
    lesson = next((each for each in load_course() if each.id == opened), None)
    if lesson is None:
        raise InputError("no lesson was opened: there is nothing to take back", remedy="swarmlab lessons")
    passed = progress.passed_steps(name, lesson)
    with api.at_work(name, f"taking a step of {lesson.id} back"), open_driver(name, look=False, events=False) as driver:
        with suppress(EngineError):  # Where no manager answers, anything is better than that.
            driver.look(_QUICK)
        undo = find_undo(driver, lesson, passed)
        report(Progress("restore", f"back to {lesson.id} as it was {undo.sentence}", 0.0))
        take_back(driver, undo)
    progress.forget_steps(name, lesson, undo.taken)
    return lesson.id, undo
