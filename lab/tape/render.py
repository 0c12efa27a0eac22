"""A tape in other formats: an asciicast to be played by asciinema, and a guide to be read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC

from lab.tape.player import LONGEST_PAUSE
from lab.tape.tape import Tape
from lab.tape.transcript import (
    format_clock,
    format_seconds,
    new_lines,
    requests,
    short,
    trim_output,
)
from lab.terminal.sanitize import ScreenFilter, at_rest, text_only, visible
from lab.world.entries import Checked, CommandBegan, CommandEnded, Entry, Hit, LessonOpened, Printed, StepMoved
from lab.world.world import World, fold

__all__ = ["cast", "markdown"]

#: Lines of an output that a guide shows: the first ones.
_HEAD = 40
#: And the last ones.
_TAIL = 10
_LARGEST = 1000
"""The most columns and rows that a player makes room for."""


def cast(tape: Tape) -> str:
    """Return the terminals of a tape as an asciicast (version 2, which every player reads): seconds since the
    beginning, a marker where a step begins. One terminal is visible at a time, the one that a command is typed into;
    where another comes to the front, a line says so. Only what draws is kept, and modes left changed at the end are
    reset; a player shortens pauses. Everything is ASCII: one event per line for every reader, and for every locale."""
    recorded = tape.header.recorded
    header = {
        "version": 2,
        "width": min(max(1, tape.header.columns), _LARGEST),
        "height": min(max(1, tape.header.rows), _LARGEST),
        "timestamp": int((recorded if recorded.tzinfo else recorded.replace(tzinfo=UTC)).timestamp()),
        "idle_time_limit": LONGEST_PAUSE,
        "title": _line(tape.header.title),
        "env": {"TERM": "xterm-256color", "SHELL": "/bin/bash"},
    }
    return "".join(f"{json.dumps(line)}\n" for line in (header, *_events(tape.entries)))


def _events(entries: tuple[Entry, ...]) -> Iterator[tuple[float, str, str]]:
    screens: dict[str, ScreenFilter] = {}
    behind: dict[str, str] = {}
    shown: list[str] = []
    front = ""
    for entry, node in zip(entries, _fronts(entries), strict=True):
        at, fact, text = round(entry.at, 3), entry.fact, ""
        if node != front:
            text = f"\x1b[0m\r\n\x1b[2m── {short(node)} ──\x1b[0m\r\n" * bool(front) + behind.pop(node, "")
            front = node
        if isinstance(fact, Printed):
            said = screens.setdefault(fact.node, ScreenFilter(keyboard=False)).feed(fact.text)
            if fact.node == front:
                text += said
            else:
                behind[fact.node] = behind.get(fact.node, "") + said
        if text:
            yield at, "o", text
            shown.append(text)
        if isinstance(fact, StepMoved) and fact.state == "begun":
            yield at, "m", _line(fact.step)
    if undo := at_rest("".join(shown)):
        yield round(entries[-1].at, 3), "o", undo


def _fronts(entries: tuple[Entry, ...]) -> list[str]:
    """Return for each entry the node whose terminal is in front: where a command runs, else where the next is typed."""
    fronts: list[str] = []
    began = {e.fact.id: e.fact.node for e in entries if isinstance(e.fact, CommandBegan)}
    node = next((e.fact.node for e in reversed(entries) if isinstance(e.fact, CommandBegan | Printed)), "")
    if began:
        node = list(began.values())[-1]
    for entry in reversed(entries):
        match entry.fact:
            case CommandEnded(id=id) if id in began:
                node = began[id]
            case CommandBegan():
                node = entry.fact.node
        fronts.append(node)
    return fronts[::-1]


def markdown(tape: Tape) -> str:
    """Return a guide: a heading for each step, its commands and their output, what the cluster did, and which checks
    held."""
    head = tape.header
    how = f"{head.provider} ({head.acceleration})" if head.acceleration else head.provider
    where = f", on {head.nodes} nodes, {_prose(how)}" if head.nodes else ""
    lines = [f"# {_prose(head.title)}", "", f"Recorded {head.recorded:%Y-%m-%d %H:%M} UTC{where}."]
    if not tape.finished:
        lines += ["", "The recording was interrupted: it is not the whole lesson."]
    return "\n".join((*lines, *_guide(tape.entries))) + "\n"


def _guide(entries: tuple[Entry, ...]) -> Iterator[str]:
    world, number, began = World(), 0, 0.0
    happened: list[str] = []
    checks: dict[int, Checked] = {}
    hits: list[Hit] = []
    for entry in entries:
        before, world = world, fold(world, entry)
        match entry.fact:
            case LessonOpened():
                number = 0
            case StepMoved(state="begun", step=step):
                number, began = number + 1, entry.at
                happened, checks, hits = [], {}, []
                yield from ("", f"## {number}. {_prose(step)}")
            case StepMoved() as moved:
                yield from _came(happened, hits, world)
                yield from _held(checks)
                why = f": {_prose(moved.why)}" if moved.why else ""
                yield from ("", f"**{moved.state.capitalize()}** after {format_seconds(entry.at - began)}{why}")
            case Checked() as checked:
                checks[checked.check] = checked
            case CommandBegan() as command:
                yield from ("", f"On {_code(command.node)}:", "", *_fenced("sh", visible(command.text).split("\n")))
            case CommandEnded() as ended:
                if ended.output:
                    yield from ("", *_fenced("text", trim_output(ended.output, _HEAD, _TAIL)))
                if ended.status:
                    yield from ("", f"It ended with status {ended.status}.")
            case Hit() as hit:
                hits.append(hit)
            case _:
                happened += [f"- {format_clock(c.at - began)} {_prose(c.text)}" for c in new_lines(before, world)]


def _came(happened: list[str], hits: list[Hit], world: World) -> Iterator[str]:
    if happened:
        yield from ("", "What happened, in minutes and seconds since the step began:", "", *happened)
    for sentence in requests(hits, world):
        yield from ("", f"{_prose(sentence)}.")


def _held(checks: dict[int, Checked]) -> Iterator[str]:
    if checks:
        yield ""
    for _, check in sorted(checks.items()):
        why = f" ({_prose(check.why)})" if check.why and check.why != check.text else ""
        yield f"- [{'x' if check.ok else ' '}] {_prose(check.text)}{why}"


def _fenced(language: str, lines: list[str]) -> Iterator[str]:
    longest = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield from (f"{fence}{language}", *(visible(line).rstrip() for line in lines), fence)


def _code(text: str) -> str:
    """Return a text as inline code."""
    text = _line(text)
    fence = "`" * (max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def _prose(text: str) -> str:
    """Return a text with its markup escaped."""
    return re.sub(r"([\\`*_\[\]<>#|~]|&(?=#?\w+;))", r"\\\1", _line(text))


def _line(text: str) -> str:
    """Return a text as one line with nothing hidden."""
    return visible(" ".join(text_only(text).split()))
