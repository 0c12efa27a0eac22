"""Stages whose lesson is changed, for the lab line by line."""

from __future__ import annotations

import json
from collections.abc import Mapping

from lab.lesson.model import Lesson
from tests.doubles.plain_desk import PlainDesk
from tests.tui.fake import LESSON, NEXT, FakeStage


def changed(step: int = 0, lesson: Mapping[str, object] | None = None, **more: object) -> Lesson:
    """The lesson of the fake stage, with a step or the whole of it changed."""
    data = {**LESSON.model_dump(mode="json", exclude_unset=True), **(lesson or {})}
    data["steps"][step] |= more
    return Lesson.model_validate_json(json.dumps(data))


def stage_of(lesson: Lesson, **how: object) -> FakeStage:
    stage = FakeStage(**how)  # type: ignore[arg-type]
    stage.taught = (lesson, NEXT)
    return stage


def at_first_step(desk: PlainDesk) -> None:
    desk.type("")
    assert desk.prompt.startswith("step 1 of 3")
