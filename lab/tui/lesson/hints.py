"""The hints of the current step: told one by one, when asked for; a solution only when asked for twice."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.hints import list_hints
from lab.tui.chrome import checks, filled
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, wrap
from lab.tui.ui_state import UiState


def count_hints(s: UiState) -> int:
    """Return how many times a hint can be asked for: each hint once, and twice for the solution."""
    if s.step is None or s.step_state(s.page) == "passed":
        return 0
    return len(_hints(s)) + (2 if s.step.solution else 0)


def hint_lines(s: UiState, room: int) -> Iterator[Line]:
    """Yield the hints that were asked for."""
    if s.step is None or not s.hints or s.step_state(s.page) == "passed":
        return
    told = _hints(s)
    for number, text in enumerate(told[: s.hints], 1):
        yield ()
        yield ((f"Hint {number} of {len(told)}", "lab"),)
        yield from render_markdown(text, room)
    solution, asked = s.step.solution, s.hints - len(told)
    if solution and asked > 0:
        yield ()
        if asked == 1:
            yield from wrap([("h once more shows a solution.", "strong")], room)
        else:
            yield (("A solution", "lab"),)
            yield from wrap([(filled(s, solution), "code")], room, (("$ ", "lab"),))


def _hints(s: UiState) -> tuple[str, ...]:
    if s.step is None:
        return ()
    return list_hints(s.step, [why for _, _, why, _ in checks(s) if why])
