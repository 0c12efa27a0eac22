"""The hints of the current step: told one by one, when asked for; a solution only when asked for twice."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.hints import SOLUTION, Told, list_hints
from lab.tui.chrome import fill_text, findings
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, wrap, wrap_command
from lab.tui.ui_state import UiState


def next_hint(s: UiState) -> Told | None:
    """Return the next hint that was not told yet; None when there is none."""
    if s.step is None or s.step_state(s.page) == "passed":
        return None
    return next((hint for hint in list_hints(s.step, findings(s)) if hint not in s.hints), None)


def must_ask_again(s: UiState, hint: Told) -> bool:
    """Return whether a hint is told only when it is asked for once more."""
    return hint.id == SOLUTION and not s.solution_asked


def hint_lines(s: UiState, room: int) -> Iterator[Line]:
    """Yield the hints that were asked for."""
    if s.step is None or s.step_state(s.page) == "passed":
        return
    for number, hint in enumerate(s.hints, 1):
        yield ()
        if hint.id == SOLUTION:
            yield (("A solution", "lab"),)
            yield from wrap_command(fill_text(s, hint.command), room, (("$ ", "lab"),))
        else:
            yield ((f"Hint {number}", "lab"),)
            yield from render_markdown(fill_text(s, hint.text), room)
    if s.solution_asked and not any(hint.id == SOLUTION for hint in s.hints):
        yield ()
        yield from wrap([("h once more shows a solution.", "strong")], room)
