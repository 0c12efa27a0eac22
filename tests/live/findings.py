"""What some lessons must find beyond what their checks say: the figures that they are there to show."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Steps = Mapping[str, Any]
"""How each step went, by its id, as `--json` tells it."""


def _care_costs_nothing_and_carelessness_requests(steps: Steps, replayed: str) -> None:
    """The learner guesses how many requests an update costs; where nobody is asked, the guess is 0."""
    assert steps["update"]["took"][0].startswith("You said 0. Measured: 0 of ")
    for careless in ("all-at-once", "one-replica"):
        assert " 0 of " not in steps[careless]["took"][0]


def _a_death_is_told_with_its_place(steps: Steps, replayed: str) -> None:
    assert "failed on" in replayed


FINDINGS: Mapping[str, Callable[[Steps, str], None]] = {
    "reconciliation": _a_death_is_told_with_its_place,
    "rolling-update": _care_costs_nothing_and_carelessness_requests,
}
"""By lesson: a function of its steps and of what its recording prints. The unit tests hold the ids to the syllabus."""
