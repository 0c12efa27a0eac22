"""The board of lessons: what is done, what each needs, where one was; and what is found in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len, set_cell_size
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from lab.lesson.search import Found, search_lessons
from lab.lesson.standing import Standing, describe_needs, describe_standing, is_done, next_step
from lab.text import count_of
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, clean, wrap
from lab.tui.widgets.dialog import Dialog
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from lab.lesson.model import Lesson

_WIDE = 84
"""Cells from which a row also says what a lesson needs."""
_ABOUT = 4
"""Lines of what a lesson is about, at most."""
_NONE = Standing()


@dataclass(frozen=True, slots=True)
class Place:
    """What was chosen: a lesson, and a page of it, None for where it goes on."""

    lesson: str
    page: int | None = None


class Board(Dialog[Place | None]):
    """A choice of a lesson or, after a search, of a place in one. `here` is the id of the lesson that is open; with
    `find` the cursor begins in the search. The result is None if dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("q,l", "close", show=False),
        Binding("slash", "find", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(
        self, lessons: tuple[Lesson, ...], standings: Mapping[str, Standing], here: str, *, find: bool = False
    ) -> None:
        super().__init__()
        self._lessons, self._standings, self._here, self._finds = lessons, standings, here, find
        self._places: tuple[Place, ...] = ()
        self._found: tuple[Found, ...] = ()

    def compose(self) -> ComposeResult:
        text = Input(placeholder="/ finds in titles, terms and commands", id="find")
        box = Vertical(text, LinesView(grows=True, id="heads"), OptionList(markup=False), LinesView(id="about"))
        box.add_class("dialog", "board")
        box.border_title, box.border_subtitle = "Lessons", "Enter opens, / finds, Esc leaves"
        yield box

    def on_mount(self) -> None:
        self.query_one("#about", LinesView).can_focus = False
        self.query_one(Input if self._finds else OptionList).focus()
        self.call_after_refresh(self._list)

    def on_resize(self, _: events.Resize) -> None:
        self.call_after_refresh(self._list)

    def on_input_changed(self, _: Input.Changed) -> None:
        self._list()

    def on_input_submitted(self, _: Input.Submitted) -> None:
        self.query_one(OptionList).action_select()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        place = int(event.option.id or 0)
        if self._found and place < len(self._found):
            draw = partial(_about_found, self._found[place])
        elif not self._found and place < len(self._lessons):
            lesson = self._lessons[place]
            draw = partial(_about_lesson, lesson, self._standings.get(lesson.id, _NONE))
        else:
            return  # It was highlighted in a list that is gone.
        self.query_one("#about", LinesView).show(draw)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.end(self._places[int(event.option.id or 0)])

    def action_find(self) -> None:
        self.query_one(Input).focus()

    def action_move(self, by: int) -> None:
        """Move the highlight from the search, where the arrow keys have nothing else to do."""
        options = self.query_one(OptionList)
        options.action_cursor_down() if by > 0 else options.action_cursor_up()

    def action_back(self) -> None:
        """Leave what was found for the list, and the list for the lesson."""
        text = self.query_one(Input)
        if text.value:
            text.value = ""
            self.query_one(OptionList).focus()
        else:
            self.end(None)

    def action_close(self) -> None:
        self.end(None)

    def _list(self) -> None:
        """List the lessons, or what was found by kind."""
        options, query = self.query_one(OptionList), self.query_one(Input).value.strip()
        room = max(40, options.size.width - 4)
        self._found = tuple(search_lessons(self._lessons, query))
        heads = _headings(room) if not query else ""
        if not query:
            self._places = tuple(Place(lesson.id) for lesson in self._lessons)
            rows = [Option(clean(self._row(lesson, room)), id=str(n)) for n, lesson in enumerate(self._lessons)]
        else:
            self._places = tuple(Place(found.lesson.id, found.page) for found in self._found)
            rows = list(self._results(room))
            heads = "" if rows else "Nothing is found: each word must be in the same title, term or command."
        self.query_one("#heads", LinesView).show(lambda room: wrap([(heads, "quiet")], room) if heads else ())
        options.clear_options()
        options.add_options(rows)
        here = [place.lesson for place in self._places].index(self._here) if self._is_listed() and not query else None
        first = next((n for n, row in enumerate(rows) if not row.disabled), None)
        options.highlighted = first if here is None else here
        if first is None:
            self.query_one("#about", LinesView).show(lambda _: ())

    def _is_listed(self) -> bool:
        return any(lesson.id == self._here for lesson in self._lessons)

    def _results(self, room: int) -> Iterator[Option]:
        kind = ""
        for place, found in enumerate(self._found):
            if found.kind != kind:
                kind = found.kind
                yield Option(kind, disabled=True)
            where = found.lesson.title if found.kind != "Lessons" else ""
            side = min(cell_len(where), room // 3)
            yield Option(f"  {_cell(clean(found.text), room - side - 4)}  {_cell(where, side)}", id=str(place))

    def _row(self, lesson: Lesson, room: int) -> str:
        standing = self._standings.get(lesson.id, _NONE)
        mark = "✔" if is_done(lesson, standing) else "◐" if standing.done else "○"
        place = next_step(lesson, standing)
        at = "you are here" if lesson.id == self._here else f"at step {place + 1}" if place is not None else ""
        cells = [f"{lesson.minutes:>3} min", f"{len(standing.done)}/{len(lesson.steps)}".ljust(5)]
        cells.append("instant" if standing.instant else "       ")
        cells.append(_cell(at, 12))
        if room >= _WIDE:
            cells.append(_cell(("✘ " if standing.lacks else "") + describe_needs(lesson), 21))
        right = "  ".join(cells)
        return f"{mark} {_cell(lesson.title, room - cell_len(right) - 4)}  {right}"


def _about_found(found: Found, room: int) -> tuple[Line, ...]:
    at = "" if found.page is None else f", step {found.page + 1}"
    if found.page == len(found.lesson.steps):
        at = ", its last page"
    head = wrap([(f"{found.lesson.title}{at}", "strong")], room)
    return (*head, *render_markdown(found.meaning or found.text, room)[:_ABOUT])


def _about_lesson(lesson: Lesson, standing: Standing, room: int) -> tuple[Line, ...]:
    words = [f"{lesson.minutes} minutes", count_of(len(lesson.steps), "step"), *describe_standing(lesson, standing)]
    return (*wrap([(f"{', '.join(words)}.", "strong")], room), *render_markdown(lesson.about, room)[:_ABOUT])


def _headings(room: int) -> str:
    cells = ["minutes", "done ", "reset  ", _cell("where", 12)] + [_cell("needs", 21)] * (room >= _WIDE)
    right = "  ".join(cells)
    return f"  {_cell('lesson', room - cell_len(right) - 4)}  {right}"


def _cell(text: str, room: int) -> str:
    """Return a text in exactly so many cells."""
    return set_cell_size(text, room) if cell_len(text) <= room else f"{set_cell_size(text, max(0, room - 1))}…"
