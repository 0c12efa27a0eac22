"""Going through a lesson, step by step, and what a lesson needs to be watched."""

from __future__ import annotations

from lab.errors import InputError
from lab.lesson.model import Lesson, Step
from lab.panes import find_pane
from lab.run.driver import StepDriver
from lab.run.results import LessonResult, StepResult
from lab.run.step_run import StepRun
from lab.schema import template
from lab.world.entries import Captured, LessonOpened


def run_lesson(lesson: Lesson, driver: StepDriver, *, until: str | None = None) -> LessonResult:
    """Go through a lesson strictly, to its end or through the step `until`, ending at the first step that fails.

    Raises InputError when there is no such step, Cancelled when the user asked to stop.
    """
    if until is not None and lesson.step(until) is None:
        raise InputError(
            f"lesson {lesson.id} has no step {until}", remedy=f"its steps are: {', '.join(s.id for s in lesson.steps)}"
        )
    began = driver.journal.now()
    driver.watch(sources_needed(lesson), marks_needed(lesson))
    open_lesson(lesson, driver)
    results: list[StepResult] = []
    for step in lesson.steps:
        results.append(run_step(lesson, step, driver))
        if not results[-1].passed or step.id == until:
            break
    passed, last = all(r.passed for r in results), results[-1]
    why = "" if passed else f"step {last.step}: {last.why}"
    seconds = round(driver.journal.now() - began, 2)
    return LessonResult(lesson.id, lesson.title, passed, seconds, tuple(results), why)


def open_lesson(lesson: Lesson, driver: StepDriver) -> None:
    """Begin a lesson in the journal, with the values that its texts may use from the start. Of the nodes' addresses,
    which are many, those that it uses."""
    used = {name for step in lesson.steps for text in step.strings() for name in template.placeholders(text)}
    driver.journal.write(LessonOpened(lesson.id))
    for name, value in driver.given_values().items():
        if name in template.GIVEN or name in used:
            driver.journal.write(Captured(name, value))


def sources_needed(lesson: Lesson) -> frozenset[str]:
    """Return the sources that the panes of the lesson and of its steps need, and those that its checks read."""
    panes = {*lesson.panes, *(step.pane for step in lesson.steps if step.pane is not None)}
    of_panes = (source for pane in panes for source in find_pane(pane).needs)
    of_checks = (check.condition.source for step in lesson.steps for check in step.checks)
    return frozenset({*of_panes, *of_checks} - {""})


def marks_needed(lesson: Lesson) -> frozenset[str]:
    """Return the texts that the lesson's checks look for on the nodes' network."""
    return frozenset({check.condition.mark for step in lesson.steps for check in step.checks} - {""})


def run_step(lesson: Lesson, step: Step, driver: StepDriver, *, strict: bool = True) -> StepResult:
    """Go through a step: type its command, or do its act, and await its checks.

    If `strict`, a check that holds before anything is done fails the step. Otherwise a step whose state checks all hold
    already passes without its command, and is reported so; and where it is the learner's turn, nothing is typed here.
    A LabError becomes a failed step with its words; raises Cancelled when the user asked to stop.
    """
    type_it = strict or not step.your_turn
    return StepRun(lesson, step, driver, step.checks).go(strict=strict, type_it=type_it)
