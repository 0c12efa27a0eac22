"""What a step's texts promise, held against what was seen. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from lab.checks.base import Baseline
from lab.lesson.model import Step
from lab.lesson.promise import one_line
from lab.world.world import World


@dataclass(frozen=True, slots=True)
class Broken:
    """A promise that was not kept: its passage, and what was seen instead."""

    passage: str
    why: str

    @property
    def sentence(self) -> str:
        """Both in a sentence."""
        return f"the text says “{self.passage}”, and that is not so: {self.why}"

    @property
    def here(self) -> str:
        """The same, for somebody who has read the text and has done nothing wrong."""
        return f"Here it was not as the text says, “{self.passage}”: {self.why}"


def broken_promises(step: Step, world: World, baseline: Baseline, values: Mapping[str, str]) -> Iterator[Broken]:
    """Yield what the step's texts promise and the world after it does not keep, with the step's captured `values`."""
    for promise in step.promises:
        why = []
        for check in promise.holds:
            try:
                finding = check.fill(values).evaluate(world, baseline)
            except ValidationError:
                continue  # A masked value that the check does not accept: nothing can be compared.
            if not finding.ok:
                why.append(finding.why)
        if why:
            yield Broken(one_line(promise.text), "; ".join(why))
