"""new, dev: the commands for those who write lessons."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lab import paths
from lab.cli.out import Out
from lab.cli.output_files import write_new
from lab.cli.start import is_whole, say_what_stays
from lab.errors import InputError
from lab.lesson.new_lesson import new_lesson
from lab.session.draft import Draft, DraftStage
from lab.session.reading import ReadingStage

if TYPE_CHECKING:
    from lab.lesson.model import Lesson


def new(args: argparse.Namespace, out: Out) -> int:
    """Write a small lesson that already proves, and say what to do next."""
    path = Path(args.output or f"{args.lesson}.yaml")
    write_new(path, new_lesson(args.lesson, schema_for(path)))
    out.result({"lesson": args.lesson, "file": path})
    if not out.json:
        file = shlex.quote(str(path))
        out.say(f"written: {path}, a lesson of two steps that already proves. What next:")
        for command, what in (
            ("dev", "read it in the lab while you write; every save is shown"),
            ("check", "what is wrong with it: file, line, reason"),
            ("run", "prove it on the cluster, without a screen"),
            ("record", "prove it and keep the recording"),
        ):
            out.say(f"  {f'swarmlab {command} {file}':<34}  {what}")
        out.say(f"The author's guide: {paths.lessons() / 'README.md'}")
    return 0


def dev(args: argparse.Namespace, out: Out) -> int:
    """Show a lesson's file in the app, and again whenever it is saved: on the cluster, or else to read."""
    path = Path(args.file)
    if not path.is_file():
        raise InputError("there is no such file", path=path, remedy="swarmlab new lesson NAME")
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError("swarmlab dev needs a terminal", remedy=f"swarmlab check {shlex.quote(args.file)}")
    from lab.tui import launch  # only this command needs it
    from lab.tui.appearance import read_appearance

    appearance, live = read_appearance(args.theme, args.motion), is_whole(args.name)

    def make(lessons: tuple[Lesson, ...]) -> DraftStage:
        if not live:
            return ReadingStage(path.name, lessons)
        from lab.cluster import api  # only with a cluster, after the first paint
        from lab.session.live import LiveStage

        return LiveStage(api.find(args.name), saves=True, lessons=lessons)

    draft = Draft(path, make)
    code = launch(draft.stage, live=live, appearance=appearance, reload=draft.reload)
    say_what_stays(args, out)
    return code


def schema_for(path: Path) -> str:
    """Return where a lesson's file finds the editors' schema: its name for a file beside it, else a URL, since
    yaml-language-server takes no path with spaces."""
    schema = paths.lessons() / "schema.json"
    return schema.name if path.resolve().parent == schema.parent.resolve() else schema.resolve().as_uri()
