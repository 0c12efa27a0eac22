"""What the lesson pane says of a lesson besides its steps' texts."""

from __future__ import annotations

from typing import Any

from lab.lesson.model import Lesson
from tests.tui.conftest import desk
from tests.tui.fake import LESSON, FakeStage


def taught(*, live: bool = True, step: dict[str, Any] | None = None, **more: Any) -> FakeStage:
    """A stage with the lesson alone, its first step or itself changed."""
    data = LESSON.model_dump(mode="json", exclude_unset=True)
    data["steps"][0] |= step or {}
    stage = FakeStage(live=live)
    stage.taught = (Lesson.model_validate({**data, **more}, strict=False),)
    return stage


async def test_what_was_to_be_seen_comes_when_the_step_has_passed() -> None:
    async with desk(taught(step={"after": "The tasks went to **four** nodes."})) as it:
        await it.press("n")
        await it.see("Step 1 of 3")
        assert "What you saw" not in it.text
        await it.press("enter")
        await it.idle()
        await it.see("What you saw", "The tasks went to four nodes.", "✔ Done")


async def test_what_was_to_be_seen_is_scrolled_to() -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(40))
    async with desk(taught(step={"text": text, "after": "At the end."})) as it:
        await it.press("n")
        await it.see("Paragraph 1.")
        await it.press("enter")
        await it.idle()
        await it.see("At the end.")
