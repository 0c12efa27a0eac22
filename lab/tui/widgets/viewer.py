"""A terminal's screen and history as one looks at them: scrolled, searched, selected with the mouse, copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from lab.tui.draw_guard import sentence
from lab.tui.spans import clean, plain, wrap
from lab.tui.widgets import ranges
from lab.tui.widgets.ranges import Place, Range

if TYPE_CHECKING:
    from lab.tui.widgets.cells import Cells, Mark
    from lab.tui.widgets.emulator import Emulator

_WHEEL = 3
"""Rows that a step of the wheel moves."""
_MOMENT = 3.0
"""Seconds for which a message is shown."""
_FAR = 10**9


class Viewer(Widget, can_focus=True):
    """What `shown` is, drawn, with the way into its history. `words` are shown while it is None."""

    ALLOW_SELECT = False  # Textual's own selection takes no account of the history

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._words = ""
        self._rows: list[Cells] | None = None
        self._base: Style | None = None  # to find it takes longer than to draw a row
        self._anchor: Place | None = None
        self._selected: Range | None = None
        self._passed = False
        self._needle, self._match = "", Range((0, 0), (0, 0))
        self._matches: tuple[Range, ...] = ()
        self._matched: dict[int, list[Range]] = {}  # by row
        self._message = ""
        self._hushes: Timer | None = None
        self._alternate = False

    @property
    def shown(self) -> Emulator | None:
        """The screen that is shown."""
        raise NotImplementedError

    @property
    def caret(self) -> tuple[int, int] | None:
        """The column and the row of the cursor, or None when none is drawn."""
        return None

    def pass_mouse(self, kind: str, event: events.MouseEvent) -> bool:
        """Return whether somebody else takes a press, move or release of the mouse, or a turn of its wheel (up,
        down)."""
        raise NotImplementedError

    def wants_focus(self) -> None:
        """Called for a click that selects nothing."""

    @property
    def words(self) -> str:
        """The text in the pane until something is printed."""
        return self._words

    @words.setter
    def words(self, words: str) -> None:
        self._words = words
        self.refresh()

    def text(self) -> str:
        """Return the screen shown, as plain text."""
        return self.shown.text() if self.shown else ""

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None

    def show_all(self) -> None:
        """Paint everything anew."""
        self._rows = self._base = None
        self.refresh()

    def scroll_history(self, rows: int) -> None:
        """Move the view; a negative number goes back."""
        if self.shown is not None:
            self.shown.scroll(rows)
            self.show_all()

    def unmark(self) -> None:
        """Forget the search and the selection."""
        if self._needle or self._selected or self._message:
            self._needle, self._matches, self._selected, self._message = "", (), None, ""
            self._matched.clear()
            self.refresh()

    def find(self, text: str) -> None:
        """Search the screen and its history, and bring the last place where the text is into view."""
        self._needle, self._selected, self._message = text, None, ""
        self._match = Range((_FAR, 0), (_FAR, 0))
        self._go_on(older=True)

    def _go_on(self, *, older: bool) -> None:
        """Bring the next place above or below the current one into view. What was printed since is searched too."""
        if self.shown is None:
            return
        self._matches = ranges.find(self.shown, self._needle)
        self._matched.clear()
        for match in self._matches:
            for row in range(match.start[0], match.end[0] + 1):
                self._matched.setdefault(row, []).append(match)
        ahead = [m for m in self._matches if (m.start < self._match.start if older else m.start > self._match.start)]
        if ahead:
            self._match = ahead[-1 if older else 0]
            self.shown.bring(self._match.start[0])
        elif self._matches:
            self._say("none above" if older else "none below")
        else:
            self._say(f"“{clean(self._needle)}” is not there")
            self._needle = ""
        self.show_all()

    def copy(self) -> bool:
        """Copy the selection to the terminal's clipboard; return whether there is one."""
        if self.shown is None or self._selected is None:
            return False
        text = ranges.text_in(self.shown, self._selected)
        if text:
            self.app.copy_to_clipboard(text)
            lines = text.count("\n") + 1
            self._say(f"{lines} lines copied" if lines > 1 else f"{len(text)} characters copied")
        return True

    def _say(self, words: str) -> None:
        if self._hushes is not None:
            self._hushes.stop()
        self._message, self._hushes = words, self.set_timer(_MOMENT, self._hush)
        self.refresh()

    def _hush(self) -> None:
        self._message = ""
        self.refresh()

    def look_back(self, key: str) -> bool:
        """Do what a key means to whoever reads; return whether it means anything."""
        page = max(1, self.size.height - 1)
        rows = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -_FAR, "end": _FAR}
        by = rows.get(key.removeprefix("shift+"))
        if by is not None:
            self.scroll_history(by)
        elif key in ("n", "N") and self._needle:
            self._go_on(older=key == "n")
        elif key == "escape":
            self.unmark()
            self.scroll_history(_FAR)
        else:
            return key == "y" and self.copy()
        return True

    def paint(self) -> None:
        """Paint the rows that output has changed."""
        if (screen := self.shown) is None:
            return
        if screen.alternate != self._alternate:
            self._alternate = screen.alternate
            self.unmark()
        rows = set(screen.take_damaged())
        self._rows = self._base = None
        if cursor := screen.cursor:
            rows |= {cursor[1], getattr(self, "_was", cursor[1])}
            self._was = cursor[1]
        if screen.back or self._selected or len(rows) > self.size.height // 2:
            self.refresh()
        else:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in rows))

    def render_line(self, y: int) -> Strip:
        try:
            return self._line(y)
        except Exception as error:  # noqa: BLE001  boundary: see `lab.tui.draw_guard`
            words = sentence(error) if y == 0 else ""
            return Strip([Segment(clean(words), self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)

    def _line(self, y: int) -> Strip:
        base, width = self._base or self.rich_style, self.size.width
        self._base = base
        if (screen := self.shown) is None:
            lines = wrap([(self._words, "")], width)
            words = plain(lines[y : y + 1])
            return Strip([Segment(clean(words), base + Style(dim=True))]).adjust_cell_length(width, base)
        from lab.tui.widgets.cells import segments  # not needed for the first paint

        if self._rows is None:
            self._rows = screen.rows()
        caret = self.caret
        at = caret[0] if caret and caret[1] == y else None
        cells = self._rows[y] if y < len(self._rows) else ()
        marks = self._marks(screen.top + y, cells) if self._matches or self._selected else ()
        strip = Strip(segments(cells, base, self.app.theme, at, marks)).adjust_cell_length(width, base)
        if y == 0 and (status := self._status()):
            room = max(0, width - len(status) - 2)
            strip = Strip([*strip.crop(0, room), Segment(f" {status} ", base + Style(reverse=True))])
        return strip

    def _marks(self, row: int, cells: Cells) -> list[Mark]:
        from lab.tui.widgets.cells import FOUND, FOUND_HERE, SELECTED  # not needed for the first paint

        styled = [(m, FOUND if m != self._match else FOUND_HERE) for m in self._matched.get(row, ())]
        styled += [(self._selected, SELECTED)] if self._selected else []
        return [(*columns, style) for part, style in styled if (columns := part.columns(row, cells))]

    def _status(self) -> str:
        """Return what the pane's corner says: how far the view is from the end, and where the search is."""
        back = self.shown.back if self.shown else 0
        up = f"{back} line{'s' * (back != 1)} up" if back else ""
        search = ""
        if self._matches:
            search = f"{self._matches.index(self._match) + 1} of {len(self._matches)}: n above, N below, Esc ends"
        return " · ".join(part for part in (self._message or search, up) if part)

    def _place(self, event: events.MouseEvent) -> Place:
        offset = event.get_content_offset_capture(self)
        row = max(0, min(self.size.height - 1, offset.y))
        top = self.shown.top if self.shown else 0
        return top + row, max(0, min(self.size.width - 1, offset.x))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._passed = self.pass_mouse("press", event)
        if not self._passed and event.button == 1 and self.shown is not None:
            self._anchor, self._selected = self._place(event), None
            self.refresh()
        if self._passed or self._anchor is not None:
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._anchor is None:
            self.pass_mouse("move", event)
            return
        y = event.get_content_offset_capture(self).y
        if not 0 <= y < self.size.height:
            self.scroll_history(-1 if y < 0 else 1)
        place = self._place(event)
        if self._selected is not None or place != self._anchor:
            self._selected = ranges.between(self._anchor, place)
            self.refresh()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        self.release_mouse()
        if self._anchor is None:
            self.pass_mouse("release", event)
        elif self._selected is not None:
            self.copy()
        self._anchor = None

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        if not self.pass_mouse("up", event):
            self.scroll_history(-_WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        if not self.pass_mouse("down", event):
            self.scroll_history(_WHEEL)

    def on_click(self, event: events.Click) -> None:
        if self._passed:
            return
        if event.chain > 1 and self.shown is not None:
            self._selected = (ranges.word_at if event.chain == 2 else ranges.line_at)(self.shown, self._place(event))
            self.copy()
            self.refresh()
        elif self._selected is None:
            self.wants_focus()
