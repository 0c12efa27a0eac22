"""A check on the managers themselves: whether one answers what it is asked about the swarm."""

from __future__ import annotations

from lab.checks.base import Baseline, Condition, Outcome
from lab.world.world import World


class ManagersAnswer(Condition):
    """Whether a manager answers questions about the swarm (`answer`). Without a quorum none does."""

    of_swarm = False
    example = "{answer: false}"

    answer: bool

    @property
    def sentence(self) -> str:
        return "a manager answers" if self.answer else "no manager answers"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:  # noqa: ARG002
        link = world.link
        if link.state == "live":
            return Outcome(self.answer, f"{link.node} answers")
        return Outcome(not self.answer and link.state == "stale", f"no manager answers: {link.why or 'none was asked'}")
