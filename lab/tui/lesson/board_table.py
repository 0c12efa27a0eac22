"""The table of the board: what is said of each lesson beside its title, in as many columns as fit. A title is never
cut: where it needs the room, columns go first, those worth least before the others, and then it takes more lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

from lab.lesson.standing import Attempt, Standing, describe_attempt, describe_needs, is_done, next_step
from lab.tui.spans import clean, plain, wrap

if TYPE_CHECKING:
    from lab.lesson.model import Lesson

COLUMNS = ("time", "done", "where", "reset", "needs")
"""The columns beside the title, those worth most first."""
_MOST = 60
"""Hundredths of the room that columns leave to a title, at most."""
_GAP = 2
"""Cells between two columns, and of a row's mark."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table: a mark, a title, and a cell for each of `COLUMNS`."""

    mark: str
    title: str
    cells: tuple[str, ...]


def lesson_row(lesson: Lesson, standing: Standing, *, here: bool) -> Row:
    """Return a lesson's row; `here`: it is the one that is open."""
    mark = "✔" if is_done(lesson, standing) else "◐" if standing.done else "○"
    place = next_step(lesson, standing)
    cells = (
        f"{lesson.minutes} min",
        f"{len(standing.done)}/{len(lesson.steps)}",
        "here" if here else f"step {place + 1}" if place is not None else "",
        "instant" if standing.instant else "",
        ("✘ " if standing.lacks else "") + describe_needs(lesson),
    )
    return Row(mark, lesson.title, cells)


def challenge_row(attempt: Attempt, *, here: bool) -> Row:
    """Return a challenge's row."""
    mark = "✔" if attempt.repaired else "◐" if attempt.begun else "○"
    where = "here" if here else describe_attempt(attempt)
    return Row(mark, attempt.lesson.title, (f"{attempt.lesson.minutes} min", "", where, "", ""))


def lay_out(rows: Sequence[Row], room: int) -> tuple[str, list[str]]:
    """Return the line of heads, and each row's lines, in lines of `room` cells."""
    used = [place for place in range(len(COLUMNS)) if any(row.cells[place] for row in rows)]
    wide = [max(cell_len(text) for text in (COLUMNS[p], *(row.cells[p] for row in rows))) for p in range(len(COLUMNS))]
    title = min(max((cell_len(row.title) for row in rows), default=0), room * _MOST // 100)
    while used and _GAP + title + sum(_GAP + wide[place] for place in used) > room:
        used.pop()
    space = max(8, room - _GAP - sum(_GAP + wide[place] for place in used))

    def right(cells: Sequence[str]) -> str:
        return "".join(" " * _GAP + _cell(cells[p], wide[p], to_right=COLUMNS[p] == "time") for p in used)

    heads = f"{' ' * _GAP}{_cell('lesson', space)}{right(COLUMNS)}".rstrip()
    return heads, [_row(row, right(row.cells), space) for row in rows]


def _row(row: Row, right: str, space: int) -> str:
    first, *more = plain(wrap([(clean(row.title), "")], space)).split("\n") or [""]
    lines = [f"{row.mark} {_cell(first, space)}{clean(right)}".rstrip(), *(f"{' ' * _GAP}{line}" for line in more)]
    return "\n".join(lines)


def _cell(text: str, room: int, *, to_right: bool = False) -> str:
    """Return a text in exactly so many cells."""
    return " " * max(0, room - cell_len(text)) + text if to_right else set_cell_size(text, room)


def cut(text: str, room: int) -> str:
    """Return a text in exactly so many cells; one that does not fit ends in `…`."""
    return set_cell_size(text, room) if cell_len(text) <= room else f"{set_cell_size(text, max(0, room - 1))}…"
