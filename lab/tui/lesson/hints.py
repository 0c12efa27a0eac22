"""The hints of the current step: told one by one, when asked for; a solution only when asked for twice."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.hints import list_hints
from lab.tui.chrome import checks, filled
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, wrap
from lab.tui.ui_state import UiState

_TWICE = 2


def next_hint(s: UiState) -> str:
    """Return the next hint that was not told yet; "" when there is none."""
    if s.step is None:
        return ""
    found = list_hints(s.step, [why for _, _, why, _ in checks(s) if why])
    return next((hint for hint in found if hint not in s.hints), "")


def has_hint(s: UiState) -> bool:
    """Return whether there is anything more to tell: a hint, or a solution, which is asked for twice."""
    if s.step is None or s.step_state(s.page) == "passed":
        return False
    return bool(next_hint(s)) or (s.step.solution is not None and s.solution_asked < _TWICE)


def hint_lines(s: UiState, room: int) -> Iterator[Line]:
    """Yield the hints that were asked for."""
    if s.step is None or s.step_state(s.page) == "passed":
        return
    for number, text in enumerate(s.hints, 1):
        yield ()
        yield ((f"Hint {number}", "lab"),)
        yield from render_markdown(text, room)
    if s.step.solution and s.solution_asked:
        yield ()
        if s.solution_asked < _TWICE:
            yield from wrap([("h once more shows a solution.", "strong")], room)
        else:
            yield (("A solution", "lab"),)
            yield from wrap([(filled(s, s.step.solution), "code")], room, (("$ ", "lab"),))
