"""The board of lessons and challenges: what is done, what each needs, where one was; and what is found in them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from lab.lesson.search import Found, search_lessons
from lab.lesson.standing import Attempt, Standing, describe_attempt, describe_standing
from lab.text import count_of
from lab.tui.lesson.board_table import challenge_row, cut, lay_out, lesson_row
from lab.tui.lesson.markdown import render_markdown
from lab.tui.spans import Line, clean, clip, width, wrap
from lab.tui.widgets.dialog import Dialog
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from lab.lesson.model import Lesson

_CHALLENGES = "Challenges: the lab breaks something, and you repair it"
_NOTHING = "Nothing is found: each word must be in the same title, term or command."
_NONE = Standing()

About = Callable[[int], tuple[Line, ...]]
"""A function from a width in cells to what is said of a row."""
Fill = Callable[[str], str]
"""A function that puts values into a text, as far as they are known."""


@dataclass(frozen=True, slots=True)
class Place:
    """What was chosen: a lesson, and a page of it, None for where it goes on; or a challenge."""

    lesson: str
    page: int | None = None
    attempt: Attempt | None = None


class Board(Dialog[Place | None]):
    """A choice of a lesson or a challenge or, after a search, of a place in one. `here` is the id of the lesson that is
    open; with `find` the cursor begins in the search. The result is None if dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", show=False),
        Binding("q,l", "close", show=False),
        Binding("slash", "find", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
    ]

    def __init__(
        self,
        lessons: tuple[Lesson, ...],
        standings: Mapping[str, Standing],
        challenges: tuple[Attempt, ...],
        here: str,
        fill: Fill,
        *,
        find: bool = False,
    ) -> None:
        super().__init__()
        self._lessons, self._standings, self._challenges = lessons, standings, challenges
        self._here, self._fill, self._finds = here, fill, find
        self._places: list[tuple[Place, About]] = []
        self._query: str | None = None

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
        if place < len(self._places):  # Else it was highlighted in a list that is gone.
            view = self.query_one("#about", LinesView)
            view.show(lambda room: _whole(self._places[place][1](room), view.size.height, room))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.end(self._places[int(event.option.id or 0)][0])

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
        """List the lessons and the challenges, or what was found by kind."""
        options, query = self.query_one(OptionList), self.query_one(Input).value.strip()
        kept, self._query = options.highlighted if query == self._query else None, query
        # The scroll bar comes only with the rows, and must not make them narrower.
        room = max(36, options.container_size.width - options.styles.scrollbar_size_vertical - 2)
        self._places = []
        heads, rows = ("", list(self._results(query, room))) if query else self._table(room)
        told: list[Line] = [((heads, "quiet"),)] if heads else [] if rows else wrap([(_NOTHING, "quiet")], room)
        self.query_one("#heads", LinesView).show(lambda _: told)
        options.clear_options()
        options.add_options(rows)
        first = next((n for n, row in enumerate(rows) if not row.disabled), None)
        here = next((n for n, row in enumerate(rows) if not query and self._is_here(row)), first)
        options.highlighted = here if kept is None else kept
        if not rows:
            self.query_one("#about", LinesView).show(lambda _: ())

    def _is_here(self, row: Option) -> bool:
        return not row.disabled and self._places[int(row.id or 0)][0].lesson == self._here

    def _option(self, text: str, place: Place, about: About) -> Option:
        self._places.append((place, about))
        return Option(text, id=str(len(self._places) - 1))

    def _table(self, room: int) -> tuple[str, list[Option]]:
        stood = [(lesson, self._standings.get(lesson.id, _NONE)) for lesson in self._lessons]
        rows = [lesson_row(lesson, standing, here=lesson.id == self._here) for lesson, standing in stood]
        more = [challenge_row(attempt, here=attempt.lesson.id == self._here) for attempt in self._challenges]
        heads, texts = lay_out([*rows, *more], room)
        options = [
            self._option(text, Place(lesson.id), partial(_about_lesson, lesson, standing))
            for text, (lesson, standing) in zip(texts[: len(rows)], stood, strict=True)
        ]
        if more:
            options.append(Option(f"\n{clean(_CHALLENGES)}", disabled=True))
        options += [
            self._option(text, _place_of(attempt), partial(_about_challenge, attempt, self._fill))
            for text, attempt in zip(texts[len(rows) :], self._challenges, strict=True)
        ]
        return heads, options

    def _results(self, query: str, room: int) -> Iterator[Option]:
        attempts, kind = {each.lesson.id: each for each in self._challenges}, ""
        for found in search_lessons(self._lessons, query, [each.lesson for each in self._challenges]):
            if found.kind != kind:
                kind = found.kind
                yield Option(kind, disabled=True)
            text, where = clean(self._fill(found.text)), "" if found.page is None else clean(found.lesson.title)
            side = min(cell_len(where), max(room // 3, room - 4 - cell_len(text)))
            attempt = attempts.get(found.lesson.id)
            place = _place_of(attempt) if attempt is not None else Place(found.lesson.id, found.page)
            about = (
                partial(_about_challenge, attempt, self._fill)
                if attempt is not None
                else partial(_about_found, found, self._fill)
            )
            yield self._option(f"  {cut(text, room - side - 4)}  {cut(where, side)}", place, about)


def _place_of(attempt: Attempt) -> Place:
    return Place(attempt.lesson.id, attempt=attempt)


def _about_found(found: Found, fill: Fill, room: int) -> tuple[Line, ...]:
    at = "" if found.page is None else f", step {found.page + 1}"
    if found.page == len(found.lesson.steps):
        at = ", its last page"
    head = wrap([(f"{found.lesson.title}{at}", "strong")], room)
    return (*head, *render_markdown(fill(found.meaning or found.text), room))


def _about_lesson(lesson: Lesson, standing: Standing, room: int) -> tuple[Line, ...]:
    words = [f"{lesson.minutes} minutes", count_of(len(lesson.steps), "step"), *describe_standing(lesson, standing)]
    return (*wrap([(f"{', '.join(words)}.", "strong")], room), *render_markdown(lesson.about, room))


def _about_challenge(attempt: Attempt, fill: Fill, room: int) -> tuple[Line, ...]:
    words = [f"{attempt.lesson.minutes} minutes", *filter(None, [describe_attempt(attempt)]), "any repair counts"]
    symptom = render_markdown(fill(attempt.lesson.steps[0].text), room)
    return (*wrap([(f"{', '.join(words)}.", "strong")], room), *symptom)


def _whole(lines: tuple[Line, ...], height: int, room: int) -> tuple[Line, ...]:
    """Return as many lines as there is room for, the last one with a mark if there would be more."""
    if len(lines) <= height or not height:
        return lines
    kept = list(lines[:height])
    while len(kept) > 1 and not width(kept[-1]):
        kept.pop()
    return (*kept[:-1], (*clip(kept[-1], room - 2), (" …", "quiet")))
