"""What the command line says: plain text or one JSON object on standard output, progress on standard error."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from lab.cluster.model import Progress, Report


def plain(value: object) -> Any:
    """A value as JSON knows it: dataclasses, tuples, sets, paths and times turned into plain data."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.isoformat(timespec="seconds")
        case Path():
            return str(value)
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no JSON form")


class Out:
    """Where a command's words go. With `json` only `result` writes to standard output, once."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    def say(self, text: str = "") -> None:
        """A line for the person; with --json it goes to standard error."""
        print(text, file=sys.stderr if self.json else sys.stdout, flush=True)

    def note(self, text: str) -> None:
        """A line about the work, to standard error."""
        print(text, file=sys.stderr, flush=True)

    def result(self, value: object) -> None:
        """The one JSON object; without --json nothing."""
        if self.json:
            print(json.dumps(plain(value), ensure_ascii=False), flush=True)

    @contextmanager
    def progress(self) -> Iterator[Report]:
        """Bars on a terminal, plain lines elsewhere (a line when the words change)."""
        if sys.stderr.isatty():
            yield from self._bars()
        else:
            yield _lines()

    def _bars(self) -> Iterator[Report]:
        from rich.console import Console
        from rich.progress import BarColumn, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bars

        bars = Bars(
            SpinnerColumn(),
            TextColumn("{task.fields[stage]:<14}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            TextColumn("{task.fields[text]}"),
            console=Console(stderr=True),
            transient=False,
        )
        current: dict[str, TaskID] = {}

        def report(step: Progress) -> None:
            if step.stage not in current:
                for done in current.values():
                    bars.update(done, total=1.0, completed=1.0)
                current.clear()
                current[step.stage] = bars.add_task("", total=None, stage=step.stage, text="")
            task = current[step.stage]
            bars.update(task, text=step.text, total=None if step.done is None else 1.0, completed=step.done or 0.0)

        with bars:
            yield report


def _lines() -> Report:
    last: list[str] = [""]

    def report(step: Progress) -> None:
        line = f"{step.stage}: {step.text}"
        if line != last[0]:
            last[0] = line
            share = "" if step.done is None else f"[{step.done:4.0%}] "
            print(f"{share}{line}", file=sys.stderr, flush=True)

    return report
