"""The sign by which a step is known that covers a point of the talk. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator

from pydantic import field_validator, model_validator

from lab.checks.base import Pattern, regex
from lab.lesson.model import Lesson, Step
from lab.lesson.pane_id import PaneId
from lab.schema.value import Value


class Sign(Value):
    """What one step must have: all of the keys that are given."""

    command: Pattern | None = None
    """A regular expression found in the step's command or in another way to do it."""
    check: Pattern | None = None
    """One found in a check as JSON, such as `"load": .*"failed": 0`."""
    pane: PaneId | None = None
    """The pane that is open in the step: its own, else the one of the step before."""
    reads: Pattern | None = None
    """One found in a block that is read: `app.yaml#services/backend/deploy`."""
    says: Pattern | None = None
    """One found in what is read before the step or after it."""

    @field_validator("command", "check", "reads", "says")
    @classmethod
    def _compiles(cls, pattern: str | None) -> str | None:
        return regex(pattern) if pattern else pattern

    @model_validator(mode="after")
    def _some(self) -> Sign:
        if not (self.command or self.check or self.pane or self.reads):
            raise ValueError("a sign needs a command, a check, a pane or reads: words alone show nothing")
        return self

    def is_in(self, step: Step, pane: str) -> bool:
        """Return whether the step has all of it while `pane` is open."""
        return (
            (self.pane is None or self.pane == pane)
            and _found(self.command, (step.command or "", *step.ways))
            and _found(self.check, map(_as_json, (*step.then, *step.keeps)))
            and _found(self.reads, (f"{block.file}#{block.block}" for block in step.reads))
            and _found(self.says, (step.text, step.after or ""))
        )


def find_step(sign: Sign, lesson: Lesson) -> Step | None:
    """Return the first step of the lesson that has the sign."""
    return next((step for step, pane in _with_panes(lesson) if sign.is_in(step, pane)), None)


def _with_panes(lesson: Lesson) -> Iterator[tuple[Step, str]]:
    pane = lesson.panes[0] if lesson.panes else ""
    for step in lesson.steps:
        pane = step.pane or pane
        yield step, pane


def _found(pattern: str | None, texts: Iterable[str]) -> bool:
    return pattern is None or any(re.search(pattern, text) for text in texts)


def _as_json(check: Value) -> str:
    return json.dumps(check.model_dump(exclude_unset=True, mode="json"))
