"""The terminal pane: the shells' output and, while it has the focus, the keyboard of the visible shell."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual import events
from textual.markup import escape
from textual.message import Message

from lab.tui.spans import clean
from lab.tui.widgets.intake import Intake
from lab.tui.widgets.viewer import Viewer

if TYPE_CHECKING:
    from textual.timer import Timer

    from lab.tui.widgets.emulator import Emulator

#: Seconds within which two presses of Escape belong together; a lone one reaches the shell after that time, or with
#: the next key.
TWICE = 0.4
_EMPTY = "The shell's output shows here."
_COPY = ("ctrl+shift+c", "super+c")
_WHEEL = {"up": 64, "down": 65}


class Terminal(Viewer):
    """One screen per node; the one shown is where something was typed or printed last.

    `words` are shown until something is printed. Posts `Typed` with the bytes for the shell, `Resized` with the size
    for its pty, `Pasted` for several lines at once, and `Left` when the user leaves it with two presses of Escape.
    """

    HELP = (
        "A real shell on this machine, as you; only docker in it talks to the node that the prompt names. What you "
        "type goes to it, Tab and Ctrl+C too. Press Escape twice to leave. Shift+PageUp and the wheel show what "
        "scrolled away; the next key that you type brings you back. Drag with the mouse to copy; click twice for a "
        "word, three times for a line. A program that asks for the mouse gets it while you type; with Shift it is "
        "yours. When you do not type, / searches, n and N go on, and y copies again."
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

    class Pasted(Message):
        """Several lines were pasted, and wait for `paste`. `whole`: the program takes them as one text."""

        def __init__(self, text: str, whole: bool) -> None:
            self.text, self.whole = text, whole
            super().__init__()

    class Left(Message):
        """The user wants to leave, or has left."""

    class Wanted(Message):
        """The user wants to type."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._typing = self._holds_mouse = False
        self._mouse_at = (-1, -1)
        self.label = "Terminal"
        self._intake = Intake(lambda: (max(20, self.size.width or 80), max(3, self.size.height or 24)))
        self._escape: Timer | None = None
        self._words = _EMPTY
        self.node = ""

    @property
    def shown(self) -> Emulator | None:
        return self._intake.screens.get(self.node)

    @property
    def caret(self) -> tuple[int, int] | None:
        return self.shown.cursor if self.shown and self.has_focus and self._typing else None

    @property
    def typing(self) -> bool:
        """Whether keys go to the shell; otherwise they scroll, and the rest go to the app."""
        return self._typing

    @typing.setter
    def typing(self, on: bool) -> None:
        self._typing = on
        self.show_all()

    def feed(self, node: str, text: str) -> None:
        """Queue output of the shell on `node`; the next `frame` draws it."""
        self._intake.feed(node, text)

    def hurry(self) -> None:
        """Take in less per frame for a second, so that the effect of a key press is seen at once."""
        self._intake.hurry()

    def frame(self) -> bool:
        """Take in waiting output, within bounds, and paint the rows that it changed; return True while more waits."""
        self.look_at(self._intake.take_in())
        self.paint()
        return self._intake.waits

    def look_at(self, node: str) -> None:
        """Show a node's screen."""
        if node != self.node and node in self._intake.screens:
            self.node = node
            self.unmark()
            self.show_all()

    def clear(self) -> None:
        """Forget every screen, for another lesson or stage."""
        self._intake.clear()
        self.node, self._words = "", _EMPTY
        self.unmark()
        self.show_all()

    def show_all(self) -> None:
        self.border_title = escape(clean(f"{self.label}: docker on {self.node}" if self.node else self.label))
        super().show_all()

    def paste(self, text: str) -> None:
        """Send a text to the shell, as pasted."""
        held = self._take_escape()
        self._send(lambda screen: held + screen.paste(text))

    def pass_mouse(self, kind: str, event: events.MouseEvent) -> bool:
        """The mouse is the program's while the user types and it asks for it, unless Shift is held. On the alternate
        screen, which has no history, the wheel is the arrow keys, as in other terminals."""
        screen = self.shown
        if screen is None or not self._typing or (event.shift and not self._holds_mouse):
            return False
        if screen.wants_mouse:
            self._holds_mouse = kind == "press" or (self._holds_mouse and kind != "release")
            offset = event.get_content_offset_capture(self)
            at = max(0, min(screen.size[0] - 1, offset.x)), max(0, min(screen.size[1] - 1, offset.y))
            button = _WHEEL.get(kind, max(0, event.button - 1))
            held = [name for name in ("shift", "meta", "ctrl") if getattr(event, name)]
            if kind != "move" or at != self._mouse_at:  # the mouse may move by pixels, within a cell
                self._post(screen.mouse("press" if kind in _WHEEL else kind, *at, button, held))
            self._mouse_at = at
            return True
        if kind in _WHEEL and screen.alternate:
            self._post(screen.key(kind, None) * 3)
            return True
        return False

    def wants_focus(self) -> None:
        self.post_message(self.Wanted())

    def on_resize(self, _: events.Resize) -> None:
        if not self.size:
            return  # not visible
        columns, rows = max(20, self.size.width), max(3, self.size.height)
        for screen in self._intake.screens.values():
            screen.resize(columns, rows)
        self.unmark()
        self.show_all()
        self.post_message(self.Resized(columns, rows))

    def on_key(self, event: events.Key) -> None:
        if event.key in ("f1", "ctrl+q"):
            return
        reads = not self._typing or event.key in ("shift+pageup", "shift+pagedown")
        if (reads and self.look_back(event.key)) or (event.key in _COPY and self.copy()):
            event.stop()
            event.prevent_default()
        if reads or (event.key in _COPY and self._selected):
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
        if not self._typing:
            return
        event.stop()
        if len(event.text.splitlines()) > 1:
            self.post_message(self.Pasted(event.text, self.shown is not None and self.shown.brackets))
        else:
            self.paste(event.text)

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

    def _send(self, encode: Callable[[Emulator], str]) -> None:
        from lab.tui.widgets.emulator import Emulator  # not needed for the first paint

        screen = self.shown or Emulator(80, 24)
        self.unmark()
        if screen.back:
            screen.to_end()
            self.show_all()
        self._post(encode(screen))

    def _post(self, data: str) -> None:
        if data:
            self.post_message(self.Typed(data))

    def on_focus(self) -> None:
        self.show_all()

    def on_blur(self) -> None:
        self._send_escape()
        if self.app.app_focus:  # else the whole window lost the focus, and will get it back
            self.post_message(self.Left())
        self.show_all()
