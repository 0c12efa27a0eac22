"""A program in a pty of its own: what it printed, when, and what it costs."""

from __future__ import annotations

import os
import re
import select
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pexpect
import psutil

_ESCAPES = re.compile(r"\x1b\[[0-9;?<>=]*[a-zA-Z]|\x1b[()][0-9A-B]|\x1b[=>78]|\x1b\][^\x07\x1b]*(\x07|\x1b\\)")


class Screen:
    """A program that draws. `until` reads what it printed until a predicate on the plain text holds."""

    def __init__(
        self, argv: Sequence[str], *, program: str = sys.executable, columns: int = 120, rows: int = 40
    ) -> None:
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        # Not the tester's own progress.
        env["SWARMLAB_STATE"] = tempfile.mkdtemp(prefix="swb-")
        # As for a user: modules are compiled once, not at every start.
        env.pop("PYTHONDONTWRITEBYTECODE", None)
        self.began = time.perf_counter()
        self.child = pexpect.spawn(program, list(argv), dimensions=(rows, columns), env=env, timeout=None, echo=False)
        self.fd: int = self.child.fileno()
        self.text = ""

    def until(self, holds: Callable[[str], bool], bound: float = 60.0) -> float:
        """The moment (perf_counter) at which what was printed since the last call satisfied `holds`."""
        end = time.monotonic() + bound
        self.text = ""
        while time.monotonic() < end:
            if not select.select([self.fd], [], [], 0.5)[0]:
                continue
            try:
                chunk = os.read(self.fd, 65536)
            except OSError as error:
                raise RuntimeError(f"the program ended; it had printed: {self.text[-400:]!r}") from error
            now = time.perf_counter()
            self.text += _ESCAPES.sub("", chunk.decode(errors="replace"))
            if holds(self.text):
                return now
        raise TimeoutError(f"not seen in {bound:.0f} s; what was printed: {self.text[-400:]!r}")

    def drain(self, seconds: float) -> None:
        """Read what comes for so long, so that the program never waits for its reader."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                os.read(self.fd, 65536)

    def cost(self, seconds: float) -> tuple[float, float]:
        """Share of one core used over so many seconds, in percent, and resident memory at the end, in MiB."""
        process = psutil.Process(self.child.pid)
        before = process.cpu_times()
        began = time.perf_counter()
        self.drain(seconds)
        after, took = process.cpu_times(), time.perf_counter() - began
        used = after.user + after.system - before.user - before.system
        return 100 * used / took, process.memory_info().rss / 2**20


@contextmanager
def screen(*argv: str, program: str = sys.executable, columns: int = 120, rows: int = 40) -> Iterator[Screen]:
    """A program in a pty, Python when no other is named, ended by its process id at the end."""
    it = Screen(argv, program=program, columns=columns, rows=rows)
    try:
        yield it
    finally:
        it.child.close(force=True)
