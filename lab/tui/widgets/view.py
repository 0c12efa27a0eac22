"""The widget for a view that is a function of the world; it is shown in the cluster's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lab import panes
from lab.panes import CLUSTER
from lab.tui.panes import find_module
from lab.tui.spans import Line
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from textual import events

    from lab.tui.ui_state import UiState
    from lab.world.world import World

_GUESS = 14
"""Rows, before the first layout."""


class View(LinesView):
    """The widget for all views but the cluster. `look` gives it a UI state; it redraws for a new world or second. With
    `keys` its frame names the keys of all views."""

    def __init__(self, *, id: str | None = None, keys: bool = True) -> None:
        super().__init__(focus=True, id=id)
        self.add_class("pane")
        self._keys = keys
        self._view = CLUSTER
        self._world: World | None = None
        self._now = 0.0

    def look(self, s: UiState) -> None:
        """Draw the UI state's view; this costs nothing while it is not visible, or has nothing new."""
        if s.in_sight in (None, CLUSTER):
            return
        self.stale = s.outdated
        turned = s.view != self._view
        if not turned and s.world is self._world and int(s.now) == int(self._now):
            return
        self._view, self._world, self._now = s.view, s.world, s.now
        self.show(self._lines_for)
        if turned:
            self.scroll_home(animate=False)
            self._head()

    def on_resize(self, _: events.Resize) -> None:
        self._head()

    def _lines_for(self, room: int) -> tuple[Line, ...]:
        if self._view == CLUSTER:
            return ()
        if self._world is None:
            return ((("One moment ...", "quiet"),),)
        return find_module(self._view).lines(self._world, room, self.size.height or _GUESS, self._now)

    def _head(self) -> None:
        """Set the title, and the subtitle that lists the other views that have a key."""
        shown, first = panes.find_pane(self._view), panes.find_pane(CLUSTER)
        if not self._keys:
            self.border_title = shown.title
            return
        others = "  ".join(f"{p.key} {p.title.lower()}" for p in panes.PANES if p.key and p is not shown)
        self.border_title = f"{shown.key} {shown.title}".strip()
        brief = f"{first.key} {first.title.lower()}  {panes.key_range()} views"
        self.border_subtitle = others if len(others) + 6 <= self.outer_size.width else brief
