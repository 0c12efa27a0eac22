"""The part of a step's page that comes once the step has passed: what was to be seen, and what
else would have done."""

from __future__ import annotations

from collections.abc import Iterator

from lab.tui import chrome
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.spans import Line, wrap
from lab.tui.ui_state import UiState


def afterwards(s: UiState, room: int) -> Iterator[Line]:
    """Yield what the current step says when it has passed; nothing before."""
    step = s.step
    if step is None or s.step_state(s.page) != "passed":
        return
    if step.after:
        yield ()
        yield (("What you saw", "head"),)
        yield from prose(chrome.filled(s, step.after), room)
    if step.ways:
        yield ()
    for way in step.ways:
        for place, part in enumerate(chrome.filled(s, way).rstrip("\n").split("\n")):
            lead: Line = (("      " if place else "also: ", "quiet"),)
            yield from wrap([(part, "code")], room, lead, (("        ", ""),))
