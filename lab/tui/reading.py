"""A stack file read block by block: the block's own lines, what they mean, and what they have become."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import chop_cells

from lab.course.became import became
from lab.tui import views
from lab.tui.prose import lines as prose
from lab.tui.situation import Situation
from lab.tui.spans import Line, Tone, wrap


def readings(s: Situation, room: int) -> Iterator[Line]:
    """The blocks of the step in sight."""
    for each in getattr(s.step, "reads", ()):
        yield ()
        head = f"stacks/{each.file}"
        yield ((f"── {head} ", "quiet"), ("─" * max(0, min(room, 84) - len(head) - 4), "quiet"))
        for line in each.excerpt.split("\n"):
            yield from _code(line, room)
        yield ()
        yield from prose(views.filled(s, each.says), room)
        if each.became is not None and s.world is not None:
            text, there = became(each.became, s.world, s.world.captured)
            tone: Tone = "run" if there else "quiet"
            yield from wrap([(text, "strong" if there else "quiet")], room, (("→ " if there else "◌ ", tone),))


def _code(line: str, room: int) -> Iterator[Line]:
    """A line of the file; a comment in it is quieter than what counts."""
    tone: Tone = "quiet" if line.lstrip().startswith("#") else "code"
    for place, part in enumerate(chop_cells(line, max(8, room - 4)) or [""]):
        yield (("    " if place else "  ", ""), (part, tone))
