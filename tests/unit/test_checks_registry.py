"""A check is a class and a line: what is derived from it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from pydantic import ValidationError, create_model

from lab import paths
from lab.checks.base import Baseline, Condition, Outcome
from lab.checks.check import Check
from lab.lesson.check_table import check_table, kinds, with_table
from lab.world.world import World

HERE = Baseline()


class Converged(Condition):
    """Every service has what it should have."""

    source = "routes"
    is_so: Literal["yes", "no"]

    @property
    def sentence(self) -> str:
        return f"the swarm has converged: {self.is_so}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        return Outcome(world.swarm.converged == (self.is_so == "yes"), f"{len(world.swarm.services)} services")


#: What a line in `Check` would make of it.
WITH_IT = create_model("Check", __base__=Check, converged=(Converged | None, None))


def test_a_new_check_is_a_class_and_a_line() -> None:
    check = WITH_IT.model_validate({"converged": {"is_so": "yes"}})
    assert check.sentence == "the swarm has converged: yes"
    assert check.evaluate(World(), HERE) == Outcome(True, "0 services")
    assert (check.condition.kind, check.condition.source, check.condition.request) == ("state", "routes", None)
    assert "converged" in WITH_IT.model_json_schema()["properties"]
    assert "| `converged` | Every service has what it should have. | is true now | routes |" in check_table(WITH_IT)
    with pytest.raises(ValidationError, match=r"exactly one of running, .*, converged"):
        WITH_IT.model_validate({})


def test_captured_values_are_put_into_a_new_one_too() -> None:
    class Named(Converged):
        """With a text."""

        name: str = ""

    model = create_model("Check", __base__=Check, named=(Named | None, None))
    filled = model.model_validate({"named": {"is_so": "no", "name": "{{who}}"}}).fill({"who": "web"})
    assert isinstance(filled.condition, Named)
    assert filled.condition.name == "web"


def test_every_check_says_when_it_is_true_and_has_an_example() -> None:
    assert all(each.__doc__ and each.kind in ("state", "event", "total") for each in kinds().values())
    assert all(each.example for each in kinds().values()), "the author's chapter has it"
    assert kinds().keys() == Check.model_fields.keys()


def test_the_table_of_checks_is_current() -> None:
    document = paths.lessons().parent / "ARCHITECTURE.md"
    text = Path(document).read_text(encoding="utf-8")
    assert with_table(text) == text, "make schemas writes it"
