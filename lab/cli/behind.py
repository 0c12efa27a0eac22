"""A cluster made behind the app, by `swarmlab up` in a process of its own.

Much of the making waits where no word of the app's end is heard: for an engine's answer, for a join, for packages. A
process hears Ctrl-C anywhere; it ends what it started, and the next command goes on where it stopped.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import lab
from lab.cluster.model import Progress, Report
from lab.errors import LabError

_LINE = re.compile(r"(?!swarmlab:)(?:\[ *(\d+)%\] )?([\w -]+): (.+)")
_TURN = 0.1
"""Seconds between two reports."""
_GRACE = 1.0
"""Seconds for which an interrupted process is waited for: it may tidy up for longer."""


def command(name: str) -> tuple[str, ...]:
    """The command that makes the cluster of lab `name` whole."""
    # -P: a folder `lab` where the user happens to be is not this one.
    return sys.executable, "-P", "-m", "lab.cli", "up", "--name", name, "--json"


def make(argv: Sequence[str], report: Report) -> None:
    """Run `argv`, a `swarmlab ... --json`, to its end, and report what it tells. Raises LabError with its words.

    `report` is called some times a second, with news or without; what it raises interrupts the process first.
    """
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONIOENCODING": "utf-8", "PYTHONPATH": os.pathsep.join(_import_path())},
            text=True,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        )
        told = _Told(process.stderr)
        try:
            while _runs(process):
                report(told.last)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                _runs(process, _GRACE)
        said.seek(0)
        if process.returncode:
            _fail(process.returncode, said.read().decode("utf-8", "replace"))


def _import_path() -> tuple[str, ...]:
    """Where this package is, also when it runs from a checkout."""
    given = os.environ.get("PYTHONPATH")
    return (str(Path(lab.__file__).parent.parent), *((given,) if given else ()))


def _runs(process: subprocess.Popen[str], bound: float = _TURN) -> bool:
    try:
        process.wait(bound)
    except subprocess.TimeoutExpired:
        return True
    return False


def _fail(status: int, said: str) -> None:
    """Raise what a command with --json said of its failure; one that only says how things are has not failed."""
    try:
        result = json.loads(said)
    except ValueError:
        raise LabError(f"swarmlab up ended with status {status}", remedy="swarmlab up") from None
    if "error" in result:
        raise LabError(result["error"], remedy=result.get("remedy", ""))


class _Told:
    """The last progress that a process told in its lines; they are read so that it never waits for a reader."""

    def __init__(self, lines: IO[str] | None) -> None:
        self.last = Progress("machines", "looking at what is there")
        if lines is not None:
            threading.Thread(target=self._read, args=(lines,), name="progress", daemon=True).start()

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                if found := _LINE.fullmatch(line.rstrip()):
                    share, stage, text = found.groups()
                    self.last = Progress(stage, text, int(share) / 100 if share else None)
