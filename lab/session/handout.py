"""A lesson to be handed out: its own text as it is now, with the commands and their output from a recording."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from lab.lesson.measured import measured
from lab.lesson.model import Lesson, Reading, Step
from lab.schema.template import fill
from lab.tape.escape_markdown import code, fenced, prose
from lab.tape.render import HEAD, TAIL, origin
from lab.tape.tape import Tape
from lab.tape.transcript import trim_output
from lab.terminal.sanitize import visible
from lab.world.entries import Captured, CommandBegan, CommandEnded, LessonOpened, StepMoved
from lab.world.lesson_state import LessonState, fold_lesson

_PLAIN = re.compile(r"[\w.:/@-]*")
_SAID = re.compile(r"^You said \S+ ")
"""The start of a sentence about a number: nobody was asked when the lesson was recorded."""


@dataclass
class _Recorded:
    """What a tape has of a step. `values` are those known at its end."""

    values: Mapping[str, str]
    commands: list[tuple[CommandBegan, CommandEnded | None]] = field(default_factory=list)
    state: str = ""
    why: str = ""


def handout(tape: Tape, lesson: Lesson) -> str:
    """Return a lesson as Markdown, with what the tape recorded."""
    steps, values = _steps(tape)
    lines = [f"# {prose(lesson.title)}", "", _filled(lesson.about, values)]
    if lesson.kubernetes:
        lines += ["", f"In Kubernetes: {_filled(lesson.kubernetes, values)}"]
    lines += ["", *origin(tape)]
    for number, step in enumerate(lesson.steps, 1):
        lines += _step(number, step, steps.get(step.id) or _Recorded(values))
    lines += _under_load(tape, lesson)
    if lesson.recap:
        lines += ["", "## In short", "", *(f"- {_filled(sentence, values)}" for sentence in lesson.recap)]
    if lesson.terms:
        lines += ["", "## Terms", ""]
        lines += [f"- **{prose(word)}**: {_filled(meaning, values)}" for word, meaning in lesson.terms.items()]
    return visible("\n".join(lines)) + "\n"


def _steps(tape: Tape) -> tuple[dict[str, _Recorded], Mapping[str, str]]:
    """Return what the tape has of each step, and the values known at its end."""
    found: dict[str, _Recorded] = {}
    now: _Recorded | None = None
    values: dict[str, str] = {}
    for entry in tape.entries:
        match entry.fact:
            case StepMoved(state="begun", step=step):
                now = found[step] = _Recorded(values)
            case StepMoved() as moved if moved.step in found:
                found[moved.step].state, found[moved.step].why = moved.state, moved.why
            case Captured() as captured:
                values = {**values, captured.name: captured.value}
                if now is not None:
                    now.values = values
            case CommandBegan() as began if now is not None:
                now.commands.append((began, None))
            case CommandEnded() as ended if now is not None:
                now.commands = [(began, ended if began.id == ended.id else old) for began, old in now.commands]
    return found, values


def _step(number: int, step: Step, seen: _Recorded) -> Iterator[str]:
    values = seen.values
    yield from ("", f"## {number}. {prose(fill(step.title, values))}", "", _filled(step.text, values))
    for reading in step.reads:
        yield from _reading(reading, values)
    if step.question is not None:
        yield from ("", f"**Question:** {_filled(step.question.text, values)}")
        yield from ("",) if step.question.choices else ()
        yield from (f"- {prose(fill(choice, values))}" for choice in step.question.choices)
    yield from _done(step, seen)
    if step.after:
        yield from ("", _filled(step.after, values))
    yield from _answer(step, values)
    if step.ways:
        yield from ("", "Also:")
    for way in step.ways:
        yield from ("", *fenced("sh", fill(way, values).rstrip("\n").split("\n")))


def _under_load(tape: Tape, lesson: Lesson) -> Iterator[str]:
    """Yield a table of what was measured under load."""
    state = LessonState()
    for entry in tape.entries:
        if isinstance(entry.fact, LessonOpened | StepMoved):
            state = fold_lesson(state, entry.at, entry.fact)
    if rows := measured(lesson, state):
        yield from ("", "## Requests under load", "", "| step | requests |", "| --- | --- |")
        yield from (f"| {prose(row.title)} | {row.words} |" for row in rows)


def _reading(reading: Reading, values: Mapping[str, str]) -> Iterator[str]:
    where = " › ".join(reading.block.partition("#")[0].split("/"))
    yield from ("", f"In {code(f'stacks/{reading.file}')}, {code(where)}:")
    yield from ("", *fenced("yaml", reading.excerpt.split("\n")), "", _filled(reading.says, values))


def _done(step: Step, seen: _Recorded) -> Iterator[str]:
    """Yield what was done in the step, and what came of it."""
    if step.act is not None:
        yield from ("", f"The lab does this: {prose(fill(step.act.sentence, seen.values))}.")
    elif step.your_turn:
        yield from ("", "Your turn: make it so, in any way you like." + " One way:" * bool(seen.commands))
    elif not seen.commands:
        yield from ("", *fenced("sh", fill(step.command or "", seen.values).rstrip("\n").split("\n")))
    for began, ended in seen.commands:
        yield from ("", f"On {code(began.node)}:", "", *fenced("sh", visible(began.text).split("\n")))
        if ended is not None and ended.output:
            yield from ("", *fenced("text", trim_output(ended.output, HEAD, TAIL)))
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
        yield from ("", _filled(step.question.because, values))


def _filled(markdown: str, values: Mapping[str, str]) -> str:
    """Return a text of the lesson with its values; in one that is more than a name, nothing is markup."""
    safe = {name: value if _PLAIN.fullmatch(value) else prose(value) for name, value in values.items()}
    return fill(markdown, safe).strip()
