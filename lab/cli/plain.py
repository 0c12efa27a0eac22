"""`swarmlab --plain`: the lab line by line, on this process's streams."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from lab.cli.cluster import consent
from lab.cli.lessons import choose_lessons, is_file_name
from lab.cli.out import Out
from lab.cli.start import say_what_stays
from lab.cluster import api
from lab.lesson import progress
from lab.plain.console import Console
from lab.plain.seat import PlainSeat

if TYPE_CHECKING:
    from lab.lesson.model import Lesson
    from lab.session import Stage

WIDTH = 80
"""Characters of a line where no terminal says how many it has."""


def plain(args: argparse.Namespace, out: Out) -> int:
    """Bring the cluster up unless it is whole, and take the lessons line by line; return 0, or 130 after Ctrl-C at the
    prompt. Raises InputError for an unknown lesson, and what `api.up` does."""
    chosen = choose_lessons([args.line_by_line], lab=args.name) if args.line_by_line else ()
    own = chosen if is_file_name(args.line_by_line or "") else None
    stage = open_stage(args, out, own)
    code = take_a_seat(args, stage, chosen[0].id if chosen else progress.last_lesson(args.name))
    say_what_stays(args, out)
    return code


def take_a_seat(args: argparse.Namespace, stage: Stage, lesson: str) -> int:
    """Take a lesson of a stage line by line ("": the first), and close the stage; return the exit code."""
    try:
        console = Console(sys.stdout, width=_width, colour=args.colour, echo=not sys.stdin.isatty())
        seat = PlainSeat(stage, console, patient=sys.stdin.isatty())
        with _catch_interrupt(seat.interrupt):
            return seat.run(_own_input(), lesson)
    finally:
        stage.close()


def open_stage(args: argparse.Namespace, out: Out, lessons: tuple[Lesson, ...] | None) -> Stage:
    """Return a live stage on the cluster, which is brought up first unless it is whole; None are the course's
    lessons."""
    cluster = api.find(args.name) if args.name in api.names() else None
    if cluster is None or not cluster.status().whole:
        with out.progress(plain=True) as report:
            cluster = api.up(args.name, report=report, consent=consent(args.yes, out))
    from lab.session.live import LiveStage  # slow to load: what is wrong is said before

    return LiveStage(cluster, typing=0.0, saves=True, lessons=lessons)


def _width() -> int:
    return shutil.get_terminal_size((WIDTH, 24)).columns


@contextmanager
def _catch_interrupt(interrupt: Callable[[], None]) -> Iterator[None]:
    """Call `interrupt` on Ctrl-C, instead of raising wherever the program is. One that is ignored stays ignored."""
    before = signal.getsignal(signal.SIGINT)
    if before == signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: interrupt())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _own_input() -> TextIO:
    """Open standard input once more, for a thread that may still be reading it when the process ends: the interpreter
    waits for its own. It is not closed, for the same reason."""
    return open(os.dup(sys.stdin.fileno()), encoding=sys.stdin.encoding, errors="replace")  # noqa: PTH123
