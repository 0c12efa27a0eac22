"""The main screen: header, panes, footer. It shows a UI state and takes in news; it decides nothing."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal, Vertical
from textual.geometry import Size
from textual.message import Message
from textual.screen import Screen

from lab.panes import CLUSTER
from lab.tui import chrome, keys
from lab.tui.draw_guard import draw_safely
from lab.tui.lesson import pages
from lab.tui.ui_state import REGIONS, TITLES, Region, UiState
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from textual.widget import Widget

    from lab.tui.cluster.widget import ClusterGrid
    from lab.tui.journal_feed import Batch
    from lab.tui.widgets.terminal import Terminal
    from lab.tui.widgets.timeline import Timeline
    from lab.tui.widgets.view import View

_SHEETS = (
    ("header", chrome.header),
    ("strip", chrome.banner),
    ("tabs", chrome.tabs),
    ("page", pages.page),
    ("card", chrome.step_card),
    ("notes", chrome.notes),
    ("footer", keys.footer),
)


def is_compact(size: Size) -> bool:
    """Whether the terminal is too small for all panes at once."""
    return size.width < 100 or size.height < 30


class MainScreen(Screen[None], inherit_bindings=False):
    """The screen of the app, driven only through `show` and `take_in`. Tab and the arrow keys belong to the app."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("super+c,ctrl+shift+c", "screen.copy_text", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-tight"), (104, "-wide"), (160, "-vast")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012

    class Ready(Message):
        """Posted when every pane is mounted."""

    def __init__(self, state: UiState) -> None:
        super().__init__(id="_default")
        self._ui = state
        self.built = False
        self._page = LinesView(focus=True, id="page")
        self._sheets = {"page": self._page, "card": LinesView(grows=True, id="card"), "header": LinesView(id="header")}
        self._sheets |= {name: LinesView(grows=True, id=name) for name in ("strip", "tabs")}
        self._sheets["footer"] = LinesView(id="footer")
        self._lesson = Vertical(self._page, self._sheets["card"], id="lesson", classes="pane")
        self._body = Container(self._lesson, id="body")
        self._speaker: Horizontal | None = None
        self._place: tuple[object, object, bool] = (None, None, False)
        self._hints = 0
        self._panes: dict[Region, Widget] = {"lesson": self._lesson}
        self._cluster: ClusterGrid
        self._timeline: Timeline
        self._view: View
        self.terminal: Terminal

    def compose(self) -> ComposeResult:
        yield self._sheets["header"]
        yield self._sheets["strip"]
        yield self._sheets["tabs"]
        yield self._body
        yield self._sheets["footer"]

    def on_mount(self) -> None:
        self._page.focus()
        self._ui = replace(self._ui, compact=is_compact(self.app.size))
        self.set_class(self._ui.single, "single")
        self._lesson.add_class("current")
        self.paint()
        self.call_after_refresh(self._furnish)

    async def _furnish(self) -> None:
        """Mount the other panes after the first paint: their imports take longer than the rest."""
        from lab.tui.cluster.widget import ClusterGrid  # not needed for the first paint
        from lab.tui.widgets.terminal import Terminal
        from lab.tui.widgets.timeline import Timeline
        from lab.tui.widgets.view import View

        self._cluster, self._timeline = (
            ClusterGrid(id="cluster", classes="pane"),
            Timeline(id="timeline", classes="pane"),
        )
        self._view = View(id="view")
        self._view.add_class("away")
        self.terminal = Terminal(id="terminal", classes="pane")
        self._panes |= {"cluster": self._cluster, "timeline": self._timeline, "terminal": self.terminal}
        await self._body.mount(self._cluster, self._view, self._timeline, self.terminal)
        for place, region in enumerate(REGIONS, 1):
            self._panes[region].border_title = f"{place} {TITLES[region]}"
        self.terminal.label = f"{len(REGIONS)} {TITLES['terminal']}"
        self.built = True
        self.post_message(self.Ready())

    def on_unmount(self) -> None:
        self.built = False

    async def on_click(self, event: events.Click) -> None:
        """Do what the key does that was clicked in the footer."""
        footer = self._sheets["footer"].region
        if footer.contains(event.screen_x, event.screen_y):
            key = keys.footer_key(self._ui, footer.width, event.screen_x)
            if key is not None and key.keys:
                await self.run_action(f"app.{key.action}")

    def target(self, region: Region) -> Widget:
        """Return the widget that gets the focus for a pane."""
        return self._page if region == "lesson" else self._panes[region]

    def show(self, s: UiState) -> None:
        """Paint what differs from the previous UI state."""
        before, self._ui = self._ui, s
        self._place_view(s)
        if (before.region, before.single) != (s.region, s.single) or not self._panes[s.region].has_class("current"):
            self.set_class(s.single, "single")
            for region in REGIONS:
                self._panes[region].set_class(s.region == region, "current")
        if before.notes != s.notes:
            self._speak(s.notes)
        if before.typing != s.typing:
            self.terminal.typing = s.typing
        if self.built:
            self._cluster.stale = s.outdated
            self._view.look(s)
        self.paint()
        self._turn(s)

    def _place_view(self, s: UiState) -> None:
        """Show one of the two widgets that share the cluster's place; the focus moves with it."""
        widget: Widget = self._cluster if s.view == CLUSTER else self._view
        away = self._panes["cluster"]
        self.set_class(s.view != CLUSTER, "viewed")
        if widget is not away:
            self._panes["cluster"] = widget
            widget.remove_class("away")
            away.add_class("away").remove_class("current")
            if self.focused is away:
                self.set_focus(widget)

    def _turn(self, s: UiState) -> None:
        """Scroll to the top of a new page, to a new hint, to what is told once a step has passed or, where the card is
        in the text, to the card of a step that was run."""
        state, crowded = s.step_state(s.page) if s.step is not None else "", self._is_crowded(s)
        now = (s.lesson and s.lesson.id, s.page), (s.region, state), crowded
        before, self._place = self._place, now
        turned, happened = before[0] != now[0], before[1] != now[1]
        told = len(s.hints) + s.solution_asked
        hinted, self._hints = told > self._hints, told
        passed = state == "passed" and happened and not turned
        if hinted:
            self._page.keep_at(lambda room: pages.hints_at(self._ui, room))
        elif passed and pages.has_afterwards(s):
            self._page.keep_at(lambda room: pages.told_at(self._ui, room, crowded=self._is_crowded(self._ui)))
        elif crowded and (passed or (state not in ("", "passed") and before != now)):
            self._page.keep_at(lambda room: len(pages.crowded_page(self._ui, room)))
        elif turned:
            self._page.keep_at(lambda _: 0)

    def paint(self) -> None:
        """Paint every view, each of which repaints only the lines that differ."""
        s = self._ui
        crowded = self._is_crowded(s)
        for name, view in _SHEETS:
            if crowded and name in ("page", "card"):
                view = pages.crowded_page if name == "page" else pages.no_lines
            if name != "notes" or s.notes:
                self._sheets[name].show(partial(view, s))
        if self._speaker is not None:
            for name, text in (("count", chrome.large_count(s)), ("left", chrome.time_left(s)[0])):
                for digits in self._speaker.query(f"#{name}"):
                    cast(Any, digits).update(text)

    def _is_crowded(self, s: UiState) -> bool:
        """Whether the step card leaves too little of the pane for the text, so that both scroll as one."""
        room, height = self._lesson.size.width - 1, self._lesson.size.height
        return height > 0 and len(draw_safely(chrome.step_card, s, max(10, room))) > 0.55 * height

    def take_in(self, batch: Batch) -> bool:
        """Give the panes what is new; return True while the terminal has more than one frame's worth."""
        if batch.anew:
            self.terminal.clear()
        if batch.dirty is None or batch.dirty:
            self._cluster.attempt(lambda: self._cluster.show(batch.world, batch.dirty))
        self._timeline.attempt(lambda: self._timeline.show(batch.world.changes))
        for node, text in batch.printed:
            self.terminal.feed(node, text)
        if batch.node:
            self.terminal.look_at(batch.node)
        return self.terminal.frame()

    def _speak(self, on: bool) -> None:
        """Show or remove the speaker's panel, which is created when it is needed."""
        if self._speaker is not None:
            self._speaker.remove()
            self._speaker = None
        if on:
            from textual.widgets import Digits  # not needed for the first paint

            self._sheets["notes"] = LinesView(focus=True, id="notes")
            self._speaker = Horizontal(Digits(id="count"), self._sheets["notes"], Digits(id="left"), id="speaker")
            self.mount(self._speaker, before="#footer")
            self.call_after_refresh(self.paint)
