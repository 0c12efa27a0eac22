"""Breaking the cluster for a challenge, out of sight: what is seen of it begins anew with the symptom."""

from __future__ import annotations

from lab.errors import LabError
from lab.lesson.model import Lesson, Step
from lab.run.runner import open_lesson, run_step, sources_needed
from lab.session.cluster_driver import ClusterDriver
from lab.world.journal import Journal


def break_silently(driver: ClusterDriver, lesson: Lesson, step: str | None = None) -> None:
    """Break what a challenge breaks at its start, before `step`, and start its load; nothing for a lesson that breaks
    nothing, and before a later step.

    Returns when each check of the symptom is true; all were false before. Raises LabError when one is not, or was.
    """
    broken = lesson.broken
    if broken is None or step not in (None, "", lesson.steps[0].id):
        return
    breaking = Step(
        id="break", title="Break it", text="Out of sight.", run=broken.by, then=broken.shows, bound=broken.bound
    )
    alone = lesson.model_copy(update={"steps": (breaking,)})
    with driver.out_of_sight():
        unseen = ClusterDriver(driver.cluster, Journal(), events=False)
        unseen.start()
        try:
            unseen.watch(sources_needed(alone))
            open_lesson(alone, unseen)
            result = run_step(alone, breaking, unseen)
        finally:
            unseen.close()
    if not result.passed:
        raise LabError(f"{lesson.id} was not broken as it should be: {result.why}", remedy="try again")
    if broken.load is not None:
        driver.load(broken.load.load_spec(driver.given_values()))
