"""Snapshots before steps, by which a step is taken back for real: kept while the person reads, restored by `undo`.

One is taken before a step, and another whenever somebody has changed the swarm by hand since the last one: a command
that was typed can be taken back, too.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from lab.cluster import api
from lab.cluster.snapshot import Snapshot, Snapshots
from lab.errors import BusyError, InputError, LabError
from lab.lesson.model import Lesson
from lab.session.cluster_driver import ClusterDriver
from lab.session.save_snapshot import find_moving, save, snapshots_of
from lab.watch.threads import start_thread
from lab.world.entries import ActDone
from lab.world.journal import Journal
from lab.world.world import World

STEPS = 6
"""How many snapshots before steps are kept: five can be taken back, and one is the present."""

_AGAIN = 5.0
"""Seconds until the saving goes on after a failure."""

QUIET = 3.0
"""Seconds for which nothing may have been under way before one is taken."""


SWARM = "swarm"
"""The key in a snapshot's `about` with the fingerprint of its swarm."""

BEGUN = "begun"
"""The key there with the ids of the steps that had begun, separated by commas."""


def name_before(lesson: str, step: str, number: int = 1) -> str:
    """Return the name of the snapshot before a step, or of the next one before the same step. It has dots, which no
    name of a user's own has."""
    return f"before.{lesson}.{step}" + (f".{number}" if number > 1 else "")


def fingerprint(world: World) -> str:
    """Return a short digest of what a person can change in a swarm: services as specified, nodes, networks, secrets and
    configs. Tasks are not in it, since they come and go by themselves."""
    swarm = world.swarm
    services = sorted((each.name, each.id, repr(each.spec)) for each in swarm.services.values())
    nodes = sorted((each.name, each.role, each.availability, repr(each.labels)) for each in swarm.nodes.values())
    return hashlib.sha256(repr((services, nodes, sorted(swarm.objects))).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Undo:
    """What taking back would do: restore `snapshot`, after which the step `step` is next. `taken` are the steps that
    have begun since it; `by_hand`: it goes back to before something that was typed or done elsewhere, of which
    `command` is the first that was typed."""

    snapshot: Snapshot
    step: str
    taken: tuple[str, ...] = ()
    by_hand: bool = False
    command: str = ""

    @property
    def sentence(self) -> str:
        """What it goes back to, as the end of a sentence."""
        if not self.by_hand:
            return f"before the step {self.step}"
        when = f"{self.snapshot.created.astimezone():%H:%M:%S}"
        return f"before `{self.command}`" if self.command else f"before what was changed by hand since {when}"


def find_undo(driver: ClusterDriver, lesson: Lesson, begun: Collection[str]) -> Undo:
    """Return how to take back the last step of those of a lesson that have `begun`, or what was changed by hand since
    it: by the newest snapshot from before that. Raises InputError when none reaches back that far."""
    order = [step.id for step in lesson.steps]
    now, every = fingerprint(driver.journal.world), _of_lesson(driver, lesson)
    last = next((id for id in reversed(order) if id in begun), "")
    # What another lesson did meanwhile is not this one's to take back.
    ours = _newest_lesson(driver) == lesson.id
    for place, each in reversed(tuple(enumerate(every))):
        step, before = each.about["step"], _begun_before(each, order)
        taken = tuple(id for id in order if id in begun and id not in before)
        if not taken and not (ours and each.about.get(SWARM, now) != now):
            continue
        later = every[place + 1].created if place + 1 < len(every) else None
        # One in the midst of a step: somebody had changed the swarm before it, and did so again after it.
        amidst = place > 0 and every[place - 1].about["step"] == step
        by_hand = not taken or amidst
        command = _typed_between(driver.journal, each.created, later) if by_hand else ""
        return Undo(each, taken[0] if taken else step, taken, by_hand, command)
    if not last:
        raise InputError("no step has begun, and nothing was changed by hand: there is nothing to take back")
    raise InputError(
        f"no snapshot is from before the step {last}: it cannot be taken back",
        remedy=f"swarmlab reset --to {lesson.id}:{last} puts the cluster to its start",
    )


def _begun_before(snapshot: Snapshot, order: Sequence[str]) -> Collection[str]:
    """Return the steps that had begun when a snapshot was taken."""
    begun = snapshot.about.get(BEGUN)
    return order[: order.index(snapshot.about["step"])] if begun is None else begun.split(",")


def _newest_lesson(driver: ClusterDriver) -> str:
    of_steps = [each for each in snapshots_of(driver.cluster).all() if each.kind == "step"]
    return of_steps[-1].about.get("lesson", "") if of_steps else ""


def _of_lesson(driver: ClusterDriver, lesson: Lesson) -> list[Snapshot]:
    """Return the snapshots before steps of a lesson that can be restored, oldest first."""
    steps = {step.id for step in lesson.steps}
    return [
        each
        for each in snapshots_of(driver.cluster).all()
        if (each.kind, each.about.get("lesson")) == ("step", lesson.id)
        and each.about.get("step") in steps
        and not each.unfit
    ]


def _typed_between(journal: Journal, when: datetime, until: datetime | None) -> str:
    """Return the first command that somebody typed after a moment, and before another, "" if there is none."""
    began = journal.now() - (datetime.now(UTC) - when).total_seconds()
    ended = journal.now() - (datetime.now(UTC) - until).total_seconds() if until is not None else journal.now() + 1.0
    typed = (each.text for each in journal.world.commands if not each.step and began < each.at < ended)
    first = next(typed, "")
    return f"{first.splitlines()[0]} …" if "\n" in first else first


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
    with suppress(LabError):  # The cluster is back; what is stale is left out next time, or goes when room is needed.
        for each in snapshots.all():
            if each.kind == "step" and each.created > undo.snapshot.created:
                snapshots.remove(each.name)


class StepSaver:
    """Saves the cluster before the next step, once nothing is under way, and again whenever the swarm was changed by
    hand: a thread, from `start` to `close`.

    It looks every `pause` seconds. `alone` gives the stage's own turn, so that no step begins meanwhile, or None while
    it is taken.
    """

    def __init__(
        self, driver: ClusterDriver, alone: Callable[[], AbstractContextManager[None] | None], *, pause: float = 1.0
    ) -> None:
        self._driver, self._alone, self._pause = driver, alone, pause
        self._wanted: tuple[str, str] | None = None
        self._kept: tuple[tuple[str, str], str] | None = None
        self._turn = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="step snapshots", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def want(self, lesson: str, step: str) -> None:
        """Keep the cluster saved, as it is before this step; "" for no step, which wants nothing."""
        with self._turn:
            self._wanted = (lesson, step) if step else None
            self._turn.notify_all()

    def close(self) -> None:
        """End: one that is being taken is ended by whoever comes next."""
        with self._turn:
            self._closed = True
            self._turn.notify_all()

    def _run(self) -> None:
        still = 0.0
        while (wanted := self._await_wanted()) is not None:
            try:
                still = self._look(wanted, still)
            except Exception as error:  # noqa: BLE001  thread boundary: one failure must not end the saving
                still = 0.0
                self._driver.journal.write(ActDone(f"the cluster was not saved: {error}"))
                with self._turn:
                    self._turn.wait_for(lambda: self._closed, timeout=_AGAIN)

    def _look(self, wanted: tuple[str, str], still: float) -> float:
        """Save the cluster if it has been still for long enough; return for how long it is still now."""
        world = self._driver.journal.world
        if self._is_saved(*wanted, world) or any(find_under_way(world)):
            return 0.0
        if still + self._pause <= QUIET:
            return still + self._pause
        if (turn := self._alone()) is not None:
            with turn:
                name = self._save(*wanted)
            if name:
                self._pack(name)
        return 0.0

    def _await_wanted(self) -> tuple[str, str] | None:
        """Wait a moment, and for as long as nothing is wanted; return what is, None at the end."""
        with self._turn:
            self._turn.wait_for(lambda: self._closed, timeout=self._pause)
            self._turn.wait_for(lambda: self._wanted is not None or self._closed)
            return None if self._closed else self._wanted

    def _is_saved(self, lesson: str, step: str, world: World) -> bool:
        """Return whether the newest snapshot before a step has the swarm as it is."""
        now = ((lesson, step), fingerprint(world))
        newest = self._newest(lesson, step) if self._kept != now else None
        if newest is not None and newest.about.get(SWARM) == now[1] and not newest.unfit:
            self._kept = now
        return self._kept == now

    def _newest(self, lesson: str, step: str) -> Snapshot | None:
        """Return the last snapshot before any step of the lesson if it is before this one."""
        every = [each for each in snapshots_of(self._driver.cluster).all() if each.kind == "step"]
        mine = every and (every[-1].about.get("lesson"), every[-1].about.get("step")) == (lesson, step)
        return every[-1] if mine else None

    def _pack(self, name: str) -> None:
        """Pack one, in a thread that gives way to everything else on this machine."""

        def pack(name: str) -> None:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)  # on Linux, of this thread alone
            snapshots_of(self._driver.cluster).pack(name)

        start_thread(pack, name)  # If it fails, the snapshot stays as it is, which is as good, only larger.

    def _save(self, lesson: str, step: str) -> str:
        """Save the cluster; return the snapshot's name, "" when there is none: another swarmlab is at work on the
        cluster, and it is tried again, or it cannot be saved as it is, which is told once."""
        snapshots = snapshots_of(self._driver.cluster)
        try:
            with api.at_work(self._driver.cluster.name, f"saving the cluster before {step}"):
                self._driver.look()
                world = self._driver.journal.world
                if find_moving(world):
                    return ""  # A step must not wait until it is still again.
                begun = [id for of, id in world.lesson.steps if of == lesson]
                now = fingerprint(world)
                about = {"lesson": lesson, "step": step, SWARM: now, BEGUN: ",".join(sorted(begun))}
                saved = save(self._driver, _free_name(snapshots, lesson, step), "step", about=about)
            if fingerprint(self._driver.journal.world) != now:  # somebody changed it at this very moment
                snapshots.remove(saved.name)
                return ""
            self._kept = ((lesson, step), now)
            self._driver.journal.write(ActDone(f"saved before {step}, standing still for {saved.stood_still:.1f} s"))
            with suppress(LabError):  # One too many does no harm.
                for each in [each for each in snapshots.all() if each.kind == "step"][:-STEPS]:
                    snapshots.remove(each.name)
        except BusyError:
            return ""
        except LabError as error:
            self._kept = ((lesson, step), fingerprint(self._driver.journal.world))
            self._driver.journal.write(ActDone(f"no snapshot before {step}: {error.sentence}"))
            return ""
        return saved.name


def _free_name(snapshots: Snapshots, lesson: str, step: str) -> str:
    """Return the first name for a snapshot before a step that none has."""
    taken = {each.name for each in snapshots.all()}
    return next(name for number in itertools.count(1) if (name := name_before(lesson, step, number)) not in taken)


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
