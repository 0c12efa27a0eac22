"""The content of the lesson pane: the opening page, a step's text, the last page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lab.lesson.hints import SOLUTION
from lab.lesson.measured import list_measured
from lab.text import count_of
from lab.tui import chrome
from lab.tui.lesson.afterwards import afterwards
from lab.tui.lesson.hints import hint_lines
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.lesson.question import question_lines
from lab.tui.lesson.stack_blocks import readings
from lab.tui.spans import Line, Tone, fit, format_stamp, wrap
from lab.tui.ui_state import UiState


def page(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the current page."""
    if s.lesson is None or s.leaves:
        return tuple(_before(s, room))
    if s.step is not None:
        return (*_step(s, room), *question_lines(s, room), *hint_lines(s, room), *afterwards(s, room))
    return tuple(_opening(s, room) if s.page < 0 else _closing(s, room))


def _step(s: UiState, room: int) -> tuple[Line, ...]:
    """Return what a step's page says before the step runs, but for its question."""
    if s.step is None:
        return ()
    head: Line = ((f"Step {s.page + 1} of {s.count}", "quiet"),)
    title = wrap([(chrome.fill_text(s, s.step.title), "head")], room)
    return (head, *title, (), *prose(chrome.fill_text(s, s.step.text), room), *readings(s, room))


def hints_at(s: UiState, room: int) -> int:
    """Return the line of the page at which its last hint begins."""
    shown = len(_step(s, room)) + sum(1 for _ in question_lines(s, room))
    last = () if s.solution_asked and all(hint.id != SOLUTION for hint in s.hints) else s.hints[-1:]
    before = replace(s, hints=s.hints[: len(s.hints) - len(last)], solution_asked=False)
    return shown + sum(1 for _ in hint_lines(before, room))


def has_afterwards(s: UiState) -> bool:
    """Return whether the current page has more to say when its step has passed."""
    question = s.question
    answered = question is not None and bool(question.choices or question.because)
    return answered or any(True for _ in afterwards(s, 80))


def crowded_page(s: UiState, room: int) -> tuple[Line, ...]:
    """Return the page with the step card in it, for a pane too small to hold both at once: what a passed step tells
    comes below the card."""
    before, after = _parts(s, room)
    return (*before, (), (("─" * room, "quiet"),), *chrome.step_card(s, room), *after)


def told_at(s: UiState, room: int, *, crowded: bool) -> int:
    """Return the line of the page, or of the crowded one, at which it begins to tell what it did not tell before the
    step had passed."""
    if not crowded:
        return len(_step(s, room)) + 1
    card = chrome.step_card(s, room)
    marked = (place for place, line in enumerate(card) for text, _ in line[:1] if text.startswith("✔"))
    done = max(marked, default=0)
    return len(_parts(s, room)[0]) + 2 + done


def _parts(s: UiState, room: int) -> tuple[tuple[Line, ...], tuple[Line, ...]]:
    """Return what the crowded page says above the card and below it."""
    if s.step is None or s.leaves or s.step_state(s.page) != "passed":
        return page(s, room), ()
    return (*_step(s, room), *hint_lines(s, room)), (*question_lines(s, room), *afterwards(s, room))


def no_lines(s: UiState, room: int) -> tuple[Line, ...]:  # noqa: ARG001
    """Return no lines."""
    return ()


def _before(s: UiState, room: int) -> Iterator[Line]:
    yield (("swarmlab", "head"),)
    yield ()
    words = "The lesson is being opened." if s.busy or not s.ready else "No lesson is open. Press l to choose one."
    yield from wrap([(words, "")], room)


def _opening(s: UiState, room: int) -> Iterator[Line]:
    lesson = s.lesson
    if lesson is None:
        return
    yield from wrap([(lesson.title, "head")], room)
    yield ((f"{lesson.minutes} minutes, {count_of(s.count, 'step')}", "quiet"),)
    yield ()
    yield from prose(lesson.about, room)
    yield ()
    if lesson.kubernetes:
        yield from prose(f"In Kubernetes: {chrome.fill_text(s, lesson.kubernetes)}", room)
        yield ()
    yield from _steps(s, room)
    yield ()
    yield ("Enter", "lab"), (" begins.", "")


def _steps(s: UiState, room: int) -> Iterator[Line]:
    marks: dict[str, tuple[str, Tone]] = {
        "passed": ("✔", "run"), "failed": ("✘", "bad"), "running": ("◑", "move"), "stopped": ("■", "move"),
    }  # fmt: skip
    for place, step in enumerate(s.lesson.steps if s.lesson else ()):
        mark, tone = marks.get(s.step_state(place), ("○", "quiet"))
        record = s.record(place)
        # A step that passed in an earlier run, and is only remembered, has no duration.
        ran = record is not None and record.ended is not None and record.ended > record.began
        took = f" {record.ended - record.began:6.1f} s" if record and record.ended and ran and mark == "✔" else ""
        title = chrome.fill_text(s, step.title)
        first, *more = wrap([(f"{place + 1} {title}", "")], max(20, room - len(took)), ((f"{mark} ", tone),))
        yield fit(first, ((took, "quiet"),), room)
        yield from more


def _closing(s: UiState, room: int) -> Iterator[Line]:
    if s.lesson is None:
        return
    if s.reading:
        yield (("The end of the lesson", "head"),)
        yield (("Nothing ran: there is no cluster here.", "quiet"),)
    elif s.finished:
        yield from wrap([(f"{s.lesson.title}: done", "head")], room, (("✔ ", "run"),))
        yield ((f"{count_of(s.count, 'step')}, every check true{_describe_duration(s)}", "quiet"),)
    else:
        left = sum(s.step_state(place) != "passed" for place in range(s.count))
        yield (("The end of the lesson", "head"),)
        yield from wrap([(f"{left} of {s.count} steps are not done yet: p goes back to them.", "move")], room)
    yield ()
    yield from _steps(s, room)
    yield ()
    yield from _starts(s, room)
    yield from _under_load(s, room)
    yield from _recap(s, room)
    after = s.next_lesson
    if after is not None:
        text = f"opens the next lesson: {after.title} ({after.minutes} minutes)."
        yield from wrap([(text, "")], room, (("Enter ", "lab"),))
    else:
        first = "" if s.lesson.broken else "This was the last lesson. "
        yield from wrap([(first, ""), ("l", "lab"), (" shows all lessons.", "")], room)


def _recap(s: UiState, room: int) -> Iterator[Line]:
    """Yield what to remember, the terms, and how to check oneself."""
    lesson = s.lesson
    if lesson is None:
        return
    if lesson.recap:
        yield (("In short", "head"),)
        yield from prose("\n".join(f"- {chrome.fill_text(s, each)}" for each in lesson.recap), room)
        yield ()
    if lesson.terms:
        yield (("Terms", "head"),)
        for word, meaning in lesson.terms.items():
            yield from prose(f"**{word}**: {chrome.fill_text(s, meaning)}", room)
        yield ()
    if lesson.quiz:
        words = f" check yourself: {count_of(len(lesson.quiz), 'question')}."
        yield from wrap([("c", "lab"), (words, "")], room)


def _describe_duration(s: UiState) -> str:
    """Return the time from the start of the first step to the end of the last, or "" when some had passed before."""
    records = [record for place in range(s.count) if (record := s.record(place)) is not None]
    ends = [record.ended for record in records if record.ended is not None and record.ended > record.began]
    if len(ends) < s.count:
        return ""
    return f", in {format_stamp(max(ends) - min(record.began for record in records), False)}"


def _under_load(s: UiState, room: int) -> Iterator[Line]:
    """Yield what was measured under load, beside what was said."""
    rows = list_measured(s.lesson, s.world.lesson) if s.lesson is not None and s.world is not None else ()
    if not rows:
        return
    yield (("Requests under load", "head"),)
    for row in rows:
        tone: Tone = "quiet" if row.sent is None else "bad" if row.failed else "run"
        said = f"you said {row.said}, " if row.said else ""
        yield fit(((row.title, ""),), ((said, "quiet"), (row.words, tone)), room)
    yield ()


def _starts(s: UiState, room: int) -> Iterator[Line]:
    """Yield this run's shortest and longest time from a task's creation until it ran."""
    world = s.world
    if world is None:
        return
    took = [t.changed - t.created for t in world.swarm.tasks.values() if t.state == "running" and t.changed > t.created]
    if took:
        text = f"From a task's making to its running: {min(took):.1f} to {max(took):.1f} s, {len(took)} tasks."
        yield from wrap([(text, "")], room, (("measured  ", "quiet"),))
        yield ()
