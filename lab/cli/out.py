"""The output of the command line: plain text or one JSON object on standard output, progress on standard error."""

from __future__ import annotations

import dataclasses
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.cluster.model import Progress, Report
from lab.errors import LabError
from lab.terminal.sanitize import text_only, visible


def to_json(value: object) -> Any:
    """Convert a value to plain JSON data: dataclasses, tuples, sets, paths and times too."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
        case Path():
            return str(value)
        case Mapping():
            return {str(k): to_json(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [to_json(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Out:
    """The output of a command. With `json`, only `result` writes to standard output, once.

    Names, paths and outputs come from other people's files and programs: nothing that is printed here acts on the
    terminal. Raises LabError when standard output cannot be written; what standard error cannot take is lost.
    """

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    def say(self, text: str = "") -> None:
        """Print a line for the user; with --json, to standard error."""
        if self.json:
            self.note(text)
        else:
            _print(text)

    def note(self, text: str) -> None:
        """Print a line about the work to standard error."""
        with suppress(OSError):
            print(visible(text), file=sys.stderr, flush=True)

    def result(self, value: object) -> None:
        """Print the one JSON object; without --json, nothing."""
        if self.json:
            _print(json.dumps(to_json(value)))  # ASCII: intact in every locale, and nothing in it acts on the terminal

    def file(self, text: str) -> None:
        """Write a file's text to standard output, as UTF-8 in every locale. Raises LabError when there is none."""
        if sys.__stdout__ is None:
            raise LabError("standard output is closed: there is nowhere to write to", remedy="name a file: -o FILE")
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        _print(text, end="")

    @contextmanager
    def progress(self, *, plain: bool = False) -> Iterator[Report]:
        """Report progress: bars on a terminal, plain lines elsewhere and with `plain` (one each time that the words
        change)."""
        if sys.stderr.isatty() and not plain:
            yield from self._bars()
        else:
            yield self._lines()

    def _bars(self) -> Iterator[Report]:
        from rich.console import Console  # only for a terminal's bars
        from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.fields[stage]:<14}", markup=False),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}", markup=False),
            console=Console(stderr=True),
            transient=False,
        )
        current: dict[str, TaskID] = {}

        def report(step: Progress) -> None:
            step = Progress(_line(step.stage), _line(step.text), step.done)
            if step.stage not in current:
                for done in current.values():
                    bars.update(done, total=1.0, completed=1.0)
                current.clear()
                current[step.stage] = bars.add_task("", total=None, stage=step.stage, text="")
            task = current[step.stage]
            bars.update(task, text=step.text, total=None if step.done is None else 1.0, completed=step.done or 0.0)

        with bars:
            yield report

    def _lines(self) -> Report:
        last: list[str] = [""]

        def report(step: Progress) -> None:
            line = f"{_line(step.stage)}: {_line(step.text)}"
            if line != last[0]:
                last[0] = line
                share = "" if step.done is None else f"[{step.done:4.0%}] "
                self.note(f"{share}{line}")

        return report


def _line(text: str) -> str:
    return visible(" ".join(text_only(text).split()))


def _print(text: str, end: str = "\n") -> None:
    try:
        print(visible(text), end=end, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise LabError(f"standard output cannot be written: {error.strerror}") from error
