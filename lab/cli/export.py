"""export: a recording, several of them, a path or the whole course in another format."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab import paths
from lab.cli.out import Out
from lab.cli.output_files import write_whole
from lab.cli.tapes import lesson_of
from lab.errors import InputError
from lab.tape.find import find_tape, tapes
from lab.tape.tape import Tape, load

if TYPE_CHECKING:
    from lab.lesson.model import Lesson
    from lab.lesson.syllabus import CoursePath, Syllabus
    from lab.world.world import World


def export(args: argparse.Namespace, out: Out) -> int:
    """Write a recording in another format; several, a path through the lessons or the whole course as one handout."""
    if args.log and args.format != "markdown":
        raise InputError(f"there is no log as {args.format}", remedy="--format markdown --log")
    if args.all == bool(args.recordings):
        raise InputError("name recordings or a path, or use --all for the whole course")
    path = _path(args.recordings)
    several = args.all or path is not None or len(args.recordings) > 1
    if several and (args.log or args.lesson or args.format in ("cast", "page")):
        raise InputError("--log, --lesson and the formats cast and page are for one recording")
    text = _export_several(path, args) if several else _export_one(args, out)
    if args.output is None:
        out.file(text)
    else:
        write_whole(Path(args.output), text)
        out.note(f"written: {args.output}")
    return 0


def _export_one(args: argparse.Namespace, out: Out) -> str:
    from lab.session.describe_lesson import find_lesson  # a cast needs no lesson
    from lab.session.handout import handout
    from lab.tape import render
    from lab.tape.escape_markdown import one_line

    tape = load(find_tape(args.recordings[0]))
    given = None if args.lesson is None else lesson_of(tape, Path(args.lesson))
    if args.format == "cast":
        return render.cast(tape)
    lesson = None if args.log else given or find_lesson(tape.header.lesson)
    if args.format == "page":
        return _page(tape, lesson)
    if lesson is None and not args.log:
        name = tape.header.lesson
        out.note(f"there is no lesson {name} here, whose text could be handed out: this is the log (--lesson FILE)")
    pictures = _Pictures(args.format)
    text = render.markdown(tape) if lesson is None else handout(tape, lesson, draw=pictures.draw)
    return pictures.put_into(one_line(tape.header.title), text)


def _page(tape: Tape, lesson: Lesson | None) -> str:
    from dataclasses import asdict  # only a page needs these

    from lab.session.run_page import run_page  # only a page needs it
    from lab.tui.pane_picture import picture_style
    from lab.tui.recorded_run import record_run

    if lesson is None:
        raise InputError(f"there is no lesson {tape.header.lesson} here", remedy="name its file: --lesson FILE")
    origin = f"recorded {tape.header.recorded:%Y-%m-%d}, {tape.header.provider} {tape.header.acceleration}".strip()
    return run_page(tape.header.title, origin, asdict(record_run(tape, lesson)), picture_style())


def _export_several(path: CoursePath | None, args: argparse.Namespace) -> str:
    from lab.lesson.course import load_course  # one recording needs its own lesson only
    from lab.session.course_handout import Part, course_handout, parts_of_path

    course = {lesson.id: lesson for lesson in load_course()}
    pictures = _Pictures(args.format)
    if path is not None:
        there = {id: load(find_tape(id)) for id, _ in path.stops()}
        title, minutes, parts = path.title, path.minutes, tuple(parts_of_path(path, course, there))
    else:
        known = tapes()
        every = [known[id] for id in course if id in known]
        title, minutes = _syllabus().title, 0
        files = every if args.all else [find_tape(name) for name in args.recordings]
        parts = tuple(Part(_lesson(tape, course, file), tape) for file in files for tape in (load(file),))
    return pictures.put_into(title, course_handout(title, parts, minutes=minutes, draw=pictures.draw))


def _lesson(tape: Tape, course: Mapping[str, Lesson], file: Path) -> Lesson:
    lesson = course.get(tape.header.lesson)
    if lesson is None:
        told = f"there is no lesson {tape.header.lesson} in the course, whose text could be handed out"
        raise InputError(told, path=file, remedy="export it by itself, with --lesson FILE")
    return lesson


def _path(names: Sequence[str]) -> CoursePath | None:
    """Return the path through the lessons that a single name means, if it is no recording's. Raises InputError for a
    name that is like a path's."""
    if len(names) != 1 or names[0] in tapes() or Path(names[0]).exists():
        return None
    from lab.schema.diagnostics import did_you_mean  # only a path, or a mistake, needs it

    ways = _syllabus().paths
    if names[0] not in ways and (meant := did_you_mean(names[0], ways)):
        raise InputError(f"there is no recording and no path {names[0]}{meant}", remedy=f"paths: {', '.join(ways)}")
    return ways.get(names[0])


def _syllabus() -> Syllabus:
    from lab.lesson.course import SYLLABUS, load_syllabus  # one recording needs no syllabus

    return load_syllabus(paths.lessons() / SYLLABUS)


class _Pictures:
    """The panes of a handout: in Markdown as text, on a page as SVG, each one once."""

    def __init__(self, form: str) -> None:
        self.form = form
        self._names: dict[str, str] = {}

    def draw(self, world: World, pane: str) -> list[str]:
        """Return the block that stands for a pane in Markdown; nothing when it shows nothing."""
        from lab.session.handout_html import PICTURE  # only a handout has pictures
        from lab.tape.escape_markdown import fence
        from lab.tui.pane_lines import pane_lines
        from lab.tui.spans import plain

        if self.form != "html":
            shown = plain(pane_lines(world, pane))
            return [*fence("text", shown.split("\n"))] if shown else []
        from lab.tui.pane_picture import pane_svg  # Textual has the colours, and only a page needs them

        picture = pane_svg(world, pane)
        return [*fence(PICTURE, [self._names.setdefault(picture, str(len(self._names)))])] if picture else []

    def put_into(self, title: str, markdown: str) -> str:
        """Return the document in its format, with its pictures."""
        if self.form != "html":
            return markdown
        from lab.session.handout_html import handout_page  # only a page needs them
        from lab.tui.pane_picture import picture_style

        pictures = {name: picture for picture, name in self._names.items()}
        return handout_page(title, markdown, pictures=pictures, style=picture_style())
