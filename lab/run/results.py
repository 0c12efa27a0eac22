"""What going through a step or a lesson gave, as values: the `--json` of `swarmlab run`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check's state before its step and after it. `seconds`: from the step's begin until it held, None if never."""

    text: str
    before: bool
    after: bool
    why_before: str
    why_after: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class StepResult:
    """How a step went. `command` is what was typed, captured values filled in ("" for an act), `status` its exit
    status (None: it did not run or end). `took` are measured sentences. `created` are ids of what the step made."""

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
    """It was so before anything was done."""
    why: str = ""
    hint: str = ""
    created: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LessonResult:
    """How a lesson went: passed only when every step that it should go through did."""

    lesson: str
    title: str
    passed: bool
    seconds: float
    steps: tuple[StepResult, ...]
    why: str = ""
