"""replay, export: the commands about recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli.out import Out
from lab.cli.output_files import write_whole
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

        lesson = _lesson_of(load(path), Path(args.lesson))
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


def export(args: argparse.Namespace, out: Out) -> int:
    """Write a recording in another format."""
    from lab.tape import render  # only this command needs it
    from lab.tape.tape import load

    if args.log and args.format != "markdown":
        raise InputError(f"there is no log as {args.format}", remedy="--format markdown --log")
    tape = load(find_tape(args.recording))
    lesson = None if args.lesson is None else _lesson_of(tape, Path(args.lesson))
    text = render.cast(tape) if args.format == "cast" else _document(tape, lesson, out, log=args.log)
    if args.format == "html":
        from lab.session.handout_html import handout_page  # only this format needs them
        from lab.tape.escape_markdown import one_line

        text = handout_page(one_line(tape.header.title), text)
    if args.output is None:
        out.file(text)
    else:
        write_whole(Path(args.output), text)
        out.note(f"written: {args.output}")
    return 0


def _lesson_of(tape: Tape, file: Path) -> Lesson:
    """Return the lesson in a file. Raises InputError when the tape is of another one, Problems."""
    from lab.lesson.course import load_lesson  # only a lesson outside the course needs it

    lesson = load_lesson(file)
    if lesson.id != tape.header.lesson:
        raise InputError(f"the recording is of the lesson {tape.header.lesson}, not of {lesson.id}", path=file)
    return lesson


def _document(tape: Tape, given: Lesson | None, out: Out, *, log: bool) -> str:
    """Return a tape as Markdown: the handout of its lesson or, as a log, what happened."""
    from lab.session.describe_lesson import find_lesson  # only this command needs these
    from lab.session.handout import handout
    from lab.tape.render import markdown

    lesson = None if log else given or find_lesson(tape.header.lesson)
    if lesson is None and not log:
        name = tape.header.lesson
        out.note(f"there is no lesson {name} here, whose text could be handed out: this is the log (--lesson FILE)")
    return markdown(tape) if lesson is None else handout(tape, lesson)
