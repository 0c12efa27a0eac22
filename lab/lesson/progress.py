"""What was done in the lessons, per lab, so that a learner can stop and come back. It outlives the cluster, but not the
lesson's version.

Two things are kept of a lesson's steps. `passed`: those that are behind one on the way through the lesson; a reset
takes them back. `done`: those that were ever passed; nothing takes them back.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lab import json_store

if TYPE_CHECKING:
    from lab.lesson.model import Lesson


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of a lesson: the steps passed and done, the ids of the hints that were taken, by step, and which
    cluster the last step was passed on ("": not known)."""

    passed: frozenset[str] = frozenset()
    done: frozenset[str] = frozenset()
    hints: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: str = ""


def read_record(name: str, lesson: Lesson) -> Record:
    """Return what is known of a lesson, without ids of steps that it no longer has."""
    found, ids = _read(json_store.read_store(json_store.store_path("progress", name)), lesson), _ids(lesson)
    hints = {step: taken for step, taken in found.hints.items() if step in ids}
    return replace(found, passed=found.passed & ids, done=found.done & ids, hints=hints)


def passed_steps(name: str, lesson: Lesson) -> tuple[str, ...]:
    """Return the steps passed, in the lesson's order."""
    passed = read_record(name, lesson).passed
    return tuple(step.id for step in lesson.steps if step.id in passed)


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


def pass_step(name: str, lesson: Lesson, step: str, cluster: str = "") -> None:
    """Record that a step was passed, on which cluster. Raises LabError when that cannot be saved."""
    _change(
        name,
        lesson,
        lambda found: replace(
            found, passed=found.passed | {step}, done=found.done | {step}, cluster=cluster or found.cluster
        ),
    )


def record_cluster(name: str, lesson: Lesson, cluster: str) -> None:
    """Record that the steps passed are so on this cluster now: a reset has put it there. Raises LabError."""
    _change(name, lesson, lambda found: replace(found, cluster=cluster))


def take_hint(name: str, lesson: Lesson, step: str, hint: str) -> None:
    """Record that a hint of a step was told; once is enough. Raises LabError when that cannot be saved."""

    def add_hint(found: Record) -> Record:
        before = found.hints.get(step, ())
        return found if hint in before else replace(found, hints={**found.hints, step: (*before, hint)})

    _change(name, lesson, add_hint)


def forget_step(name: str, lesson: Lesson, step: str = "") -> None:
    """Mark a step and all steps after it as not passed ("": the whole lesson). Raises LabError."""
    ids = [each.id for each in lesson.steps]
    kept = frozenset(ids[: ids.index(step)] if step in ids else ())
    _change(name, lesson, lambda found: replace(found, passed=found.passed & kept))


def forget_steps(name: str, lesson: Lesson, steps: Collection[str]) -> None:
    """Mark these steps as not passed, and no others. Raises LabError."""
    _change(name, lesson, lambda found: replace(found, passed=found.passed - frozenset(steps)))


def _ids(lesson: Lesson) -> frozenset[str]:
    return frozenset(step.id for step in lesson.steps)


def _change(name: str, lesson: Lesson, change: Callable[[Record], Record]) -> None:
    path = json_store.store_path("progress", name)
    json_store.update_store(path, lambda data: _with(data, lesson, change(_read(data, lesson))))


def _read(data: json_store.Kept, lesson: Lesson) -> Record:
    """Return the record in the saved data, however damaged it is; an empty one when it is of another version."""
    # Files from before versions were kept are of the first one.
    if _part(data, "versions", lesson, 1) != lesson.version:
        return Record()
    passed, hints, cluster = _texts(_part(data, "passed", lesson)), _part(data, "hints", lesson), ""
    told = {step: _texts(taken) for step, taken in hints.items()} if isinstance(hints, dict) else {}
    if isinstance(found := _part(data, "clusters", lesson), str):
        cluster = found
    # Files from before `done` was kept have what was passed.
    done = frozenset(_texts(_part(data, "done", lesson))) | frozenset(passed)
    return Record(frozenset(passed), done, {step: taken for step, taken in told.items() if taken}, cluster)


def _with(data: json_store.Kept, lesson: Lesson, record: Record) -> json_store.Kept:
    parts: dict[str, Any] = {
        "passed": sorted(record.passed),
        "done": sorted(record.done),
        "hints": {step: list(taken) for step, taken in record.hints.items()},
        "clusters": record.cluster,
        "versions": lesson.version,
    }
    of_all = {kind: data.get(kind) for kind in parts}
    return data | {
        kind: {**(known if isinstance(known := of_all[kind], dict) else {}), lesson.id: part}
        for kind, part in parts.items()
    }


def _part(data: json_store.Kept, kind: str, lesson: Lesson, default: Any = None) -> Any:
    every = data.get(kind)
    return every.get(lesson.id, default) if isinstance(every, dict) else default


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(x for x in found if isinstance(x, str))) if isinstance(found, list) else ()
