"""replay, export: the commands about recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab.cli.out import Out
from lab.cli.output_files import write_whole
from lab.tape.find import find_tape

if TYPE_CHECKING:
    from lab.session import Stage


def replay(args: argparse.Namespace, out: Out) -> int:
    """Show a recording: on the screen, or with --plain as text at its own pace or faster."""
    path = find_tape(args.recording)
    if not args.plain and sys.stdout.isatty():
        from lab.tui import launch  # only this command needs it

        def stage() -> Stage:
            from lab.session.replay import ReplayStage  # only this command needs it

            return ReplayStage(path, speed=args.speed)

        return launch(stage)
    from lab.session.print_tape import tell_tape  # only this command needs it

    tell_tape(path, args.speed, out.say)
    out.say("REPLAY: what you read was recorded; nothing ran.")
    return 0


def export(args: argparse.Namespace, out: Out) -> int:
    """Write a recording in another format."""
    from lab.tape import render  # only this command needs it
    from lab.tape.tape import load

    tape = load(find_tape(args.recording))
    text = render.cast(tape) if args.format == "cast" else render.markdown(tape)
    if args.output is None:
        out.file(text)
    else:
        write_whole(Path(args.output), text)
        out.note(f"written: {args.output}")
    return 0
