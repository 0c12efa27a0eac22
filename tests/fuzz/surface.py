"""What a surface is, how one of its inputs is tried, and how a fault is told from another."""

from __future__ import annotations

import re
import resource
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

BOUND = 10.0
"""Seconds of processor time that one input may take: the machine may be busy with other things."""
WAITED = 300.0
"""Seconds by the wall's clock after which an input is taken to hang, whatever it waits for."""
GROWTH = 400
"""Megabytes by which one input may raise the most that the process ever had."""

_ROOT = Path(__file__).resolve().parents[2]
_UNREADABLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


class Broken(Exception):
    """The law was broken without an exception of the lab's own: `kind` says how, `detail` shows where."""

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(f"{kind}: {detail}" if detail else kind)
        self.kind = kind


class _TooLong(BaseException):
    """A bound passed. No Exception, so that no boundary of the program takes it for an error of its own."""


@dataclass(frozen=True)
class Surface:
    """A place where the lab reads what somebody else wrote.

    `draw` makes an input, which is plain JSON data so that it can be kept and shrunk; bytes are a latin-1 text.
    `hold` raises for one that breaks the law. `share` is its weight in a long run, `fast` how many inputs are tried in
    the test suite, `bound` the seconds of processor time that one may take.
    """

    name: str
    draw: Callable[[Random], Any]
    hold: Callable[[Any], None]
    known: tuple[Any, ...] = ()
    share: float = 1.0
    fast: int = 200
    bound: float = BOUND

    def nth(self, seed: str, index: int) -> Any:
        """The input of that index in the run of that seed, whatever else was drawn."""
        return self.draw(Random(f"{seed}/{self.name}/{index}"))


@dataclass(frozen=True)
class Fault:
    """How an input broke the law. Two faults of one `kind` are taken for the same."""

    kind: str
    told: str


def tried(surface: Surface, value: Any) -> Fault | None:
    """Hold one input to the law."""
    before = _most_megabytes()
    try:
        with _bounded(surface.bound), threads_that_raise() as raised:
            surface.hold(value)
            if raised:
                raise raised[0]
    except _TooLong as error:
        return Fault(f"a hang in {_place(error)}", _shown(error))
    except Broken as error:
        return Fault(error.kind, str(error))
    except Exception as error:  # noqa: BLE001  whatever is raised is what is looked for
        return Fault(f"{type(error).__name__} in {_place(error)}", _shown(error))
    grown = _most_megabytes() - before
    return Fault(f"more than {GROWTH} MB of memory", f"it took {grown:.0f} MB") if grown > GROWTH else None


def readable(text: str, where: str) -> None:
    """Raise Broken when a text that a person is shown has a control character but newline and tab, or half of a
    surrogate pair."""
    if (found := _UNREADABLE.search(text)) is not None:
        half = found[0] >= "\ud800"
        kind = "a lone surrogate" if half else "a control character"
        raise Broken(f"{kind} in {where}", ascii(text[max(0, found.start() - 60) : found.end() + 40]))


@contextmanager
def threads_that_raise() -> Iterator[list[BaseException]]:
    """What threads end with meanwhile, as it comes; it is not printed."""
    raised: list[BaseException] = []
    before = threading.excepthook

    def keep(args: threading.ExceptHookArgs) -> None:
        if args.exc_value is not None:
            raised.append(args.exc_value)

    threading.excepthook = keep
    try:
        yield raised
    finally:
        threading.excepthook = before


@contextmanager
def _bounded(seconds: float) -> Iterator[None]:
    """Raise _TooLong in the main thread at a bound. Timers that were set before go on afterwards."""

    def end(number: int, frame: FrameType | None) -> None:
        raise _TooLong("it took too long")

    clocks = ((signal.ITIMER_PROF, signal.SIGPROF, seconds), (signal.ITIMER_REAL, signal.SIGALRM, WAITED + 5 * seconds))
    before = [(clock, number, signal.signal(number, end)) for clock, number, _ in clocks]
    left = [signal.setitimer(clock, bound)[0] for clock, _, bound in clocks]
    try:
        yield
    finally:
        for (clock, number, handler), rest in zip(before, left, strict=True):
            signal.setitimer(clock, 0)
            signal.signal(number, handler)
            signal.setitimer(clock, rest)


def _most_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _place(error: BaseException) -> str:
    """The innermost frame of the lab's own code, else of the tests'."""
    frames = traceback.extract_tb(error.__traceback__)
    for folder in ("lab", "tests"):
        for frame in reversed(frames):
            path = Path(frame.filename)
            if path.is_relative_to(_ROOT / folder) and path != Path(__file__):
                return f"{path.relative_to(_ROOT)}:{frame.lineno} {frame.name}"
    return "no code of the lab"


def _shown(error: BaseException) -> str:
    """The end of a traceback, in characters that any terminal can be given."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    return "\n".join(ascii(line)[1:-1][:300] for line in lines[-30:])
