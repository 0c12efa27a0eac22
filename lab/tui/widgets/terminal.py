"""The terminal pane: the shells' output and, while it has the focus, the keyboard of the visible shell."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.markup import escape
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from lab.terminal.sanitize import ScreenFilter
from lab.tui.draw_guard import sentence
from lab.tui.spans import clean, plain, wrap

if TYPE_CHECKING:
    from textual.timer import Timer

    from lab.tui.widgets.emulator import Cells, Emulator

_BUDGET = 0.03
"""Seconds of processor time for the output that one frame takes in, so that a flood of it never delays the keys."""
_HURRIED = 0.008
"""The same while keys are pressed."""
_PIECE = 64
"""Characters taken in between two checks of that time. A few may need as much work as a screenful of text (repeat this
letter, scroll so far), so the budget is of time, not of characters."""
_BACKLOG = 1.0
"""Seconds of processor time for all waiting output; beyond that, only the newest is kept, worth a quarter of it."""
_PACE = 100_000.0
"""Characters taken in per second of processor time, as a first estimate."""
_LEAST = 4_096
"""The lowest limit of characters that may wait."""
_MOST = 262_144
"""The highest."""

#: Seconds within which two presses of Escape belong together; a lone one reaches the shell after that time, or with
#: the next key.
TWICE = 0.4
_EMPTY = "The shell's output shows here."


class Terminal(Widget, can_focus=True):
    """One screen per node; the one shown is where something was typed or printed last.

    `words` are shown until something is printed. Posts `Typed` with the bytes for the shell, `Resized` with the size
    for its pty, and `Left` when the user leaves it with two presses of Escape.
    """

    HELP = (
        "A real shell on this machine, as you; docker in it talks to the node named above. What you type goes to it, "
        "Tab and Ctrl+C too. "
        "Press Escape twice to leave. Shift+PageUp and the wheel show what scrolled away."
    )

    class Typed(Message):
        """Bytes for the shell."""

        def __init__(self, data: str) -> None:
            self.data = data
            super().__init__()

    class Resized(Message):
        """The pane's size in cells."""

        def __init__(self, columns: int, rows: int) -> None:
            self.columns, self.rows = columns, rows
            super().__init__()

    class Left(Message):
        """The user wants to leave, or has left."""

    class Wanted(Message):
        """The user wants to type."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._typing = False
        self.label = "Terminal"
        self._clean: dict[str, ScreenFilter] = {}
        self._screens: dict[str, Emulator] = {}
        self._waiting: deque[tuple[str, str]] = deque()
        self._backlog, self._pace, self._hurried = 0, _PACE, 0.0
        self._rows: list[Cells] | None = None
        self._escape: Timer | None = None
        self._words = _EMPTY
        self.node = ""

    def feed(self, node: str, text: str) -> None:
        """Queue output of the shell on `node`; the next `frame` draws it."""
        self._waiting.append((node, text))
        self._backlog += len(text)

    @property
    def typing(self) -> bool:
        """Whether keys go to the shell; otherwise they scroll, and the rest go to the app."""
        return self._typing

    @typing.setter
    def typing(self, on: bool) -> None:
        self._typing = on
        self._show_all()

    @property
    def words(self) -> str:
        """The text in the pane until something is printed."""
        return self._words

    @words.setter
    def words(self, words: str) -> None:
        self._words = words
        self.refresh()

    def look_at(self, node: str) -> None:
        """Show a node's screen."""
        if node != self.node and node in self._screens:
            self.node = node
            self._show_all()

    def hurry(self) -> None:
        """Take in less per frame for a second, so that the effect of a key press is seen at once."""
        self._hurried = time.monotonic() + 1.0

    def frame(self) -> bool:
        """Take in waiting output, within bounds, and paint the rows that it changed; return True while more waits."""
        if self._backlog > (most := self._most()):
            self._skip(most // 4)
        began, before = time.thread_time(), self._backlog
        until = began + (_HURRIED if time.monotonic() < self._hurried else _BUDGET)
        while self._waiting and time.thread_time() < until:
            node, text = self._waiting.popleft()
            taken = self._take_until(until, node, text)
            self._backlog -= taken
            if taken < len(text):
                self._waiting.appendleft((node, text[taken:]))
        spent = time.thread_time() - began
        if spent > _HURRIED / 2:
            self._pace += 0.3 * ((before - self._backlog) / spent - self._pace)
        self._paint()
        return bool(self._waiting)

    def clear(self) -> None:
        """Forget every screen, for another lesson or stage."""
        self._screens.clear()
        self._clean.clear()
        self._waiting.clear()
        self._backlog, self.node, self._words = 0, "", _EMPTY
        self._show_all()

    def text(self) -> str:
        """Return the screen shown, as plain text."""
        return self._screens[self.node].text() if self.node in self._screens else ""

    def _most(self) -> int:
        """Return how many characters may wait, if they cost as much as the last ones."""
        return int(min(_MOST, max(_LEAST, _BACKLOG * self._pace)))

    def _take_until(self, until: float, node: str, text: str) -> int:
        """Take in pieces until the thread's clock reaches `until`; return how many characters were taken."""
        for at in range(0, len(text), _PIECE):
            self._take(node, text[at : at + _PIECE])
            if time.thread_time() >= until:
                return min(len(text), at + _PIECE)
        return len(text)

    def _take(self, node: str, text: str) -> None:
        screen = self._screens.get(node)
        if screen is None:
            from lab.tui.widgets.emulator import Emulator  # not needed for the first paint

            screen = self._screens[node] = Emulator(max(20, self.size.width or 80), max(3, self.size.height or 24))
            self._clean[node] = ScreenFilter()
        try:
            screen.feed(self._clean[node].feed(text))
        except Exception as error:  # noqa: BLE001  boundary: no output may end the app
            screen = self._screens[node] = Emulator(*screen.size)
            screen.feed(f"[{sentence(error, 'what was printed could not be drawn')}]\r\n")
        if node != self.node:
            self.node = node
            self._show_all()

    def _skip(self, keep: int) -> None:
        """Drop a backlog too long to ever be read, except for its end, and say so."""
        node = self._waiting[-1][0]
        end = "".join(text for n, text in self._waiting if n == node)[-keep:]
        note = f"\x18\x1b[0m\r\n[{(self._backlog - len(end)) // 1000} kB more are not shown]\r\n"
        self._waiting.clear()
        self._waiting.append((node, note + end.partition("\n")[2]))
        self._backlog = len(self._waiting[0][1])

    def _paint(self) -> None:
        screen = self._screens.get(self.node)
        if screen is None:
            return
        rows = set(screen.damaged())
        self._rows = None
        if screen.back:
            self.refresh()
            return
        cursor = screen.cursor
        if cursor:
            rows |= {cursor[1], getattr(self, "_was", cursor[1])}
            self._was = cursor[1]
        self.refresh(*(Region(0, y, self.size.width, 1) for y in rows))

    def _show_all(self) -> None:
        self._rows = None
        self.border_title = escape(clean(f"{self.label} on {self.node}" if self.node else self.label))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        try:
            return self._line(y)
        except Exception as error:  # noqa: BLE001  boundary: see `lab.tui.draw_guard`
            words = sentence(error) if y == 0 else ""
            return Strip([Segment(clean(words), self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)

    def _line(self, y: int) -> Strip:
        base, width = self.rich_style, self.size.width
        screen = self._screens.get(self.node)
        if screen is None:
            lines = wrap([(self._words, "")], width)
            words = plain(lines[y : y + 1])
            return Strip([Segment(clean(words), base + Style(dim=True))]).adjust_cell_length(width, base)
        from lab.tui.widgets.emulator import segments  # not needed for the first paint

        if self._rows is None:
            self._rows = screen.rows()
        cursor = screen.cursor if self.has_focus and self._typing else None
        at = cursor[0] if cursor and cursor[1] == y else None
        cells = self._rows[y] if y < len(self._rows) else ()
        return Strip(segments(cells, base, self.app.current_theme.dark, at)).adjust_cell_length(width, base)

    def on_resize(self, _: events.Resize) -> None:
        if not self.size:
            return  # not visible
        columns, rows = max(20, self.size.width), max(3, self.size.height)
        for screen in self._screens.values():
            screen.resize(columns, rows)
        self._show_all()
        self.post_message(self.Resized(columns, rows))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("f1", "ctrl+q"):
            return
        if event.key in ("shift+pageup", "shift+pagedown"):
            self._look_back(event)
            return
        if not self._typing:
            self._look_back(event)
            return
        event.stop()
        event.prevent_default()
        held = self._take_escape()
        if event.key != "escape":
            self._send(lambda screen: held + screen.key(event.key, event.character))
        elif held:
            self.post_message(self.Left())
        else:
            self._escape = self.set_timer(TWICE, self._send_escape)

    def on_paste(self, event: events.Paste) -> None:
        if self._typing:
            event.stop()
            held = self._take_escape()
            self._send(lambda screen: held + screen.paste(event.text))

    def _take_escape(self) -> str:
        """Return the Escape that waits for a second one, or nothing when none does."""
        if self._escape is None:
            return ""
        self._escape.stop()
        self._escape = None
        return "\x1b"

    def _send_escape(self) -> None:
        if held := self._take_escape():
            self._send(lambda _: held)

    def _look_back(self, event: events.Key) -> None:
        page = max(1, self.size.height - 1)
        rows = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "home": -(10**6), "end": 10**6}
        by = rows.get(event.key.removeprefix("shift+"))
        if by is not None:
            event.stop()
            self.scroll_history(by)

    def _send(self, encode: Callable[[Emulator], str]) -> None:
        from lab.tui.widgets.emulator import Emulator  # not needed for the first paint

        screen = self._screens.get(self.node) or Emulator(80, 24)
        if screen.back:
            screen.to_end()
            self._show_all()
        data = encode(screen)
        if data:
            self.post_message(self.Typed(data))

    def scroll_history(self, rows: int) -> None:
        """Move the view; a negative number goes back."""
        screen = self._screens.get(self.node)
        if screen is not None:
            screen.scroll(rows)
            self.border_subtitle = f"▼ {screen.back} lines below" if screen.back else ""
            self._rows = None
            self.refresh()

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.scroll_history(-3)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.scroll_history(3)

    def on_focus(self) -> None:
        self._show_all()

    def on_blur(self) -> None:
        self._send_escape()
        if self.app.app_focus:  # else the whole window lost the focus, and will get it back
            self.post_message(self.Left())
        self._show_all()

    def on_click(self) -> None:
        self.post_message(self.Wanted())
