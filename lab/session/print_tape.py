"""A recording as text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lab.lesson.model import Lesson
from lab.session.describe_lesson import find_lesson, lesson_text
from lab.session.replay import tape_title
from lab.tape.player import Player
from lab.tape.tape import load
from lab.tape.transcript import Transcript
from lab.world.entries import Entry
from lab.world.journal import Journal
from lab.world.world import World


def tell_tape(path: Path, speed: float | None, say: Callable[[str], None], lesson: Lesson | None = None) -> None:
    """Play a tape at `speed` (None: without waiting) and print it with `say`, line by line, with the texts of `lesson`
    or of the course's. Raises InputError for a damaged tape."""
    tape, journal = load(path), Journal(clock=lambda: 0.0)
    story = Transcript(lesson_text(lesson or find_lesson(tape.header.lesson), whole=True))

    def tell(entry: Entry, _: World) -> None:
        for line in story.lines(entry):
            say(line)

    say(tape_title(tape))
    journal.read(tell)
    Player(tape, journal, speed=speed).play_to_end()
    for line in story.end():
        say(line)
