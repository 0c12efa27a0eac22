"""The base of all sources that poll: one thread that polls until it is closed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from lab.errors import EngineError, LabError
from lab.world.entries import Entry
from lab.world.journal import Journal
from lab.world.world import World


@dataclass(frozen=True)
class PollInterval:
    """Seconds between polls: `fast` while something changes, `slow` at rest, and at most `most` while polls fail. `gap`
    is kept even when woken. A poll that takes long makes all of them longer, so that it does not load what it polls."""

    fast: float = 1.0
    slow: float = 4.0
    most: float = 15.0
    gap: float = 0.2


class Source:
    """A thread that polls. A subclass defines how to poll (`_look`) and what to write when a poll fails
    (`_on_failure`): whatever it raised, it is retried, less and less often. One that `reads` a journal receives each
    entry (`_on_entry`), from `start` to `close`."""

    SILENT = "no look at the {name} ended"
    """What `look` says when there was none in time."""

    def __init__(self, name: str, interval: PollInterval, reads: Journal | None = None) -> None:
        self._interval, self._reads = interval, reads
        self._stop_reading: Callable[[], None] = lambda: None
        self._turn = threading.Condition()
        self._asked = self._begun = self._done = 0
        self._closed = False
        self._held = 0
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start polling."""
        if self._reads is not None:
            self._stop_reading = self._reads.read(self._on_entry)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether its thread is alive."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Poll as soon as possible. Never waits."""
        with self._turn:
            self._asked += 1
            self._turn.notify_all()

    def look_soon(self) -> Callable[[], bool]:
        """Poll as soon as possible. Never waits: the function returned says whether a poll that began after this call
        is in the journal."""
        with self._turn:
            Source.wake(self)
            wanted = self._asked
        return lambda: self._done >= wanted

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Begin no poll while the block runs; one that has begun is not waited for."""
        with self._turn:
            self._held += 1
        try:
            yield
        finally:
            with self._turn:
                self._held -= 1
                self._turn.notify_all()

    def close(self) -> None:
        """Stop; returns when the thread has ended, or after two seconds."""
        self._stop_reading()
        with self._turn:
            self._closed = True
            self._turn.notify_all()
        self._interrupt()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join(timeout=2.0)

    def look(self, bound: float = 60.0) -> None:
        """Wait until a poll that began after this call is in the journal; raises EngineError if none is within `bound`
        seconds."""
        with self._turn:
            self.wake()
            wanted = self._asked
            if not self._turn.wait_for(lambda: self._done >= wanted or self._closed, timeout=bound):
                silent = self.SILENT.format(name=self._thread.name)
                why = f": {self._trouble}" if self._trouble else ""
                raise EngineError(f"{silent} within {bound:.0f} s{why}", remedy="swarmlab status")

    def _look(self) -> bool:
        """Poll once and write what was seen. Return whether something is changing, so that the next poll is soon."""
        raise NotImplementedError

    def _on_entry(self, entry: Entry, world: World) -> None:
        """Handle an entry just written to the journal that it reads."""

    def _on_failure(self, error: Exception) -> None:
        """Handle a failed poll: write what a reader of the journal should know, so that old data is not taken for
        current."""

    def _interrupt(self) -> None:
        """Interrupt what a poll is waiting for, from another thread."""

    def _release(self) -> None:
        """Release what polls have kept open. Called by the thread as it ends."""

    def _run(self) -> None:
        try:
            self._loop()
        finally:
            with suppress(Exception):  # It is no longer needed, whatever closing it raises.
                self._release()

    def _loop(self) -> None:
        pause = 0.0
        while True:
            with self._turn:
                self._turn.wait_for(lambda: self._asked > self._begun or self._closed, timeout=pause)
                self._turn.wait_for(lambda: not self._held or self._closed)
                if self._closed:
                    return
                self._begun = wanted = self._asked
            began, gap = time.monotonic(), self._interval.gap
            try:
                moving = self._look()
            except Exception as error:  # noqa: BLE001  what is polled may answer anything, and must not end this thread
                self._trouble = describe_error(error)
                with suppress(Exception):
                    if not self._closed:
                        self._on_failure(error)
                pause = min(self._interval.most, max(0.5, pause * 2))
            else:
                took = time.monotonic() - began
                gap = max(gap, took / 2)
                pause = max(self._interval.fast, took) if moving else max(self._interval.slow, 4 * took)
                with self._turn:
                    self._trouble, self._done = "", wanted
                    self._turn.notify_all()
            with self._turn:
                self._turn.wait_for(lambda: self._closed, timeout=min(pause, gap))


#: By the name of an exception of `requests`, whose own text is about sockets and pools.
_SILENT = {
    "ReadTimeout": "no answer in time",
    "ConnectTimeout": "no connection in time",
    "ConnectionError": "no connection",
}


def describe_error(error: Exception) -> str:
    """Describe in one line why a poll failed: a LabError in its own words, a silent engine in plain ones, any other
    error with its type."""
    if isinstance(error, LabError):
        return first_line(error)
    if type(error).__module__.startswith("requests.") and (words := _SILENT.get(type(error).__name__)):
        return words
    return f"{type(error).__name__}: {first_line(error)}"


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, or its type if it has none."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
