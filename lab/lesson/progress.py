"""The steps passed, per lesson and lab, so that a learner can stop and come back. They outlive the cluster, but not the
lesson's version."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from lab import json_store

if TYPE_CHECKING:
    from lab.lesson.model import Lesson


def passed_steps(name: str, lesson: Lesson) -> tuple[str, ...]:
    """Return the steps passed, in the lesson's order, without ids that the lesson no longer has."""
    done = _steps(json_store.read_store(json_store.store_path("progress", name)), lesson)
    return tuple(step.id for step in lesson.steps if step.id in done)


def last_lesson(name: str) -> str:
    """Return the lesson that was opened last, "" when none was."""
    lesson = json_store.read_store(json_store.store_path("progress", name)).get("last", "")
    return lesson if isinstance(lesson, str) else ""


def record_opened(name: str, lesson: str) -> None:
    """Record that a lesson was opened. Raises LabError when that cannot be saved."""
    json_store.update_store(json_store.store_path("progress", name), lambda data: {**data, "last": lesson})


def find_seed(name: str, challenge: str) -> int | None:
    """Return the seed of a challenge that was given to this lab's learner, None when there was none."""
    seeds = json_store.read_store(json_store.store_path("progress", name)).get("seeds")
    seed = seeds.get(challenge) if isinstance(seeds, dict) else None
    return seed if isinstance(seed, int) else None


def record_seed(name: str, challenge: str, seed: int) -> None:
    """Record the seed of a challenge. Raises LabError when that cannot be saved."""

    def with_seed(data: json_store.Kept) -> json_store.Kept:
        seeds = data.get("seeds")
        return {**data, "seeds": {**(seeds if isinstance(seeds, dict) else {}), challenge: seed}}

    json_store.update_store(json_store.store_path("progress", name), with_seed)


def pass_step(name: str, lesson: Lesson, step: str) -> None:
    """Record that a step was passed. Raises LabError when that cannot be saved."""
    json_store.update_store(
        json_store.store_path("progress", name), lambda data: _with(data, lesson, _steps(data, lesson) | {step})
    )


def forget_step(name: str, lesson: Lesson, step: str = "") -> None:
    """Mark a step and all steps after it as not passed ("": the whole lesson). Raises LabError."""
    ids = [each.id for each in lesson.steps]
    kept_ids = set(ids[: ids.index(step)]) if step in ids else set()
    json_store.update_store(
        json_store.store_path("progress", name), lambda data: _with(data, lesson, _steps(data, lesson) & kept_ids)
    )


def forget_steps(name: str, lesson: Lesson, steps: Collection[str]) -> None:
    """Mark these steps as not passed, and no others. Raises LabError."""
    json_store.update_store(
        json_store.store_path("progress", name), lambda data: _with(data, lesson, _steps(data, lesson) - set(steps))
    )


def _steps(data: json_store.Kept, lesson: Lesson) -> set[str]:
    """Return the steps in the saved data, however damaged it is; none when they are of another version."""
    lessons, versions = data.get("passed"), data.get("versions")
    # Files from before versions were kept are of the first one.
    version: Any = versions.get(lesson.id, 1) if isinstance(versions, dict) else 1
    steps: Any = lessons.get(lesson.id) if isinstance(lessons, dict) and version == lesson.version else None
    return {s for s in steps if isinstance(s, str)} if isinstance(steps, list) else set()


def _with(data: json_store.Kept, lesson: Lesson, steps: set[str]) -> json_store.Kept:
    lessons, versions = data.get("passed"), data.get("versions")
    passed = {**(lessons if isinstance(lessons, dict) else {}), lesson.id: sorted(steps)}
    return {
        **data,
        "passed": passed,
        "versions": {**(versions if isinstance(versions, dict) else {}), lesson.id: lesson.version},
    }
