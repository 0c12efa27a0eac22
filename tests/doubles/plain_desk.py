"""A person at the lab line by line: types into a text stream, and reads another."""

from __future__ import annotations

import io
import queue
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lab.plain.console import Console
from lab.plain.seat import PlainSeat
from lab.session import Stage

BOUND = 120.0
PROMPT = " > "


class Typing:
    """What is typed, a line at a time, when it is typed."""

    def __init__(self) -> None:
        self.lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def __iter__(self) -> Iterator[str]:
        while (line := self.lines.get()) is not None:
            yield f"{line}\n"


class PlainDesk:
    """A seat in a thread of its own. `read` returns what was printed since it was read last."""

    def __init__(self, stage: Stage, *, lesson: str = "", patient: bool = True) -> None:
        self.stream, self.typing, self.code = io.StringIO(), Typing(), -1
        self.seat = PlainSeat(stage, Console(self.stream), patient=patient)
        self._read = 0

        def run() -> None:
            self.code = self.seat.run(self.typing, lesson)

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()

    @property
    def printed(self) -> str:
        """All that was printed."""
        return self.stream.getvalue()

    @property
    def news(self) -> str:
        """What was printed since `read` was called last."""
        return self.printed[self._read :]

    @property
    def prompt(self) -> str:
        """The prompt that waits, "" for none."""
        last = self.printed.rpartition("\n")[2]
        return last.removesuffix(PROMPT) if last.endswith(PROMPT) else ""

    def see(self, *words: str) -> str:
        """Wait until all of this is among the news; return the news."""
        self._wait(lambda: all(word in self.news for word in words), f"printed: {words}")
        return self.news

    def read(self) -> str:
        """Wait for a prompt (or the end), and return the news up to it."""
        self._wait(lambda: bool(self.news) and (bool(self.prompt) or not self.thread.is_alive()), "a prompt")
        news = self.news
        self._read += len(news)
        return news

    def type(self, line: str) -> str:
        """Type a line at the prompt, and return what is printed up to the next prompt."""
        self.read_on()
        self.typing.lines.put(line)
        return self.read()

    def send(self, line: str | None) -> None:
        """Type a line without waiting for anything; None: no more lines."""
        self.read_on()
        self.typing.lines.put(line)

    def read_on(self) -> None:
        """Take what was printed so far as read."""
        self._read = len(self.printed)

    def end(self) -> int:
        """Wait for the end; return the exit code."""
        self._wait(lambda: not self.thread.is_alive(), "the end")
        return self.code

    def _wait(self, holds: object, what: str) -> None:
        assert callable(holds)
        until = time.monotonic() + BOUND
        while not holds():
            if time.monotonic() > until:
                raise AssertionError(f"not so in time: {what}\n{self.printed}")
            time.sleep(0.002)


@contextmanager
def plain_desk(stage: Stage, *, lesson: str = "", patient: bool = True) -> Iterator[PlainDesk]:
    """A seat, its first page read; it is left at the end."""
    desk = PlainDesk(stage, lesson=lesson, patient=patient)
    try:
        desk.see(PROMPT)
        yield desk
    finally:
        stage.stop()
        desk.send("q")
        desk.send(None)
