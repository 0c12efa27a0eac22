"""What a typed line means: Enter alone, a key, or a command for the shell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lab.plain.line import EMPTY, Line

Action = Literal["go", "next", "back", "help", "hint", "changes", "checks", "undo", "reset", "lessons", "quit", "shell"]

KEYS: dict[str, tuple[Action, str]] = {
    "": ("go", "does what the prompt says: it begins, runs the command that is shown, or goes on"),
    "n": ("next", "the next page"),
    "p": ("back", "the page before; in a question: back, without an answer"),
    "h": ("hint", "a hint; typed again, the next one"),
    "c": ("checks", "the checks of this step, as they are now"),
    "w": ("changes", "what runs, and what has changed since you last asked"),
    "u": ("undo", "take back the last step, or what was changed by hand; asks first"),
    "r": ("reset", "put the cluster to the start of the lesson or of the step; asks first"),
    "l": ("lessons", "the lessons"),
    "?": ("help", "this list"),
    "q": ("quit", "quit; the cluster stays"),
}
"""The keys, each with what it does."""

SHELL = "!"
"""A line that begins with it is a command, however short."""


@dataclass(frozen=True, slots=True)
class Typed:
    """A line that was typed, read: `text` is the command for the shell."""

    action: Action
    text: str = ""


def read_line(line: str) -> Typed:
    """Return what a line means."""
    word = line.strip()
    if word in KEYS:
        return Typed(KEYS[word][0])
    text = word.removeprefix(SHELL).strip()
    return Typed("shell", text) if text else Typed("help")


def help_lines(*, live: bool) -> Iterator[Line]:
    """Yield what can be typed."""
    yield from (EMPTY, Line("What you can type:", "head"))
    for key, (_, does) in KEYS.items():
        yield Line(does, lead=f"{key or 'Enter alone'}: ")
    if live:
        yield Line("Everything else is a command for the shell on a manager, where docker talks to the cluster.")
        yield Line(
            f"{SHELL} before it makes a command of a key: {SHELL}w runs w, and {SHELL}{SHELL} false runs {SHELL} false."
        )
        yield Line("A line that ends with a backslash goes on in the next one.")
        yield Line("The output comes when a command has ended. One that asks something back gets no answer.")
    yield Line("What you type while something runs waits for its end. Ctrl-C stops what runs; at the prompt it quits.")
