"""Creating a cluster in the background of the app, with `swarmlab up` in a separate process.

Much of that work blocks where it would not notice that the app ends: on an engine's response, a join, packages. A
process receives Ctrl-C anywhere; it ends what it started, and the next command continues where it stopped.
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
"""Seconds to wait for an interrupted process; its cleanup may take longer."""


def command(name: str) -> tuple[str, ...]:
    """Return the command that completes the cluster of the lab `name`."""
    # -P: a folder `lab` in the current folder is not this package.
    return sys.executable, "-P", "-m", "lab.cli", "up", "--name", name, "--json"


def make(argv: Sequence[str], report: Report) -> None:
    """Run `argv`, a `swarmlab ... --json` command, to its end, and report its progress. Raises LabError with its error.

    `report` is called several times a second, with or without news; if it raises, the process is interrupted first.
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
    """Return the path to import this package from, even in a checkout, and the user's own PYTHONPATH."""
    given = os.environ.get("PYTHONPATH")
    return (str(Path(lab.__file__).parent.parent), *((given,) if given else ()))


def _runs(process: subprocess.Popen[str], bound: float = _TURN) -> bool:
    try:
        process.wait(bound)
    except subprocess.TimeoutExpired:
        return True
    return False


def _fail(status: int, said: str) -> None:
    """Raise the error that a command with --json reported; one that only reports a status has not failed."""
    try:
        result = json.loads(said)
    except ValueError:
        raise LabError(f"swarmlab up ended with status {status}", remedy="swarmlab up") from None
    if "error" in result:
        raise LabError(result["error"], remedy=result.get("remedy", ""))


class _Told:
    """The last progress that a process reported; its lines are always read, so that it never waits for a reader."""

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
