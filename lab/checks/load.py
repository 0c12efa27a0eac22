"""Checks on the load that the lab makes."""

from __future__ import annotations

from pydantic import model_validator

from lab.checks.base import Baseline, Condition, Count, Outcome, Some
from lab.text import count_of
from lab.world.world import World


class LoadIs(Condition):
    """Since the step began, the load has sent at least `sent` requests; optionally, exactly `failed`, at least
    `failed_at_least` or at most `failed_at_most` of them have failed."""

    kind = "total"
    of_swarm = False
    example = "{sent: 50, failed: 0}"

    sent: Some
    failed: Count | None = None
    failed_at_least: Some | None = None
    failed_at_most: Some | None = None

    @model_validator(mode="after")
    def _one(self) -> LoadIs:
        if sum(bound is not None for bound in (self.failed, self.failed_at_least, self.failed_at_most)) > 1:
            raise ValueError("failed, failed_at_least and failed_at_most exclude each other")
        return self

    @property
    def _most(self) -> int | None:
        """How many may fail; None if any number may."""
        return self.failed if self.failed is not None else self.failed_at_most

    @property
    def sentence(self) -> str:
        sent = f"the load sent at least {count_of(self.sent, 'request')}"
        if self.failed_at_least is not None:
            return f"{sent}, and at least {count_of(self.failed_at_least, 'request')} of them failed"
        if self.failed_at_most is not None:
            return f"{sent}, and at most {count_of(self.failed_at_most, 'request')} of them failed"
        if self.failed is None:
            return sent
        return f"{sent}, and {count_of(self.failed, 'request') if self.failed else 'no request'} failed"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        sent, _, bad = world.load.count_since(baseline.since.load)
        text = f"{bad} of {count_of(sent, 'request')} failed"
        if not world.load.running and not sent:
            return Outcome(False, "no load is made")
        if sent < self.sent:
            return Outcome(False, f"{sent} of {self.sent} requests were sent; {bad} failed")
        if self.failed is not None:
            return Outcome(bad == self.failed, text)
        if self.failed_at_most is not None:
            return Outcome(bad <= self.failed_at_most, text)
        return Outcome(bad >= (self.failed_at_least or 0), text)

    def is_lost(self, world: World, baseline: Baseline) -> bool:
        """Return whether more requests have failed than may fail."""
        _, _, bad = world.load.count_since(baseline.since.load)
        return self._most is not None and bad > self._most
