"""A plain-text transcript of entries: the commands, their output, what the cluster did, and whether the checks held."""

from __future__ import annotations

import math
import re
import textwrap
from collections import Counter
from collections.abc import Iterator

from lab.schema.template import fill, is_given
from lab.tape.lesson_text import LessonText
from lab.tape.wrap_markdown import wrap_markdown
from lab.terminal.sanitize import text_only
from lab.world.entries import (
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    Entry,
    Hit,
    LessonOpened,
    ManagerLink,
    StepMoved,
)
from lab.world.waiting import say_how_long
from lab.world.world import Change, Command, World, fold

WIDTH = 80
NAME = 40
"""The most characters of a name, where something must fit beside it."""

HEAD = 24
"""The number of first lines that are shown of a longer output."""
TAIL = 8
"""The number of last lines."""

_NAME = re.compile(r"[\w.-]+")
"""A replica's name; some answers begin with something else."""
_EVER = 1e9
"""Seconds. No lesson takes longer."""

_NAMED = 6
"""The most replicas that are listed by name."""

_TONES = {"good": "+", "bad": "!", "plain": "·", "lab": ">"}
_LAST = {"passed": "✔", "failed": "✘"}


class Transcript:
    """A writer of a transcript of entries as they come: call `lines` for each, and `end` when there are no more. Fits
    80 columns, except code.

    Times are those of the entries: minutes and seconds since the journal began. `text` is what the lesson says.
    """

    def __init__(self, text: LessonText | None = None) -> None:
        self._text = text or LessonText()
        self._world = World()
        self._hits: list[Hit] = []
        self._before: list[tuple[Checked, float]] = []
        self._steps: list[tuple[str, str, float]] = []
        self._due = ""
        self._given: dict[str, str] = {}

    def lines(self, entry: Entry) -> Iterator[str]:
        """Yield the lines that this entry adds to the transcript; often none."""
        before, self._world = self._world, fold(self._world, entry)
        fact = entry.fact
        if isinstance(fact, Hit):
            self._hits.append(fact)
            return
        if not isinstance(fact, Captured):
            yield from self._flush_before()
        if isinstance(fact, Checked) and fact.phase == "before":
            self._before.append((fact, entry.at))
            return
        yield from self._flush_checks()
        if isinstance(fact, LessonOpened | StepMoved):
            yield from self._flush_requests()
            yield from self._flush_given()
        match fact:
            case LessonOpened():
                lesson = shorten_name(fact.lesson)
                yield from ("", f"LESSON {lesson}", "═" * (len(lesson) + 7))
            case StepMoved():
                yield from self._step(entry.at, fact)
            case Checked():
                yield from _check(fact, entry.at)
            case CommandBegan():
                yield from _tell_typed(entry.at, fact)
            case CommandEnded():
                command = next((c for c in self._world.commands if c.id == fact.id), None)
                yield from _result(fact, command)
            case Captured() if is_given(fact.name) and not self._world.lesson.steps:
                self._given[fact.name] = fact.value
            case Captured():
                yield from _wrap_text(f"    {shorten_name(fact.name)} = ", fact.value)
            case ManagerLink() if fact.state != before.link.state and fact.state != "live":
                yield from _line(entry.at, "!", f"the cluster does not answer ({fact.state}) {fact.why}".rstrip())
            case _:
                for change in new_lines(before, self._world):
                    yield from _line(change.at, _TONES[change.tone], change.text)

    def end(self) -> Iterator[str]:
        """Yield the summary."""
        yield from self._flush_before()
        yield from self._flush_checks()
        yield from self._flush_requests()
        yield from self._flush_given()
        if not self._steps:
            return
        passed = sum(state == "passed" for _, state, _ in self._steps)
        yield from ("", f"{passed} of {len(self._steps)} steps passed")
        width = max(len(shorten_name(step)) for step, _, _ in self._steps)
        for step, state, seconds in self._steps:
            yield f"  {_LAST[state]} {shorten_name(step):<{width}}  {state} after {format_seconds(seconds)}"
        if {step for step, state, _ in self._steps if state == "passed"} >= {*self._text.titles}:
            yield from self._recap()

    def _recap(self) -> Iterator[str]:
        values, terms = self._world.lesson.captured, self._text.terms
        if self._text.recap:
            yield from ("", "In short")
        for sentence in self._text.recap:
            yield from _wrap_text("  · ", fill(sentence, values))
        if terms:
            yield from ("", "Terms")
        width = max((len(shorten_name(word)) for word in terms), default=0)
        for word, meaning in terms.items():
            yield from _wrap_text(f"  {shorten_name(word):<{width}}  ", fill(meaning, values))

    def _step(self, at: float, fact: StepMoved) -> Iterator[str]:
        if fact.state == "begun":
            title = self._text.titles.get(fact.step, "")
            named = f"── {shorten_name(fact.step)}{': ' * bool(title)}{' '.join(text_only(title).split())}"
            if not self._steps:
                yield from self._tell(self._text.about)
            yield from ("", f"{named[: WIDTH - 1]} ".ljust(WIDTH, "─"))
            self._due = self._text.befores.get(fact.step, "")
            return
        step = self._world.lesson.steps[(fact.lesson, fact.step)]
        seconds = at - step.began
        self._steps = [s for s in self._steps if s[0] != fact.step] + [(fact.step, fact.state, seconds)]
        why = f": {fact.why}" if fact.why else ""
        yield from _wrap_text(f"{_LAST[fact.state]} ", f"{fact.step} {fact.state} after {format_seconds(seconds)}{why}")
        if fact.state == "passed":
            yield from self._tell(self._text.afters.get(fact.step, ""))

    def _tell(self, text: str) -> Iterator[str]:
        """Yield a text of the lesson, after a blank line; nothing for an empty one."""
        if text:
            yield from ("", *wrap_markdown(fill(text, self._world.lesson.captured), WIDTH, "  "))

    def _flush_before(self) -> Iterator[str]:
        """Yield what is read before the step: the values in it are captured once the step has begun."""
        due, self._due = self._due, ""
        if told := [*self._tell(due)]:
            yield from (*told, "")

    def _flush_given(self) -> Iterator[str]:
        """Yield the values that every lesson is given, those that this one uses, in one line where they fit."""
        given, self._given = self._given, {}
        used = [
            f"{name} = {value}" for name, value in given.items() if self._text.uses is None or name in self._text.uses
        ]
        if used:
            yield from _wrap_text("    ", ", ".join(used))

    def _flush_checks(self) -> Iterator[str]:
        """Yield the pending checks. Consecutive checks that do not hold yet are reported as one."""
        before, self._before = self._before, []
        if len(before) > 1 and not any(check.ok for check, _ in before):
            yield f"  ✘ before: none of the {len(before)} checks holds"
        else:
            for check, at in before:
                yield from _check(check, at)

    def _flush_requests(self) -> Iterator[str]:
        """Yield a step's requests at its end, summed up: the mesh is probed every few seconds while it is visible."""
        hits, self._hits = self._hits, []
        for sentence in requests(hits, self._world):
            yield from _wrap_text("  · ", sentence)


def new_lines(before: World, after: World) -> tuple[Change, ...]:
    """Return the timeline's changes that are new in `after`, the next world; without the commands, which are written
    separately."""
    last = before.changes[-1] if before.changes else None
    new: list[Change] = []
    for change in reversed(after.changes):
        if change is last:
            break
        new.append(change)
    return tuple(change for change in reversed(new) if change.kind != "command")


def requests(hits: list[Hit], world: World) -> Iterator[str]:
    """Yield a sentence on the requests to each address: how many, through which nodes, answered by which replicas, how
    quickly."""
    names = {task.container[:12]: world.swarm.task_name(task) for task in world.swarm.tasks.values() if task.container}
    for address in dict.fromkeys(hit.address for hit in hits):
        yield _sum_up(address, [hit for hit in hits if hit.address == address], names)


def _sum_up(address: str, hits: list[Hit], names: dict[str, str]) -> str:
    good = [h for h in hits if _is_answered(h)]
    nodes = sorted({h.node for h in hits})
    found = {names.get(h.replica[:12], h.replica) for h in good}
    replicas = sorted(name for name in found if _NAME.fullmatch(name))
    words = f"{len(hits)} request{'s' * (len(hits) != 1)} to {address} through {', '.join(nodes)}; {len(good)} answered"
    if replicas:
        words += f" by {', '.join(replicas) if len(replicas) <= _NAMED else f'{len(replicas)} replicas'}"
    if good:
        words += f", the slowest in {max(h.ms for h in good):.0f} ms"
    other = Counter(
        f"with status {h.status}" if h.status else f"failed ({h.error})" for h in hits if not _is_answered(h)
    )
    return "; ".join((words, *(f"{count} {how}" for how, count in sorted(other.items()))))


def _is_answered(hit: Hit) -> bool:
    return 200 <= hit.status < 400


def trim_output(output: str, head: int = HEAD, tail: int = TAIL) -> list[str]:
    """Return an output's lines, without the middle of a long output."""
    lines = text_only(output).expandtabs().splitlines()
    left_out = len(lines) - head - tail
    if left_out <= 1:
        return lines
    return [*lines[:head], f"… {left_out} more lines …", *lines[-tail:]]


def shorten_name(name: str) -> str:
    """Return a name as one line of limited length."""
    name = " ".join(text_only(name).split())
    return name if len(name) <= NAME else f"{name[: NAME - 1]}…"


def format_clock(at: float) -> str:
    """Format a time as minutes and seconds, as in `0:07.3`; a time that no clock shows as a number of seconds."""
    if not math.isfinite(at) or abs(at) > _EVER:
        return format_seconds(at)
    minutes, tenths = divmod(round(abs(at) * 10), 600)
    return f"{'-' * (at < 0)}{minutes}:{tenths / 10:04.1f}"


def format_seconds(seconds: float) -> str:
    """Format seconds, as in `2.7 s`."""
    return f"{seconds:.1f} s" if abs(seconds) <= _EVER else f"{seconds:.3g} s"


def _check(fact: Checked, at: float) -> Iterator[str]:
    # A check that is still awaited has not failed: the step says when it has.
    mark = "✔" if fact.ok else "✘" if fact.phase == "before" else "…"
    when = "before: " if fact.phase == "before" else ""
    found = say_how_long(fact.why, fact.waits, at)
    why = f" ({found})" if found and found != fact.text else ""
    yield from _wrap_text(f"  {mark} ", f"{when}{fact.text}{why}")


def _tell_typed(at: float, fact: CommandBegan) -> Iterator[str]:
    prompt = f"{shorten_name(fact.node)} $ "
    first, *rest = text_only(fact.text).splitlines() or [""]
    yield f"{format_clock(at):>8}  {prompt}{first}"
    yield from (f"{' ' * 10}{' ' * len(prompt)}{line}" for line in rest)


def _result(fact: CommandEnded, command: Command | None) -> Iterator[str]:
    for line in trim_output(fact.output):
        yield f"{' ' * 10}│ {line}".rstrip()
    name = f"{shorten_name(command.node)}: " if command and command.step == "" else ""
    yield f"{' ' * 10}╰ {name}exit {fact.status} after {format_seconds(fact.seconds)}"


def _line(at: float, mark: str, text: str) -> Iterator[str]:
    yield from _wrap_text(f"{format_clock(at):>8}  {mark} ", text)


def _wrap_text(lead: str, text: str) -> Iterator[str]:
    text = " ".join(text_only(text).split())
    wrapped = textwrap.wrap(text, WIDTH - len(lead), break_on_hyphens=False) or [""]
    yield f"{lead}{wrapped[0]}".rstrip()
    yield from (f"{' ' * len(lead)}{line}" for line in wrapped[1:])
