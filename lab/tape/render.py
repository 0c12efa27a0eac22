"""A tape in other formats: an asciicast to be played by asciinema, and a log to be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC

from lab.tape.escape_markdown import code, fence, one_line, prose
from lab.tape.player import LONGEST_PAUSE
from lab.tape.tape import Tape
from lab.tape.transcript import (
    format_clock,
    format_seconds,
    new_lines,
    requests,
    shorten_name,
    trim_output,
)
from lab.terminal.sanitize import ScreenFilter, at_rest, visible
from lab.world.entries import Checked, CommandBegan, CommandEnded, Entry, Hit, LessonOpened, Printed, StepMoved
from lab.world.waiting import say_how_long
from lab.world.world import World, fold

__all__ = ["HEAD", "TAIL", "cast", "markdown", "origin"]

#: Lines of an output that a document shows: the first ones.
HEAD = 40
#: And the last ones.
TAIL = 10
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
        "title": one_line(tape.header.title),
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
            text = f"\x1b[0m\r\n\x1b[2m── {shorten_name(node)} ──\x1b[0m\r\n" * bool(front) + behind.pop(node, "")
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
            yield at, "m", one_line(fact.step)
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
    """Return a log: a heading for each step, its commands and their output, what the cluster did, and which checks
    held."""
    lines = [f"# {prose(tape.header.title)}", "", *origin(tape)]
    return "\n".join((*lines, *_guide(tape.entries))) + "\n"


def origin(tape: Tape) -> Iterator[str]:
    """Yield as Markdown when and where a tape was recorded, and whether it is whole."""
    head = tape.header
    how = f"{head.provider} ({head.acceleration})" if head.acceleration else head.provider
    where = f", on {head.nodes} nodes, {prose(how)}" if head.nodes else ""
    yield f"Recorded {head.recorded:%Y-%m-%d %H:%M} UTC{where}."
    if not tape.finished:
        yield from ("", "The recording was interrupted: it is not the whole lesson.")


def _guide(entries: tuple[Entry, ...]) -> Iterator[str]:
    world, number, began = World(), 0, 0.0
    happened: list[str] = []
    checks: dict[int, tuple[Checked, float]] = {}
    hits: list[Hit] = []
    for entry in entries:
        before, world = world, fold(world, entry)
        match entry.fact:
            case LessonOpened():
                number = 0
            case StepMoved(state="begun", step=step):
                number, began = number + 1, entry.at
                happened, checks, hits = [], {}, []
                yield from ("", f"## {number}. {prose(step)}")
            case StepMoved() as moved:
                yield from _came(happened, hits, world)
                yield from _list_checks(checks)
                why = f": {prose(moved.why)}" if moved.why else ""
                yield from ("", f"**{moved.state.capitalize()}** after {format_seconds(entry.at - began)}{why}")
            case Checked() as checked:
                checks[checked.check] = checked, entry.at
            case CommandBegan() as command:
                yield from ("", f"On {code(command.node)}:", "", *fence("sh", visible(command.text).split("\n")))
            case CommandEnded() as ended:
                if ended.output:
                    yield from ("", *fence("text", trim_output(ended.output, HEAD, TAIL)))
                if ended.status:
                    yield from ("", f"It ended with status {ended.status}.")
            case Hit() as hit:
                hits.append(hit)
            case _:
                happened += [f"- {format_clock(c.at - began)} {prose(c.text)}" for c in new_lines(before, world)]


def _came(happened: list[str], hits: list[Hit], world: World) -> Iterator[str]:
    if happened:
        yield from ("", "What happened, in minutes and seconds since the step began:", "", *happened)
    for sentence in requests(hits, world):
        yield from ("", f"{prose(sentence)}.")


def _list_checks(checks: dict[int, tuple[Checked, float]]) -> Iterator[str]:
    if checks:
        yield ""
    for _, (check, at) in sorted(checks.items(), key=lambda item: item[0]):
        found = say_how_long(check.why, check.waits, at)
        why = f" ({prose(found)})" if found and found != check.text else ""
        yield f"- [{'x' if check.ok else ' '}] {prose(check.text)}{why}"
