"""A step's question on its page: what may be said, what was said, and once the step has passed what was right."""

from __future__ import annotations

from collections.abc import Iterator

from lab.tui import chrome
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.spans import Line, Span, Tone, wrap
from lab.tui.ui_state import UiState


def question_lines(s: UiState, room: int) -> Iterator[Line]:
    """Yield the current step's question, and what is known of its answer."""
    question = s.question
    if question is None:
        return
    passed = s.step_state(s.page) == "passed"
    yield ()
    for place, line in enumerate(prose(chrome.fill_text(s, question.text), room - 2)):
        yield (("  " if place else "? ", "lab"), *line)
    for choice in question.choices:
        mark, tone = _mark(choice, question.answer if passed else None, s.said)
        yield from wrap([(chrome.fill_text(s, choice), tone)], room, (("  ", ""), (f"{mark} ", tone)))
    yield from wrap(_describe_said(s, passed), room, (("  ", ""),)) if s.said is not None or question.choices else ()
    if passed and question.because:
        yield ()
        yield from prose(chrome.fill_text(s, question.because), room)


def _mark(choice: str, right: str | None, said: str | None) -> tuple[str, Tone]:
    if right is None:
        return ("▸", "strong") if choice == said else ("·", "")
    if choice == right:
        return "✔", "run"
    return ("✘", "bad") if choice == said else ("·", "quiet")


def _describe_said(s: UiState, passed: bool) -> list[Span]:
    question, said = s.question, s.said
    spans: list[Span] = []
    if said is not None:
        lead = "You said: " if question is not None and question.choices else "You said "
        spans += [(lead, "quiet"), (chrome.fill_text(s, said), "strong")]
    if question is None or not passed or not question.choices:
        return [*spans, (".", "quiet")] if spans else []
    if said == question.answer:
        return [*spans, (". That is right.", "quiet")]
    lead = ". Right: " if spans else "Right: "
    return [*spans, (lead, "quiet"), (chrome.fill_text(s, question.answer or ""), "strong"), (".", "quiet")]
