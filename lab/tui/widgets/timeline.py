"""The timeline: one line per change, with its time; it follows the end unless the user scrolled back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size

from lab.tui.spans import Line, Tone, format_stamp, plain, wrap
from lab.tui.widgets.lines import Lines

if TYPE_CHECKING:
    from textual import events
    from textual.strip import Strip

    from lab.world.world import Change

_MARKS: dict[str, tuple[str, Tone]] = {
    "good": ("●", "run"),
    "bad": ("✘", "bad"),
    "plain": ("·", ""),
    "lab": ("»", "lab"),
}
_KEPT = 2000


class Timeline(Lines):
    """The timeline's widget. `show` gives it the world's changes; only new ones are wrapped and drawn."""

    HELP = (
        "Everything that happened, newest at the bottom: what the swarm did, and, marked », what you or the lab did. "
        "Times count from the beginning of this journal. Scroll back with ↑; End follows again."
    )

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.keep_bar()
        self._given: tuple[Change, ...] = ()
        self._changes: tuple[Change, ...] = ()
        self._lines: list[Line] = []
        self._wide, self._follows = 0, True

    def show(self, changes: tuple[Change, ...]) -> None:
        """Draw these changes; the cost is that of those added since the last time."""
        width, self._given = self.room, changes
        if not width or (changes is self._changes and self._wide == width):
            return  # not visible, or nothing new
        known = self._changes[-1] if self._changes else None
        place = next((i for i in range(len(changes) - 1, -1, -1) if changes[i] is known), None)
        if place is None or self._wide != width:
            self._lines, place, self._wide = [], -1, width
        for change in changes[place + 1 :]:
            self._lines.extend(self._wrap(change))
        del self._lines[:-_KEPT]
        self._changes = changes
        self._follow_end()
        self.refresh()

    def _follow_end(self) -> None:
        self.virtual_size = Size(self.size.width, len(self._lines))
        if self._follows:
            self.scroll_end(animate=False)
        self._tell()

    def text(self) -> str:
        """Return all lines as plain text."""
        return plain(self._lines)

    def _wrap(self, change: Change) -> list[Line]:
        mark, tone = _MARKS[change.tone]
        words: Tone = "" if tone == "run" else "why" if tone == "bad" else tone
        first: Line = ((f"{format_stamp(change.at)} ", "quiet"), (f"{mark} ", tone))
        return wrap([(change.text, words)], self.room, first)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        below = self.virtual_size.height - self.size.height - new_value
        # A pane scrolls on its own when it shrinks; only scrolling by the user stops it from following the end.
        self._follows = below <= 0 or (self._follows and new_value >= old_value)
        self._tell()

    def _tell(self) -> None:
        below = int(self.virtual_size.height - self.size.height - self.scroll_offset.y)
        self.border_subtitle = f"▼ {below} more, End follows" if below > 0 and not self._follows else ""

    def on_resize(self, _: events.Resize) -> None:
        self.show(self._given)
        self._follow_end()

    def line(self, y: int) -> Strip:
        at = y + self.scroll_offset.y
        if not self._lines and y == 0:
            return self.strip([("Nothing has changed yet.", "quiet")], self.size.width)
        return self.strip(self._lines[at] if at < len(self._lines) else (), self.size.width)
