"""The steps passed, per lesson and lab, so that a learner can stop and come back. They outlive the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lab import json_store

if TYPE_CHECKING:
    from lab.lesson.model import Lesson


def passed_steps(name: str, lesson: Lesson) -> tuple[str, ...]:
    """Return the steps passed, in the lesson's order, without ids that the lesson no longer has."""
    done = _steps(json_store.read_store(json_store.store_path("progress", name)), lesson.id)
    return tuple(step.id for step in lesson.steps if step.id in done)


def last_lesson(name: str) -> str:
    """Return the lesson that was opened last, "" when none was."""
    lesson = json_store.read_store(json_store.store_path("progress", name)).get("last", "")
    return lesson if isinstance(lesson, str) else ""


def record_opened(name: str, lesson: str) -> None:
    """Record that a lesson was opened. Raises LabError when that cannot be saved."""
    json_store.update_store(json_store.store_path("progress", name), lambda data: {**data, "last": lesson})


def pass_step(name: str, lesson: Lesson, step: str) -> None:
    """Record that a step was passed. Raises LabError when that cannot be saved."""
    json_store.update_store(
        json_store.store_path("progress", name), lambda data: _with(data, lesson, _steps(data, lesson.id) | {step})
    )


def forget_step(name: str, lesson: Lesson, step: str = "") -> None:
    """Mark a step and all steps after it as not passed ("": the whole lesson). Raises LabError."""
    ids = [each.id for each in lesson.steps]
    kept_ids = set(ids[: ids.index(step)]) if step in ids else set()
    json_store.update_store(
        json_store.store_path("progress", name), lambda data: _with(data, lesson, _steps(data, lesson.id) & kept_ids)
    )


def _steps(data: json_store.Kept, lesson: str) -> set[str]:
    """Return the steps in the saved data, however damaged it is."""
    lessons = data.get("passed")
    steps: Any = lessons.get(lesson) if isinstance(lessons, dict) else None
    return {s for s in steps if isinstance(s, str)} if isinstance(steps, list) else set()


def _with(data: json_store.Kept, lesson: Lesson, steps: set[str]) -> json_store.Kept:
    lessons = data.get("passed")
    rest = lessons if isinstance(lessons, dict) else {}
    return {**data, "passed": {**rest, lesson.id: sorted(steps)}}
