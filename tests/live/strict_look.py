"""Looking whether a step's checks hold, beside the lab and strictly: again and again, with sources of its own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from lab.checks.base import Baseline
from lab.checks.check import Check
from lab.cluster.model import Cluster
from lab.lesson.model import Lesson, Step
from lab.run.runner import sources_needed
from lab.run.step_run import requests_of
from lab.session.cluster_driver import ClusterDriver
from lab.world.journal import Journal

#: Seconds between two looks.
PAUSE = 0.5


@dataclass
class StrictLook:
    """A look that goes on. `found` is when all checks held for the first time, in seconds of the lab's journal."""

    found: float | None = None


@contextmanager
def open_strict_look(cluster: Cluster, lesson: Lesson) -> Iterator[ClusterDriver]:
    """A driver beside the lab's own, which watches what the lesson's checks need."""
    driver = ClusterDriver(cluster, Journal(), events=False)
    driver.start()
    try:
        driver.watch(sources_needed(lesson))
        driver.look()
        yield driver
    finally:
        driver.close()


@contextmanager
def looking(driver: ClusterDriver, journal: Journal, step: Step) -> Iterator[StrictLook]:
    """Look with `driver` whether the checks of a step hold; what its commands printed, and how many requests its load
    sent, is in the lab's own `journal`. It begins with the world as it is now."""
    look, stop = StrictLook(), threading.Event()
    values = dict(journal.world.lesson.captured)
    checks = [check.fill(values) for check in step.then]
    of_lab = [c for c in checks if c.condition.of_command or c.condition.kind == "total"]
    own = [c for c in checks if c not in of_lab]
    accepts = frozenset({0, *(check.exit for check in step.then if check.exit is not None)})
    there = Baseline(since=journal.world, like=step.command or "", accepts=accepts)
    driver.look()
    here = Baseline(since=driver.journal.world)

    def look_on() -> None:
        while not stop.wait(PAUSE):
            if all(c.evaluate(journal.world, there).ok for c in of_lab) and _hold(driver, own, here):
                look.found = look.found or journal.now()

    thread = threading.Thread(target=look_on, name="strict look", daemon=True)
    thread.start()
    try:
        yield look
    finally:
        stop.set()
        thread.join(60)


def _hold(driver: ClusterDriver, checks: list[Check], baseline: Baseline) -> bool:
    """Whether all checks hold by a look that begins now; requests are sent last."""
    driver.look()
    for source in sorted({c.condition.source for c in checks} - {""}):
        driver.refresh(source)
    if not all(c.evaluate(driver.journal.world, baseline).ok for c in checks if c.condition.request is None):
        return False
    baseline = replace(baseline, asked=driver.journal.world)
    for request, times in requests_of(checks).items():
        driver.ask(request, times=times)
    return all(c.evaluate(driver.journal.world, baseline).ok for c in checks)
