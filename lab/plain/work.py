"""What blocks runs in threads of its own, and says when it has ended."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from lab.errors import Cancelled, LabError
from lab.plain.line import Line

Work = Literal["opening", "step", "command", "reset", "offer"]

PATIENCE = 1.5
"""Seconds that running work has to end when the user leaves."""

_TROUBLE: dict[Work, str] = {
    "opening": "The lesson could not be opened",
    "step": "The step was interrupted",
    "command": "The command did not run to its end",
    "reset": "The reset failed",
    "offer": "Nothing is taken back",
}


@dataclass(frozen=True, slots=True)
class Ended:
    """Work that has ended, and what is to be done with its result; `then` is None where it was cancelled or failed."""

    work: Work
    result: Any = None
    then: Callable[[Any], None] | None = None
    error: Exception | None = None


class Works:
    """The work that runs: at most one of each kind. `ended` is called on its thread. The threads are daemons: work that
    does not end in time ends with the process, for which it is made."""

    def __init__(self, ended: Callable[[Ended], None]) -> None:
        self._ended = ended
        self._threads: dict[Work, threading.Thread] = {}

    @property
    def running(self) -> tuple[Work, ...]:
        """What runs, up to `take_off`."""
        return tuple(self._threads)

    def start(self, work: Work, call: Callable[[], Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """Have it done."""

        def run() -> None:
            try:
                ended = Ended(work, call(), then)
            except Cancelled:
                ended = Ended(work)
            except Exception as error:  # noqa: BLE001  thread boundary: the loop says it
                ended = Ended(work, error=error)
            self._ended(ended)

        self._threads[work] = threading.Thread(target=run, name=work, daemon=True)
        self._threads[work].start()

    def take_off(self, work: Work) -> None:
        """Take note of its end."""
        self._threads.pop(work, None)

    def join(self) -> None:
        """Wait for all of it, `PATIENCE` seconds at most."""
        until = time.monotonic() + PATIENCE
        for thread in tuple(self._threads.values()):
            thread.join(max(0.0, until - time.monotonic()))


def trouble(work: Work, error: Exception) -> tuple[Line, ...]:
    """Return what went wrong with some work, and what to do next where that is known."""
    if not isinstance(error, LabError):
        return (Line(f"{_TROUBLE[work]}: {type(error).__name__}: {error}", "bad"),)
    next_ = (Line(f"Next: {error.remedy}"),) if error.remedy else ()
    return (Line(f"{_TROUBLE[work]}: {error.sentence}", "bad"), *next_)
