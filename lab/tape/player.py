"""Plays a tape into a journal. It reads a value and writes entries, and uses no cluster, no shell and no network."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from lab.errors import InputError
from lab.tape.tape import Tape
from lab.world.entries import Entry, StepMoved
from lab.world.journal import Journal

LONGEST_PAUSE = 3.0
"""The most seconds that a replay waits between two entries, at speed 1. The entries keep their times."""


class Player:
    """A player of a tape into a journal, step by step or all of it.

    `speed` 2.0 is twice as fast as recorded; None does not wait. `wait` waits the given number of seconds and returns
    whether a stop was requested meanwhile. One thread plays; `stop` may be called from any. Raises InputError for a
    speed that is not above 0.
    """

    def __init__(
        self,
        tape: Tape,
        journal: Journal,
        *,
        speed: float | None = 1.0,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if speed is not None and not speed > 0:
            raise InputError(f"a speed is a number above 0, or max: {speed:g}")
        self.tape, self.journal, self.speed = tape, journal, speed
        self._stopped = threading.Event()
        self._wait, self._clock = wait or self._stopped.wait, clock
        self._next = 0

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps that begin on this tape, in order."""
        begun = (e.fact.step for e in self.tape.entries if isinstance(e.fact, StepMoved) and e.fact.state == "begun")
        return tuple(dict.fromkeys(begun))

    def play_step(self, step: str) -> bool:
        """Play one step, from its beginning to its end. Entries before it are written at once; if it was played
        already, the tape is rewound. Returns False when it was stopped. Raises InputError when the step, or its end, is
        not on the tape."""
        self._stopped.clear()
        begin, end = self._begin(step), self._end(step)
        if self._next > begin:
            self.rewind()
        self._skip(begin)
        if not self._play(len(self.tape.entries) if end is None else end):
            self.journal.write(StepMoved(self.tape.header.lesson, step, "failed", "stopped"))
            return False
        if end is None:
            raise InputError(f"the recording ends in the middle of step {step}")
        return True

    def play_to_end(self) -> bool:
        """Play all that is left. Returns False when it was stopped."""
        self._stopped.clear()
        return self._play(len(self.tape.entries))

    def wind(self, step: str) -> None:
        """Go forwards or backwards to a step's beginning, without waiting. Raises InputError when the step is not on
        the tape."""
        begin = self._begin(step)
        if self._next > begin:
            self.rewind()
        self._skip(begin)

    def rewind(self) -> None:
        """Go back to the beginning: the journal's world is emptied, then the entries before the first step are written
        at once."""
        self.journal.restart()
        self._next = 0
        if self.steps:
            self._skip(self._begin(self.steps[0]))

    def stop(self) -> None:
        """Stop playing soon."""
        self._stopped.set()

    def _begin(self, step: str) -> int:
        for index, entry in enumerate(self.tape.entries):
            if _moves(entry, step) == "begun":
                return index
        raise InputError(
            f"the recording has no step {step}", remedy=f"its steps are: {', '.join(self.steps) or 'none'}"
        )

    def _end(self, step: str) -> int | None:
        """Return the index after the step's last entry; None when the step does not end on this tape."""
        for index, entry in enumerate(self.tape.entries[self._begin(step) :], start=self._begin(step)):
            if _moves(entry, step) in ("passed", "failed"):
                return index + 1
        return None

    def _skip(self, upto: int) -> None:
        self.journal.put_all(self.tape.entries[self._next : upto])
        self._next = max(self._next, upto)

    def _play(self, upto: int) -> bool:
        due, before = self._clock(), None
        while self._next < upto:
            entry = self.tape.entries[self._next]
            before = entry.at if before is None else before
            if self.speed is not None:
                due += min(LONGEST_PAUSE, max(0.0, entry.at - before)) / self.speed
                if (left := due - self._clock()) > 0.001 and self._wait(left):
                    return False
            if self._stopped.is_set():
                return False
            before = entry.at
            self.journal.put(entry)
            self._next += 1
        return True


def _moves(entry: Entry, step: str) -> str:
    fact = entry.fact
    return fact.state if isinstance(fact, StepMoved) and fact.step == step else ""
