"""Modal screens over the app: a help text, a choice from a few lines, and a question."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from lab import panes
from lab.panes import CLUSTER
from lab.terminal.sanitize import visible
from lab.tui.chrome import fill_text
from lab.tui.keys import help_lines
from lab.tui.lesson.markdown import render_markdown
from lab.tui.panes import find_module
from lab.tui.spans import Line, clean, wrap
from lab.tui.ui_state import UiState
from lab.tui.widgets.dialog import Dialog
from lab.tui.widgets.lines import Draw, LinesView

if TYPE_CHECKING:
    from lab.lesson.standing import Attempt
    from lab.session import UndoOffer
    from lab.world.world import World


class Help(Dialog[bool]):
    """A text to read, closed by any of the usual keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "close", show=False)]
    HINT: ClassVar[str] = "Esc closes"

    def __init__(self, title: str, draw: Draw) -> None:
        super().__init__()
        self._title, self._draw = title, draw

    def compose(self) -> ComposeResult:
        box = Vertical(LinesView(focus=True, grows=True, id="help"), classes="dialog")
        box.border_title, box.border_subtitle = self._title, self.HINT
        yield box

    def on_mount(self) -> None:
        sheet = self.query_one(LinesView)
        sheet.show(self._draw)
        sheet.focus()

    def action_close(self) -> None:
        self.end(False)


class Pick(Dialog[str | None]):
    """A choice from a few options, each with an id and a line, below a text in Markdown, if there is one. The result is
    the id, or None if dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", show=False)]

    def __init__(
        self, title: str, options: Sequence[tuple[str, str]], chosen: str | None = None, *, text: str = ""
    ) -> None:
        super().__init__()
        self._title, self._options, self._chosen, self._text = title, tuple(options), chosen, text

    def compose(self) -> ComposeResult:
        options = (Option(clean(text), id=id) for id, text in self._options)
        above = [LinesView(grows=True, id="question")] if self._text else []
        box = Vertical(*above, OptionList(*options, markup=False), classes="dialog")
        box.border_title, box.border_subtitle = self._title, "Enter selects, Esc cancels"
        yield box

    def on_mount(self) -> None:
        for view in self.query(LinesView):
            view.show(lambda room: (*render_markdown(self._text, room), ()))
        ids = [id for id, _ in self._options]
        self.query_one(OptionList).highlighted = ids.index(self._chosen) if self._chosen in ids else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.end(event.option.id)

    def action_close(self) -> None:
        self.end(None)


class Ask(Dialog[str | None]):
    """A question, in Markdown, whose answer is a number. Enter accepts it, or `usual` if nothing was typed. The result
    is None if dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False)]

    def __init__(self, title: str, question: str, usual: str) -> None:
        super().__init__()
        self._title, self._question, self._usual = title, question, usual

    def compose(self) -> ComposeResult:
        number = Input(placeholder=f"a number; Enter alone says {self._usual}", restrict=r"\d{0,7}", id="number")
        box = Vertical(LinesView(grows=True, id="question"), number, classes="dialog")
        box.border_title, box.border_subtitle = self._title, "Enter selects, Esc cancels"
        yield box

    def on_mount(self) -> None:
        self.query_one(LinesView).show(lambda room: render_markdown(self._question, room))
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.end(event.value or self._usual)

    def action_close(self) -> None:
        self.end(None)


class Find(Dialog[str | None]):
    """A text to search for, at first the one searched for last. The result is None if dismissed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False)]

    def __init__(self, last: str) -> None:
        super().__init__()
        self._last = last

    def compose(self) -> ComposeResult:
        box = Vertical(Input(self._last, placeholder="a text; capitals count if there are any", id="text"))
        box.add_class("dialog")
        box.border_title, box.border_subtitle = "Search the terminal", "Enter searches, Esc cancels"
        yield box

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.end(event.value or None)

    def action_close(self) -> None:
        self.end(None)


class Consent(Help, inherit_bindings=False):
    """A text to read, and a question in its title; the result is whether Enter said yes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "accept", show=False),
        Binding("escape", "close", show=False),
    ]
    HINT = "Enter says yes, Esc says no"

    def action_accept(self) -> None:
        self.end(True)


_LESSON = (
    "The lesson: read, then press Enter. The command is typed for you in the terminal, and below it stands what must "
    "then be true: ✔ is so, … is awaited, ✘ was not so at the end, with what was found instead."
)
_PASTED = 500
"""Lines of a paste that are shown before it is sent."""
_BY_HAND = " Or press t and type it yourself."


def help_on(s: UiState, focused: Widget) -> Help:
    """Return help for the current pane, and for every key that works now."""
    drawn = s.region == "cluster" and s.view != CLUSTER
    about = find_module(s.view).HELP if drawn else str(getattr(focused, "HELP", None) or _LESSON + _BY_HAND * s.live)

    def draw(room: int) -> tuple[Line, ...]:
        return (*wrap([(about, "")], room), (), *help_lines(s, room))

    return Help(f"Help: {s.key_and_title(s.region)[1]}", draw)


def paste(text: str, whole: bool) -> Consent:
    """Return the question whether several lines are to be pasted; `whole`: the program takes them as one text."""
    lines = visible(text.replace("\r\n", "\n").replace("\r", "\n")).expandtabs().splitlines()
    does = "They are taken as one text: in the shell, nothing runs until you press Enter."
    if not whole:
        does = "What runs in the terminal takes each line as if you had typed it and pressed Enter."

    def draw(room: int) -> tuple[Line, ...]:
        shown: list[Line] = []
        for line in lines[:_PASTED]:
            blanks = " " * min(len(line) - len(line.lstrip()), room // 2)
            shown += wrap([(line.strip(), "code")], room, ((blanks, ""),)) or ((),)
        if len(lines) > _PASTED:
            shown.append(((f"… and {len(lines) - _PASTED:,} more lines", "quiet"),))
        return (*wrap([(does, "")], room), (), *shown)

    return Consent(f"Paste {len(lines):,} lines?", draw)


def failures(world: World) -> Pick:
    """Return a choice of the load's last failed requests, newest first; the result is the place among them."""
    from lab.tui.panes.load import view  # not needed for the first paint

    return Pick("Failed requests", view.failures(world))


def failure(world: World, place: int) -> Help:
    """Return one failed request, beside what the swarm did around that moment."""
    from lab.tui.panes.load.view import failure_page  # not needed for the first paint

    return Help("A failed request, and what the swarm did", lambda room: failure_page(world, place, room))


def views(s: UiState) -> Pick:
    """Return a choice of views for the cluster's place; the result is a pane's id."""
    rows = [(pane.id, f"{pane.key or ' '}  {pane.title}: {pane.help}") for pane in panes.PANES]
    return Pick("Views", rows, s.view)


def ask(s: UiState) -> Ask | Pick:
    """Return the current step's question; the result is the number, or the place of the choice."""
    question = s.question
    if question is None:
        raise ValueError("this step asks nothing")
    title, text = "Before the step", fill_text(s, question.text)
    if not question.choices:
        return Ask(title, text, s.said or str(question.usual))
    chosen = str(question.choices.index(s.said)) if s.said in question.choices else None
    rows = [(str(place), fill_text(s, choice)) for place, choice in enumerate(question.choices)]
    return Pick(title, rows, chosen, text=text)


def reset(s: UiState) -> Pick:
    """Return a choice of points to reset to; the result is a step's id, or "" for the lesson's start."""
    options = [("", "To the start of the lesson")]
    if s.step is not None and s.page > 0:
        options.insert(0, (s.step.id, f"To the start of this step: {s.step.title}"))
    title = "Wind the recording back" if s.link == "replay" else "Put the cluster back"
    return Pick("Read again" if s.reading else title, options)


def challenge(s: UiState, attempt: Attempt) -> Pick:
    """Return the question whether a challenge is to begin; the result is "go on" (it is as it was left), "begin", or
    "new" (with other values)."""
    symptom = fill_text(s, attempt.lesson.steps[0].text)
    text = f"{symptom}\n\nThe cluster is put to the start of the challenge, and then broken."
    options = [("begin", "Begin")]
    if attempt.begun:
        options = [("begin", "Begin again"), ("new", "Begin again, with other values")]
        if not attempt.repaired:
            options.insert(0, ("go on", "Go on, with the cluster as it is"))
    return Pick(f"Challenge: {attempt.lesson.title}", options, text=text)


def undo(offer: UndoOffer) -> Pick:
    """Return the question whether that is to be taken back; the result is the id of the step that is next then."""
    back = offer.sentence[:1].upper() + offer.sentence[1:] if offer.resets else f"Back {offer.sentence}"
    return Pick("Take back", [(offer.step, f"{back}.")])
