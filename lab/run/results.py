"""The results of going through a step or a lesson, as values: the `--json` output of `swarmlab run`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's state before its step and after it. `seconds`: from the start of the step until it held, None if
    never."""

    text: str
    before: bool
    after: bool
    why_before: str
    why_after: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """The result of a step. `command` is what was typed, with captured values filled in ("" for an act), `status` its
    exit status (None: it did not run or end). `took` are sentences about what was measured. `created` are the ids of
    what the step created."""

    step: str
    title: str
    passed: bool
    command: str
    act: str
    node: str
    status: int | None
    seconds: float
    bound: float
    checks: tuple[CheckResult, ...]
    captured: dict[str, str]
    took: tuple[str, ...] = ()
    already: bool = False
    """Whether the state checks held before anything was done."""
    why: str = ""
    hint: str = ""
    created: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LessonResult:
    """The result of a lesson: passed only when every step to go through did."""

    lesson: str
    title: str
    passed: bool
    seconds: float
    steps: tuple[StepResult, ...]
    why: str = ""


@dataclass(frozen=True, slots=True)
class StepTime:
    """How many seconds a step of a lesson took."""

    lesson: str
    step: str
    seconds: float


def slowest_steps(results: Sequence[LessonResult], most: int = 5) -> tuple[StepTime, ...]:
    """Return the steps that took longest, the slowest first; of equal ones, the earlier first."""
    times = [StepTime(result.lesson, step.step, step.seconds) for result in results for step in result.steps]
    return tuple(sorted(times, key=lambda time: -time.seconds)[:most])
