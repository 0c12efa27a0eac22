"""The part of a step's page that comes once the step has passed: what was to be seen, and what
else would have done."""

from __future__ import annotations

from collections.abc import Iterator

from lab.tui import chrome
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.spans import Line, wrap_command
from lab.tui.ui_state import UiState


def afterwards(s: UiState, room: int) -> Iterator[Line]:
    """Yield what the current step says when it has passed; nothing before."""
    step = s.step
    if step is None or s.step_state(s.page) != "passed":
        return
    if step.after:
        yield ()
        yield (("What you saw", "head"),)
        yield from prose(chrome.fill_text(s, step.after), room)
    ways = [("also: ", way) for way in step.ways]
    if step.solution is not None:
        ways.insert(0, ("one way: ", step.solution))
    if ways:
        yield ()
    for name, way in ways:
        yield from wrap_command(chrome.fill_text(s, way), room, ((name, "quiet"),))
