"""Whether a recording still matches its lesson as it is now, judged by the recording alone.

What a step says and explains may change without a new recording: a replay takes the words from the lesson. What it does
and what it checks may not: they are on the tape.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from lab.cluster.faults import FAULTS
from lab.errors import InputError
from lab.lesson.act import Act
from lab.lesson.model import Lesson, Step
from lab.schema import template
from lab.schema.diagnostics import Problems
from lab.session.describe_lesson import find_lesson
from lab.session.recorded_promises import recorded_promises
from lab.tape.tape import Tape, check_tape
from lab.terminal.redact import is_mask
from lab.world.entries import ActDone, Captured, Checked, CommandBegan, LoadReport, StepMoved

__all__ = ["Difference", "check_recording", "differences"]

_FIRST_LINE = 2
"""The line of a tape's first entry."""


@dataclass(frozen=True)
class Difference:
    """A place where a recording differs from its lesson as it is now: the tape's line, and the difference in words;
    `remedy` is what to do about it, if that is not to record the lesson again."""

    line: int
    words: str
    remedy: str = ""


def check_recording(path: Path) -> Tape:
    """Run `check_tape`, and check that a recording of a lesson in the course matches it as it is now; other lessons are
    not known here. Raises InputError; when steps differ, Problems, which names them all."""
    tape = check_tape(path)
    lesson = find_lesson(tape.header.lesson)
    found = () if lesson is None else differences(tape, lesson)
    if found:
        again = f"record it again: swarmlab record {tape.header.lesson}"
        raise Problems(
            [InputError(f"{each.words}; {each.remedy or again}", path=path, line=each.line) for each in found]
        )
    return tape


def differences(tape: Tape, lesson: Lesson) -> tuple[Difference, ...]:
    """Return where the tape differs from the lesson as it is now, in the lesson's order; empty when it matches."""
    recorded = _steps(tape, lesson)
    return (*_order(recorded, lesson), *_each_step(recorded, lesson), *_promises(tape, lesson))


@dataclass
class _Recorded:
    """What a tape holds about one step. `values` are those known at its end; `asked` and `command` have those known at
    the time."""

    line: int
    values: Mapping[str, str]
    captured: set[str] = field(default_factory=set)
    asked: dict[int, tuple[int, str, Mapping[str, str]]] = field(default_factory=dict)
    command: tuple[int, CommandBegan, Mapping[str, str]] | None = None
    acts: list[tuple[str, str]] = field(default_factory=list)
    loads: list[tuple[float, str]] = field(default_factory=list)
    load_ended: bool = False


def _steps(tape: Tape, lesson: Lesson) -> dict[str, _Recorded]:
    """Return the recorded steps by id, in the order in which they begin."""
    found: dict[str, _Recorded] = {}
    now: _Recorded | None = None
    values: dict[str, str] = {}
    for line, entry in enumerate(tape.entries, start=_FIRST_LINE):
        match entry.fact:
            case StepMoved(lesson=lesson.id, state="begun") as fact:
                now = found[fact.step] = _Recorded(line, values)
            case Captured() as fact:
                values = {**values, fact.name: fact.value}
                if now is not None:
                    now.values = values
                    now.captured.add(fact.name)
            case Checked(lesson=lesson.id, phase="before") as fact if fact.step in found:
                found[fact.step].asked[fact.check] = line, fact.text, values
            case CommandBegan() as fact if fact.step in found:
                found[fact.step].command = line, fact, values
            case ActDone() as fact if now is not None:
                now.acts.append((fact.action, fact.node))
            case LoadReport(running=True) as fact if now is not None:
                now.loads.append((fact.rate, fact.target))
            case LoadReport() if now is not None:
                now.load_ended = True
    return found


def _order(recorded: Mapping[str, _Recorded], lesson: Lesson) -> Iterator[Difference]:
    ids = [step.id for step in lesson.steps]
    last = max((each.line for each in recorded.values()), default=1)
    for id in ids:
        if id not in recorded:
            yield Difference(last, f"step `{id}`: the lesson now has this step, and the recording does not")
    for id, each in recorded.items():
        if id not in ids:
            yield Difference(each.line, f"step `{id}`: the lesson no longer has this step")
    both = [id for id in ids if id in recorded]
    if both != [id for id in recorded if id in ids]:
        yield Difference(1, f"the lesson's steps now come in another order: {', '.join(ids)}")


def _each_step(recorded: Mapping[str, _Recorded], lesson: Lesson) -> Iterator[Difference]:
    for step in lesson.steps:
        if (seen := recorded.get(step.id)) is not None:
            for line, what in (*_compare_action(step, seen), *_captures(step, seen), *_checks(step, seen)):
                yield Difference(line, f"step `{step.id}`: {what}")


def _compare_action(step: Step, seen: _Recorded) -> Iterator[tuple[int, str]]:
    """Yield differences in the command that is typed, or in what the lab does itself."""
    if step.act is not None:
        if seen.command is not None:
            yield seen.command[0], f"the lesson now does this itself: {step.act.sentence}"
        elif not _has_acted(step.act, seen):
            yield seen.line, f"the lesson now does: {step.act.sentence}"
        return
    run = step.command
    if run is None:
        return  # The learner's turn: what was typed in the recording is one way among others.
    if seen.command is None:
        yield seen.line, f"the lesson now runs {_quote(run)}"
        return
    line, began, values = seen.command
    # A value that is masked on the tape may or may not have needed quotes.
    bare = {name: value for name, value in values.items() if any(map(is_mask, value))}
    if not any(_alike(began.text, text) for text in (template.fill_command(run, values), _command(run, values, bare))):
        yield line, f"the lesson now runs {_quote(run)}"
    if step.on and not _alike(began.node, template.fill(step.on, values)):
        yield line, f"the lesson now runs its command on {step.on}, not on {began.node}"


def _command(run: str, values: Mapping[str, str], bare: Mapping[str, str]) -> str:
    return template.fill_command(template.fill(run, bare), values)


def _has_acted(act: Act, seen: _Recorded) -> bool:
    if act.load is None:
        words = template.fill(act.target, seen.values).split()
        return (FAULTS[act.action].told.format(*words), words[0]) in seen.acts
    load_spec = act.load.load_spec(seen.values)
    return (
        seen.load_ended if load_spec is None else any(load == (load_spec.rate, load_spec.target) for load in seen.loads)
    )


def _captures(step: Step, seen: _Recorded) -> Iterator[tuple[int, str]]:
    question = step.question
    asked = {question.name} if question is not None else set()
    for name in sorted({*step.capture} - seen.captured):
        yield seen.line, f"the lesson now captures `{name}`"
    # A choice is made by a learner alone: nobody is asked when a lesson is recorded.
    for name in sorted(asked - seen.values.keys()) if question is not None and not question.choices else ():
        yield seen.line, f"the lesson now asks for `{name}`"
    for name in sorted(seen.captured - {*step.capture} - asked):
        yield seen.line, f"the lesson no longer captures `{name}`"


def _checks(step: Step, seen: _Recorded) -> Iterator[tuple[int, str]]:
    for index, check in enumerate(step.checks):
        if index not in seen.asked:
            yield seen.line, f"the lesson now checks that {check.sentence}"
            continue
        line, text, values = seen.asked[index]
        try:
            asks = check.fill(values).sentence
        except ValidationError:
            continue  # The check does not accept a masked value, so nothing can be compared.
        if not _alike(text, asks):
            yield line, f"the lesson now checks that {asks}, where the recording has: {text}"
    for index in sorted(seen.asked.keys() - set(range(len(step.checks)))):
        line, text, _ = seen.asked[index]
        yield line, f"the lesson no longer checks that {text}"


def _promises(tape: Tape, lesson: Lesson) -> Iterator[Difference]:
    for step, at, broken in recorded_promises(tape, lesson):
        yield Difference(
            at + _FIRST_LINE, f"step `{step.id}`: {broken.sentence}", "correct the text, or record it again"
        )


def _alike(recorded: str, now: str) -> bool:
    """Whether two texts are equal except where masked; a mask is as long as what it hides."""
    one, other = recorded.strip(), now.strip()
    return len(one) == len(other) and all(a == b or is_mask(a) or is_mask(b) for a, b in zip(one, other, strict=True))


def _quote(command: str) -> str:
    text = " ".join(command.split())
    return f"`{text if len(text) <= 100 else text[:99] + '…'}`"
