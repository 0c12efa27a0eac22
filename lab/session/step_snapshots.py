"""Snapshots before steps, by which a step is taken back for real: kept while the person reads, restored by `undo`."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass

from lab.cluster import api
from lab.cluster.snapshot import Snapshot
from lab.errors import BusyError, InputError, LabError
from lab.lesson.model import Lesson
from lab.session.cluster_driver import ClusterDriver
from lab.session.save_snapshot import find_moving, save, snapshots_of
from lab.watch.threads import start_thread
from lab.world.entries import ActDone
from lab.world.world import World

STEPS = 6
"""How many snapshots before steps are kept: five can be taken back, and one is the present."""

QUIET = 3.0
"""Seconds for which nothing may have been under way before one is taken."""


def name_before(lesson: str, step: str) -> str:
    """Return the name of the snapshot before a step. It has dots, which no name of a user's own has."""
    return f"before.{lesson}.{step}"


@dataclass(frozen=True)
class Undo:
    """What taking a step back would do: restore `snapshot`, which is from before `step`."""

    snapshot: Snapshot
    step: str


def find_undo(driver: ClusterDriver, lesson: Lesson, last: str) -> Undo:
    """Return how to take back the step `last` of a lesson: by the newest snapshot from before it, or from before an
    earlier step. Raises InputError when none reaches back that far."""
    order = [step.id for step in lesson.steps]
    for each in reversed(snapshots_of(driver.cluster).all()):
        step = each.about.get("step", "")
        mine = each.kind == "step" and each.about.get("lesson") == lesson.id and step in order
        if mine and not each.unfit and order.index(step) <= order.index(last):
            return Undo(each, step)
    raise InputError(
        f"no snapshot is from before the step {last}: it cannot be taken back",
        remedy=f"swarmlab reset --to {lesson.id}:{last} puts the cluster to its start",
    )


def forget_from(driver: ClusterDriver, lesson: Lesson, step: str = "") -> None:
    """Delete the snapshots before a step of a lesson, and before all later ones ("": all): the lesson begins anew
    there. Raises LabError."""
    if driver.cluster.snapshots is not None:
        order = [each.id for each in lesson.steps]
        gone = set(order[order.index(step) :] if step in order else order)
        for each in driver.cluster.snapshots.all():
            if each.kind == "step" and each.about.get("lesson") == lesson.id and each.about.get("step") in gone:
                driver.cluster.snapshots.remove(each.name)


def take_back(driver: ClusterDriver, undo: Undo) -> None:
    """Put the cluster back to before a step, and forget the snapshots that came after it. Raises LabError."""
    snapshots = snapshots_of(driver.cluster)
    driver.restore(undo.snapshot.name)
    driver.look()
    for each in snapshots.all():
        if each.kind == "step" and each.created > undo.snapshot.created:
            snapshots.remove(each.name)


class StepSaver:
    """Saves the cluster before the next step, once nothing is under way: a thread, from `start` to `close`.

    `alone` gives the stage's own turn, so that no step begins meanwhile, or None while it is taken.
    """

    def __init__(self, driver: ClusterDriver, alone: Callable[[], AbstractContextManager[None] | None]) -> None:
        self._driver, self._alone = driver, alone
        self._wanted: tuple[str, str] | None = None
        self._turn = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="step snapshots", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def want(self, lesson: str, step: str) -> None:
        """Save the cluster soon, as it is before this step; "" for no step, which wants nothing."""
        with self._turn:
            self._wanted = (lesson, step) if step else None
            self._turn.notify_all()

    def close(self) -> None:
        """End: one that is being taken is ended by whoever comes next."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _run(self) -> None:
        still = 0
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._wanted is not None or self._closed)
                if self._closed:
                    return
                wanted = self._wanted
                still = 0 if any(find_under_way(self._driver.journal.world)) else still + 1
                if still <= QUIET:
                    self._turn.wait_for(lambda: self._closed, timeout=1.0)
                    continue
            if wanted is not None and (turn := self._alone()) is not None:
                with turn:
                    done = self._save(*wanted)
                if not done:
                    still = 0
                    continue
                self._pack(name_before(*wanted))
                with self._turn:
                    self._wanted = None if self._wanted == wanted else self._wanted
            still = 0

    def _pack(self, name: str) -> None:
        """Pack one, in a thread that gives way to everything else on this machine."""

        def pack(name: str) -> None:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # on Linux, of this thread alone
            snapshots_of(self._driver.cluster).pack(name)

        with suppress(LabError, OSError):  # It stays as it is, which is as good, only larger.
            start_thread(pack, name).result()

    def _save(self, lesson: str, step: str) -> bool:
        """Save the cluster; return False when another swarmlab is at work on it, and it is to be tried again."""
        try:
            about = {"lesson": lesson, "step": step}
            with api.at_work(self._driver.cluster.name, f"saving the cluster before {step}"):
                saved = save(self._driver, name_before(lesson, step), "step", about=about)
            self._driver.journal.write(ActDone(f"saved before {step}, standing still for {saved.stood_still:.1f} s"))
            snapshots = snapshots_of(self._driver.cluster)
            of_steps = [each for each in snapshots.all() if each.kind == "step"]
            for each in of_steps[:-STEPS]:
                snapshots.remove(each.name)
        except BusyError:
            return False
        except LabError as error:
            self._driver.journal.write(ActDone(f"no snapshot before {step}: {error.sentence}"))
        return True


def find_under_way(world: World) -> Iterator[str]:
    """Yield what is under way on a cluster, in sentences: changes of the swarm, a command in a shell, load."""
    if world.link.state != "live":
        yield "no manager answers"
    elif moving := find_moving(world):
        yield moving
    if world.load.running:
        yield "load runs"
    if any(command.seconds is None for command in world.commands):
        yield "a command runs"
