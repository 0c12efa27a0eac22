"""Signals that end a command: all act like Ctrl-C, so that whatever was begun is cleaned up."""

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
"""Seconds within which several signals count as one."""

AGAIN = 0.05
"""Seconds after which a lost interrupt is sent again."""


class Ended(KeyboardInterrupt):
    """A signal told the process to end. `exit_code` is 128 plus the signal's number."""

    def __init__(self, number: int) -> None:
        self.number, self.exit_code = number, 128 + number
        super().__init__(signal.Signals(number).name)


@contextmanager
def ended_by_signals() -> Iterator[Callable[[], KeyboardInterrupt | None]]:
    """Raise Ended in the main thread on SIGTERM and SIGHUP, KeyboardInterrupt on SIGINT; the yielded function returns
    the last that was raised. A closed terminal sends two signals at once, and the second must not interrupt the
    cleanup; a later one may."""
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
        """Send an interrupt again: an exception in a callback from Python (the import system's locks, a destructor)
        does not propagate, but an interrupt must."""
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
