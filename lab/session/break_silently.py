"""Breaking the cluster for a challenge, out of sight: what is seen of it begins anew with the symptom."""

from __future__ import annotations

from lab.cluster.faults import apply_fault
from lab.cluster.model import Cluster, silent
from lab.errors import LabError
from lab.lesson.act import Act
from lab.lesson.model import Lesson, Step
from lab.run.runner import marks_needed, open_lesson, run_step, sources_needed
from lab.session.cluster_driver import ClusterDriver
from lab.world.entries import CommandEnded
from lab.world.journal import Journal


class _Breaker(ClusterDriver):
    """A driver that nobody watches. When its command has ended well, the faults follow; `held`: those of the network
    end with this process."""

    def __init__(self, cluster: Cluster, acts: tuple[Act, ...], *, held: bool) -> None:
        super().__init__(cluster, Journal(), events=False)
        self._acts, self._held = acts, held

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        ended = super().run(text, node=node, step=step, bound=bound)
        for act in self._acts if ended.status == 0 else ():
            apply_fault(self.cluster, act.action, act.target, silent, held=self._held)
        return ended


def break_silently(driver: ClusterDriver, lesson: Lesson, step: str | None = None, *, held: bool = True) -> None:
    """Break what a challenge breaks at its start, before `step`; nothing for a lesson that breaks nothing, and before a
    later step. Faults of the network that are `held` end with this process.

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
        unseen = _Breaker(driver.cluster, broken.acts, held=held)
        unseen.start()
        try:
            unseen.watch(sources_needed(alone), marks_needed(alone))
            open_lesson(alone, unseen)
            result = run_step(alone, breaking, unseen)
        finally:
            unseen.close()
    if not result.passed:
        raise LabError(f"{lesson.id} was not broken as it should be: {result.why}", remedy="try again")


def begin_load(driver: ClusterDriver, lesson: Lesson) -> None:
    """Make the requests that belong to a challenge from now on; nothing for a lesson that has none of its own."""
    if lesson.broken is not None and lesson.broken.load is not None:
        driver.load(lesson.broken.load.load_spec(driver.given_values()))
