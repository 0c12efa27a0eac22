"""replay: a recording, shown."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli.out import Out
from lab.errors import InputError
from lab.tape.find import find_tape

if TYPE_CHECKING:
    from lab.lesson.model import Lesson
    from lab.session import Stage
    from lab.tape.tape import Tape


def replay(args: argparse.Namespace, out: Out) -> int:
    """Show a recording: on the screen, or with --plain as text at its own pace or faster."""
    path = find_tape(args.recording)
    lesson = None
    if args.lesson is not None:
        from lab.tape.tape import load  # the first paint waits for imports, and the stage loads it anyway

        lesson = lesson_of(load(path), Path(args.lesson))
    if not args.plain and sys.stdout.isatty():
        from lab.tui import launch  # only this command needs it
        from lab.tui.appearance import read_appearance

        def stage() -> Stage:
            from lab.session.replay import ReplayStage  # only this command needs it

            return ReplayStage(path, speed=args.speed, lesson=lesson)

        return launch(stage, appearance=read_appearance(args.theme, args.motion))
    from lab.session.print_tape import tell_tape  # only this command needs it

    tell_tape(path, args.speed, out.say, lesson)
    out.say("REPLAY: what you read was recorded; nothing ran.")
    return 0


def lesson_of(tape: Tape, file: Path) -> Lesson:
    """Return the lesson in a file. Raises InputError when the tape is of another one, Problems."""
    from lab.lesson.course import load_lesson  # only a lesson outside the course needs it

    lesson = load_lesson(file)
    if lesson.id != tape.header.lesson:
        raise InputError(f"the recording is of the lesson {tape.header.lesson}, not of {lesson.id}", path=file)
    return lesson
