"""A lesson to be handed out: its own text as it is now, with the commands and their output from a recording."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from lab.lesson.measured import list_measured
from lab.lesson.model import Lesson, Reading, Step
from lab.panes import find_pane
from lab.schema.template import fill
from lab.tape.escape_markdown import code, fence, prose
from lab.tape.render import HEAD, TAIL, origin
from lab.tape.tape import Tape
from lab.tape.transcript import trim_output
from lab.terminal.sanitize import visible
from lab.world.entries import Captured, CommandBegan, CommandEnded, LessonOpened, StepMoved
from lab.world.lesson_state import LessonState, fold_lesson
from lab.world.world import World, fold

Draw = Callable[[World, str], Iterable[str]]
"""Draws the pane with an id as it shows a world: lines of Markdown, none for nothing to show."""

_PLAIN = re.compile(r"[\w.:/@-]*")
_SAID = re.compile(r"^You said \S+ ")
"""The start of a sentence about a number: nobody was asked when the lesson was recorded."""


@dataclass
class _Recorded:
    """What a tape has of a step. `values` are those known at its end, `world` is the one at its end."""

    values: Mapping[str, str]
    commands: list[tuple[CommandBegan, CommandEnded | None]] = field(default_factory=list)
    state: str = ""
    why: str = ""
    world: World = World()


def handout(
    tape: Tape, lesson: Lesson, *, draw: Draw | None = None, level: int = 1, only: Container[str] | None = None
) -> str:
    """Return a lesson as Markdown, with what the tape recorded, and with the pane of each step as `draw` draws it. Its
    title is a heading of this `level`. With `only`, just these steps, and what belongs to the whole lesson is left out.
    """
    steps, values = _steps(tape)
    lines = [f"{'#' * level} {prose(lesson.title)}", "", _fill(lesson.about, values)]
    if lesson.kubernetes:
        lines += ["", f"In Kubernetes: {_fill(lesson.kubernetes, values)}"]
    lines += ["", *origin(tape)]
    head, shown = "#" * (level + 1), list[str]()
    for number, step in enumerate(lesson.steps, 1):
        if only is None or step.id in only:
            seen = steps.get(step.id) or _Recorded(values)
            lines += ["", f"{head} {number}. {prose(fill(step.title, seen.values))}", ""]
            drawn = [*draw(seen.world, step.pane or lesson.panes[0])] if draw is not None and seen.state else []
            lines += _step(step, seen, () if drawn == shown else _picture(step.pane or lesson.panes[0], drawn))
            shown = drawn or shown
    if only is None:
        lines += _under_load(tape, lesson, head)
        lines += _end(lesson, values, head)
    return visible("\n".join(lines)) + "\n"


def _steps(tape: Tape) -> tuple[dict[str, _Recorded], Mapping[str, str]]:
    """Return what the tape has of each step, and the values known at its end."""
    found: dict[str, _Recorded] = {}
    now: _Recorded | None = None
    values: dict[str, str] = {}
    world = World()
    for entry in tape.entries:
        world = fold(world, entry)
        match entry.fact:
            case StepMoved(state="begun", step=step):
                now = found[step] = _Recorded(values)
            case StepMoved() as moved if moved.step in found:
                found[moved.step].state, found[moved.step].why = moved.state, moved.why
                found[moved.step].world = world
            case Captured() as captured:
                values = {**values, captured.name: captured.value}
                if now is not None:
                    now.values = values
            case CommandBegan() as began if now is not None:
                now.commands.append((began, None))
            case CommandEnded() as ended if now is not None:
                now.commands = [(began, ended if began.id == ended.id else old) for began, old in now.commands]
    return found, values


def _step(step: Step, seen: _Recorded, picture: Iterable[str]) -> Iterator[str]:
    values = seen.values
    yield _fill(step.text, values)
    for reading in step.reads:
        yield from _render_reading(reading, values)
    if step.question is not None:
        yield from ("", f"**Question:** {_fill(step.question.text, values)}")
        yield from ("",) if step.question.choices else ()
        yield from (f"- {prose(fill(choice, values))}" for choice in step.question.choices)
    yield from _render_done(step, seen)
    yield from picture
    if step.after:
        yield from ("", _fill(step.after, values))
    yield from _answer(step, values)
    if step.ways:
        yield from ("", "Also:")
    for way in step.ways:
        yield from ("", *fence("sh", fill(way, values).rstrip("\n").split("\n")))


def _picture(pane: str, drawn: list[str]) -> Iterator[str]:
    if drawn:
        yield from ("", f"{find_pane(pane).title}, at the end of the step:", "", *drawn)


def _end(lesson: Lesson, values: Mapping[str, str], head: str) -> Iterator[str]:
    """Yield what stands at a lesson's end."""
    if lesson.recap:
        yield from ("", f"{head} In short", "", *(f"- {_fill(sentence, values)}" for sentence in lesson.recap))
    if lesson.terms:
        yield from ("", f"{head} Terms", "")
        yield from (f"- **{prose(word)}**: {_fill(meaning, values)}" for word, meaning in lesson.terms.items())
    if lesson.quiz:
        yield from ("", f"{head} Questions")
    for item in lesson.quiz:
        yield from ("", _fill(item.ask, values), "")
        yield from (f"- {prose(fill(choice, values))}" for choice in item.choices)
        yield from ("", f"**Answer:** {prose(fill(item.answer, values))}")
        yield from ("", _fill(item.because, values)) if item.because else ()


def _under_load(tape: Tape, lesson: Lesson, head: str) -> Iterator[str]:
    """Yield a table of what was measured under load."""
    state = LessonState()
    for entry in tape.entries:
        if isinstance(entry.fact, LessonOpened | StepMoved):
            state = fold_lesson(state, entry.at, entry.fact)
    if rows := list_measured(lesson, state):
        yield from ("", f"{head} Requests under load", "", "| step | requests |", "| --- | --- |")
        yield from (f"| {prose(row.title)} | {row.words} |" for row in rows)


def _render_reading(reading: Reading, values: Mapping[str, str]) -> Iterator[str]:
    where = " › ".join(reading.block.partition("#")[0].split("/"))
    yield from ("", f"In {code(f'stacks/{reading.file}')}, {code(where)}:")
    yield from ("", *fence("yaml", reading.excerpt.split("\n")), "", _fill(reading.says, values))


def _render_done(step: Step, seen: _Recorded) -> Iterator[str]:
    """Yield what was done in the step, and what came of it."""
    if step.act is not None:
        yield from ("", f"The lab does this: {prose(fill(step.act.sentence, seen.values))}.")
    elif step.your_turn:
        yield from ("", "Your turn: make it so, in any way you like." + " One way:" * bool(seen.commands))
    elif not seen.commands:
        yield from ("", *fence("sh", fill(step.command or "", seen.values).rstrip("\n").split("\n")))
    for began, ended in seen.commands:
        yield from ("", f"On {code(began.node)}:", "", *fence("sh", visible(began.text).split("\n")))
        if ended is not None and ended.output:
            yield from ("", *fence("text", trim_output(ended.output, HEAD, TAIL)))
        if ended is not None and ended.status:
            yield from ("", f"It ended with status {ended.status}.")
    if not seen.state:
        yield from ("", "*The recording does not have this step.*")
    elif seen.state == "failed":
        yield from ("", f"**In the recording this step failed:** {prose(seen.why)}")
    else:
        for sentence in filter(None, seen.why.split("\n")):
            yield from ("", f"{prose(_SAID.sub('', sentence)).rstrip('.')}.")


def _answer(step: Step, values: Mapping[str, str]) -> Iterator[str]:
    if step.question is None:
        return
    if step.question.answer is not None:
        yield from ("", f"**Answer:** {prose(fill(step.question.answer, values))}")
    if step.question.because:
        yield from ("", _fill(step.question.because, values))


def _fill(markdown: str, values: Mapping[str, str]) -> str:
    """Return a text of the lesson with its values; in one that is more than a name, nothing is markup."""
    safe = {name: value if _PLAIN.fullmatch(value) else prose(value) for name, value in values.items()}
    return fill(markdown, safe).strip()
