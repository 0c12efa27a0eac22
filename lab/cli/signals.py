"""Signals that end a command: all of them as Ctrl-C does, so that whatever was begun is cleaned up."""

from __future__ import annotations

import math
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

ONCE = 2.0
"""Seconds in which several signals count as one."""

AGAIN = 0.05
"""Seconds after which an interrupt is sent again that went astray."""


class Ended(KeyboardInterrupt):
    """The process was told to end. `exit_code` is 128 and the signal's number."""

    def __init__(self, number: int) -> None:
        self.number, self.exit_code = number, 128 + number
        super().__init__(signal.Signals(number).name)


@contextmanager
def ended_by_signals() -> Iterator[Callable[[], KeyboardInterrupt | None]]:
    """SIGTERM and SIGHUP raise Ended in the main thread, SIGINT KeyboardInterrupt; the answer tells the last that was
    raised. A closed terminal sends two signals at once, and the second must not break off the cleaning up; one that
    comes later may."""
    last, came = -math.inf, None

    def interrupt(_: int, __: FrameType | None) -> None:
        nonlocal came
        came = KeyboardInterrupt()
        raise came

    def end(number: int, _: FrameType | None) -> None:
        nonlocal last, came
        if time.monotonic() - last > ONCE:
            last, came = time.monotonic(), Ended(number)
            raise came

    def unraisable(what: sys.UnraisableHookArgs) -> None:
        """Where Python calls back (the import system's locks, a destructor) an exception goes no further. An interrupt
        must."""
        if not isinstance(what.exc_value, KeyboardInterrupt):
            hook(what)
            return
        nonlocal last
        last, number = -math.inf, getattr(what.exc_value, "number", signal.SIGINT)
        later = threading.Timer(AGAIN, signal.pthread_kill, (threading.main_thread().ident, number))
        later.daemon = True
        later.start()

    # Whoever started the lab with nohup wants it to outlive the terminal.
    ours = [n for n in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(n) != signal.SIG_IGN]
    before = {number: signal.signal(number, end) for number in ours}
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    hook, sys.unraisablehook = sys.unraisablehook, unraisable
    try:
        yield lambda: came
    finally:
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
