"""The part of the app that changes only what is shown: panes, views, focus, themes, help, hints, the board of lessons,
a new version of a lesson."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from textual import events, on
from textual.command import CommandPalette

from lab.errors import LabError
from lab.tui import keys
from lab.tui.appearance import THEMES
from lab.tui.chrome import fill_text
from lab.tui.main_screen import is_compact
from lab.tui.run_app import SafeApp
from lab.tui.stage_worker import Reloaded, Unreadable, Waiting
from lab.tui.ui_state import REGIONS, Region

if TYPE_CHECKING:
    from lab.lesson.standing import Attempt
    from lab.tui.lesson.board import Place
    from lab.tui.main_screen import MainScreen
    from lab.tui.stage_worker import StageWorker, Standings
    from lab.tui.ui_state import UiState
    from lab.tui.widgets.terminal import Terminal


class ViewActions(SafeApp):
    """Actions on a UI state and on the screen that shows it, both owned by the app."""

    ui: UiState
    _main: MainScreen
    _worker: StageWorker
    _found = ""
    _finds = False
    _keep: Callable[..., None] | None

    def see(self, **changes: Any) -> None:
        """Change the UI state and show it."""
        raise NotImplementedError

    def turn_to(self, page: int) -> None:
        """Show a page; -1 is the opening page."""
        raise NotImplementedError

    def open_lesson(self, lesson: str, page: int | None = None) -> None:
        """Open a lesson; "" opens the first one. `page`: see `UiState.page`; None is where it goes on."""
        raise NotImplementedError

    def dare(self, attempt: Attempt) -> None:
        """Ask whether a challenge is to begin, and begin it."""
        raise NotImplementedError

    @on(Reloaded)
    def _handle_reloaded(self, message: Reloaded) -> None:
        lesson, s = message.lesson, self.ui
        if s.lesson is not None and s.lesson.id == lesson.id:
            self.see(lesson=lesson, lessons=(lesson,), page=s.page_in(lesson), problems=(), save_waits=False)
        else:
            self.see(problems=(), save_waits=False)
            self.open_lesson(lesson.id)

    @on(Unreadable)
    def _unreadable(self, message: Unreadable) -> None:
        self.see(problems=message.problems, save_waits=False)

    @on(Waiting)
    def _handle_waiting(self) -> None:
        self.see(problems=(), save_waits=True)

    def on_resize(self, event: events.Resize) -> None:
        self.see(compact=is_compact(event.size))

    def on_terminal_left(self) -> None:
        if self.ui.typing:
            self.action_region("lesson" if not self.ui.compact else "terminal")

    def on_terminal_wanted(self) -> None:
        if keys.works(self.ui, "type"):
            self.action_type()

    def on_terminal_pasted(self, message: Terminal.Pasted) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        text, terminal = message.text, self._main.terminal
        self.push_screen(dialogs.paste(text, message.whole), lambda yes: terminal.paste(text) if yes else None)

    def action_find(self) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        self.push_screen(dialogs.Find(self._found), self._find)

    def _find(self, text: str | None) -> None:
        if text:
            self._found = text
            self.action_region("terminal")
            self.call_after_refresh(self._main.terminal.find, text)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        if hasattr(event.widget, "cursor_blink"):
            event.widget.cursor_blink = self.moves
        at = next((p for p in REGIONS if self._main.target(p) is event.widget), None) if self._main.built else None
        if at is not None and at != self.ui.region:
            self.see(region=at, typing=False)

    def action_how_to_quit(self) -> None:
        self.see(notice="Press q to quit.", trouble=False)

    def action_region(self, region: Region) -> None:
        s = self.ui
        told = region == "lesson" and s.step is not None and s.step_state(s.page) == "failed"
        # The lesson pane itself says why a step failed.
        self.see(region=region, typing=False, notice="" if told else s.notice)
        self.call_after_refresh(self._main.target(region).focus)

    def action_view(self, view: str) -> None:
        self.see(view=view, region="cluster", typing=False)
        self.call_after_refresh(self._main.target("cluster").focus)

    def action_views(self) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        self.push_screen(dialogs.views(self.ui), lambda pane: self.action_view(pane) if pane else None)

    def action_failures(self) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        world = self.ui.world
        if world is not None:

            def open_one(place: str | None) -> None:
                if place is not None:
                    self.push_screen(dialogs.failure(world, int(place)))

            self.push_screen(dialogs.failures(world), open_one)

    def action_hint(self) -> None:
        from lab.tui.lesson.hints import must_ask_again, next_hint  # not needed for the first paint

        s, told = self.ui, next_hint(self.ui)
        if told is None or s.step is None:
            return
        if must_ask_again(s, told):
            self.see(solution_asked=True)
        else:
            self._worker.take_hint(s.step.id, told.id)
            self.see(hints=(*s.hints, told))

    def action_lessons(self, find: bool = False) -> None:
        self._finds = find
        self._worker.find_standings()

    def show_board(self, known: Standings) -> None:
        """Show the board of lessons, unless something else is on the screen by now."""
        from lab.tui.lesson.board import Board  # not needed for the first paint

        if keys.works(self.ui, "lessons") and len(self.screen_stack) == 1:
            here = self.ui.lesson.id if self.ui.lesson else ""
            self.push_screen(Board(*known, here, partial(fill_text, self.ui), find=self._finds), self._go_to)

    def _go_to(self, place: Place | None) -> None:
        if place is None:
            return
        if place.attempt is not None:
            self.dare(place.attempt)
            return
        if place.page is not None and self.ui.lesson is not None and place.lesson == self.ui.lesson.id:
            self.turn_to(place.page)
        else:
            self.open_lesson(place.lesson, place.page)

    def action_quiz(self) -> None:
        from lab.tui.lesson.quiz import Quiz  # not needed for the first paint

        places = {step.id: place for place, step in enumerate(self.ui.lesson.steps)} if self.ui.lesson else {}

        def go_back(step: str | None) -> None:
            if step in places:
                self.turn_to(places[step])

        self.push_screen(Quiz(self.ui), go_back)

    def action_type(self) -> None:
        self.see(region="terminal", typing=True)
        self.call_after_refresh(self._main.terminal.focus)

    def action_zoom(self) -> None:
        self.see(zoomed=not self.ui.zoomed)
        self.call_after_refresh(self._main.target(self.ui.region).focus)

    def action_theme(self, theme: str = "") -> None:
        """Take a theme, or the next one."""
        after = THEMES.index(self._appearance.theme) + 1
        theme = theme or THEMES[after % len(THEMES)]
        self.dress(replace(self._appearance, theme=theme))
        self._remember(theme=theme)

    def action_motion(self) -> None:
        """End all motion, or let it be."""
        self.dress(replace(self._appearance, motion=not self.moves))
        self._remember(motion=self.moves)

    def _remember(self, **choice: str | bool) -> None:
        try:
            if self._keep is not None:
                self._keep(**choice)
        except LabError as error:
            self.see(notice=f"This is not remembered: {error.sentence}", trouble=True)

    def action_notes(self) -> None:
        self.see(notes=not self.ui.notes)

    def action_palette(self) -> None:
        from lab.tui.palette import LabCommands  # not needed for the first paint

        self.push_screen(CommandPalette([LabCommands]))

    def action_help(self) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        self.push_screen(dialogs.help_on(self.ui, self._main.target(self.ui.region)))
