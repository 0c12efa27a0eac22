"""Small screens over the app: a help text, and a choice from a few lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from lab.tui.keys import help_lines
from lab.tui.lines import Draw, Sheet
from lab.tui.situation import TITLES, Situation
from lab.tui.spans import Line, wrap


class Help(ModalScreen[None]):
    """A text to read; any of the usual keys closes it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,question_mark,f1,enter", "close", show=False)]

    def __init__(self, title: str, draw: Draw) -> None:
        super().__init__()
        self._title, self._draw = title, draw

    def compose(self) -> ComposeResult:
        box = Vertical(Sheet(focus=True, grows=True, id="help"), classes="dialog")
        box.border_title, box.border_subtitle = self._title, "Esc closes"
        yield box

    def on_mount(self) -> None:
        sheet = self.query_one(Sheet)
        sheet.show(self._draw)
        sheet.focus()

    def action_close(self) -> None:
        self.dismiss(None)


class Pick(ModalScreen[str | None]):
    """One of a few: each an id and a line. The answer is the id, None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "close", show=False)]

    def __init__(self, title: str, options: Sequence[tuple[str, str]], chosen: str | None = None) -> None:
        super().__init__()
        self._title, self._options, self._chosen = title, tuple(options), chosen

    def compose(self) -> ComposeResult:
        box = Vertical(OptionList(*(Option(text, id=id) for id, text in self._options), markup=False), classes="dialog")
        box.border_title, box.border_subtitle = self._title, "Enter takes it, Esc leaves"
        yield box

    def on_mount(self) -> None:
        ids = [id for id, _ in self._options]
        self.query_one(OptionList).highlighted = ids.index(self._chosen) if self._chosen in ids else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option.id)

    def action_close(self) -> None:
        self.dismiss(None)


_LESSON = (
    "The lesson: read, then press Enter. The command is typed for you in the terminal, and below it stands what must "
    "then be true: ✔ is so, … is awaited, ✘ was not so at the end, with what was found instead. "
    "Or press t and type it yourself."
)


def help_on(s: Situation, focused: Widget) -> Help:
    """Help for the pane in sight, and every key that works now."""
    about = str(getattr(focused, "HELP", _LESSON))

    def draw(room: int) -> tuple[Line, ...]:
        return (*wrap([(about, "")], room), (), *help_lines(s, room))

    return Help(f"Help: {TITLES[s.pane]}", draw)


def lessons(s: Situation) -> Pick:
    """Which lesson; the answer is its id."""
    rows = [(each.id, f"{each.title}  ({each.minutes} min, {len(each.steps)} steps)") for each in s.lessons]
    return Pick("Lessons", rows, s.lesson.id if s.lesson else "")


def reset(s: Situation) -> Pick:
    """To where; the answer is a step's id, or "" for the lesson's start."""
    options = [("", "To the start of the lesson")]
    if s.step is not None and s.page > 0:
        options.insert(0, (s.step.id, f"To the start of this step: {s.step.title}"))
    return Pick("Put the cluster back" if s.live else "Wind the recording back", options)
