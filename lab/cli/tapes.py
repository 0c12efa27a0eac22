"""replay, export: what is done with recordings."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lab.cli.out import Out
from lab.session.replay import ReplayStage, find_tape, title
from lab.tape import render
from lab.tape.player import Player
from lab.tape.tape import load
from lab.world.journal import Journal


def replay(args: argparse.Namespace, out: Out) -> int:
    """Show a recording: on the screen, or with --plain as text at its own pace or faster."""
    path = find_tape(args.recording)
    if not args.plain and sys.stdout.isatty():
        from lab.tui import launch

        stage = ReplayStage(path, speed=args.speed)
        try:
            return launch(stage)
        finally:
            stage.close()
    tape = load(path)
    out.say(title(tape))
    teller = render.Story()
    journal = Journal(clock=lambda: 0.0)

    def tell(entry: object, _: object) -> None:
        for line in teller.lines(entry):  # type: ignore[arg-type]
            out.say(line)

    journal.read(tell)
    Player(tape, journal, speed=args.speed).play_to_end()
    for line in teller.end():
        out.say(line)
    out.say("REPLAY: what you read was recorded; nothing ran.")
    return 0


def export(args: argparse.Namespace, out: Out) -> int:
    """Write a recording in another form."""
    tape = load(find_tape(args.recording))
    text = render.cast(tape) if args.format == "cast" else render.markdown(tape)
    if args.output:
        Path(args.output).write_text(text, encoding="utf-8")
        out.note(f"written: {args.output}")
    else:
        sys.stdout.write(text)
    return 0
