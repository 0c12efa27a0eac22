"""Check yourself: a lesson's questions, one after another, each judged as soon as it is answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from lab.tui import chrome
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.spans import Line, Tone, clean, wrap
from lab.tui.ui_state import UiState
from lab.tui.widgets.dialog import Dialog
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from lab.lesson.question import QuizItem

_NEXT = "next"


@dataclass(frozen=True)
class Round:
    """A round of the questions: the places of the choices made so far, and whether the last is being judged."""

    items: tuple[QuizItem, ...]
    said: tuple[int, ...] = ()
    judged: bool = False

    @property
    def place(self) -> int:
        """The place of the question on the screen."""
        return len(self.said) - self.judged

    @property
    def item(self) -> QuizItem:
        """The question on the screen."""
        return self.items[self.place]

    @property
    def last(self) -> bool:
        """Whether it is the last one."""
        return self.place == len(self.items) - 1

    def was_right(self, place: int) -> bool:
        """Return whether a question was answered rightly."""
        return self.items[place].choices[self.said[place]] == self.items[place].answer

    @property
    def right(self) -> int:
        """How many were."""
        return sum(self.was_right(place) for place in range(len(self.said)))

    def with_answer(self, choice: int) -> Round:
        """Return the round with the present question answered."""
        return replace(self, said=(*self.said, choice), judged=True)


def question_lines(s: UiState, at: Round, room: int) -> Iterator[Line]:
    """Yield the present question and, once it is answered, what was right and why."""
    yield ((f"Question {at.place + 1} of {len(at.items)}", "quiet"),)
    yield from prose(chrome.fill_text(s, at.item.ask), room)
    yield ()
    if not at.judged:
        return
    for place, choice in enumerate(at.item.choices):
        said = place == at.said[-1]
        tone: Tone = "run" if choice == at.item.answer else "bad" if said else "quiet"
        mark = "✔" if tone == "run" else "✘" if said else "·"
        yield from wrap([(chrome.fill_text(s, choice), tone)], room, ((f"{mark} ", tone),))
    yield ()
    good = at.was_right(at.place)
    yield (("That is right." if good else "Not so.", "run" if good else "bad"),)
    if at.item.because:
        yield from prose(chrome.fill_text(s, at.item.because), room)
    if at.last:
        yield ()
        yield ((f"{at.right} of {len(at.items)} right.", "strong"),)
    yield ()


def options(s: UiState, at: Round) -> Iterator[tuple[str, str]]:
    """Yield what can be chosen: the choices, or once one was made where to go from here."""
    if not at.judged:
        yield from ((str(place), chrome.fill_text(s, choice)) for place, choice in enumerate(at.item.choices))
        return
    steps = {step.id: (place, step) for place, step in enumerate(s.lesson.steps if s.lesson else (), 1)}
    if not at.was_right(at.place) and at.item.step in steps:
        place, step = steps[at.item.step]
        yield f"step:{step.id}", f"Back to step {place}: {chrome.fill_text(s, step.title)}"
    yield _NEXT, "Done" if at.last else "Next question"


class Quiz(Dialog[str | None]):
    """The questions of the open lesson. The result is the step to go back to, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", show=False)]

    def __init__(self, s: UiState) -> None:
        super().__init__()
        self._s = s
        self._round = Round(s.lesson.quiz if s.lesson else ())
        self._listed: list[Option] = []

    def compose(self) -> ComposeResult:
        box = Vertical(LinesView(grows=True, id="question"), OptionList(markup=False), classes="dialog")
        box.border_title, box.border_subtitle = "Check yourself", "Enter selects, Esc ends"
        yield box

    def on_mount(self) -> None:
        self._show()
        self.query_one(OptionList).focus()

    def _show(self) -> None:
        at = self._round
        self.query_one(LinesView).show(lambda room: tuple(question_lines(self._s, at, room)))
        listed = self.query_one(OptionList)
        listed.clear_options()
        self._listed = [Option(clean(text), id=id) for id, text in options(self._s, at)]
        listed.add_options(self._listed)
        listed.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        chosen = event.option.id or ""
        if event.option not in self._listed:
            return  # Of a question that is no longer shown: two keys came at once.
        if not self._round.judged:
            self._round = self._round.with_answer(int(chosen))
        elif chosen != _NEXT or self._round.last:
            self.end(chosen.removeprefix("step:") if chosen != _NEXT else None)
            return
        else:
            self._round = replace(self._round, judged=False)
        self._show()

    def action_close(self) -> None:
        self.end(None)
