"""The line widgets under every pane: spans in, strips out, and only what changed is repainted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from lab.tui.draw_guard import draw_safely, sentence
from lab.tui.spans import Line, Span, Tone, clean, plain, wrap
from lab.tui.theme import tones

_GUESS = 80
"""Cells of width, for a view that has not been laid out yet."""

Draw = Callable[[int], Sequence[Line]]
"""A function from a width in cells to a view's lines."""

At = Callable[[int], int]
"""A function from a width in cells to the place of a line among a view's lines."""


class Lines(ScrollView, can_focus=True, inherit_bindings=False):
    """A pane of lines that scrolls up and down by keys; the left and right keys stay the lesson's.

    A subclass returns each row from `line`. When that raises, or the function given to `attempt` does, the pane shows
    the error instead, until an attempt succeeds.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", "scroll", show=False),
        Binding("down", "scroll_down", "scroll", show=False),
        Binding("pageup", "page_up", "scroll", show=False),
        Binding("pagedown", "page_down", "scroll", show=False),
        Binding("home", "scroll_home", "scroll", show=False),
        Binding("end", "scroll_end", "scroll", show=False),
    ]

    _tones: ClassVar[tuple[str, dict[Tone, Style]]] = ("", {})
    _stale = False
    _bar = 0
    _fault = ""

    def keep_bar(self) -> None:
        """Keep the last two columns free, for a scroll bar and a blank before it, so that it never touches text."""
        self.styles.scrollbar_gutter = "stable"
        self._bar = 2

    @property
    def room(self) -> int:
        """The width of a line in cells, 0 before the first layout."""
        return max(0, self.size.width - self._bar)

    def line(self, y: int) -> Strip:
        """Return the strip of the row `y` cells below the pane's top."""
        raise NotImplementedError

    def attempt(self, act: Callable[[], object]) -> None:
        """Call a function that changes what the pane shows, and show the error if it raises."""
        before, self._fault = self._fault, ""
        try:
            act()
        except Exception as error:  # noqa: BLE001  boundary: see `lab.tui.draw_guard`
            self._fault = sentence(error)
        if self._fault != before:
            self.refresh()

    def render_line(self, y: int) -> Strip:
        if not self._fault:
            try:
                return self.line(y)
            except Exception as error:  # noqa: BLE001  boundary: see `lab.tui.draw_guard`
                self._fault = sentence(error)
                self.refresh()
        told = wrap([(self._fault, "bad")], max(10, self.size.width))
        return self.strip(told[y] if y < len(told) else (), self.size.width)

    @property
    def stale(self) -> bool:
        """Whether the engine is silent: what is drawn is then old, and has no colours."""
        return self._stale

    @stale.setter
    def stale(self, on: bool) -> None:
        if on != self._stale:
            self._stale = on
            self.notify_style_update()
            self.refresh()

    def strip(self, spans: Iterable[Span], width: int) -> Strip:
        """Return spans as a strip of exactly `width` cells, in the theme's colours, or grey while stale."""
        base, tones = self.rich_style, self.tones()
        grey = base + tones["quiet"]
        segments = [
            Segment(clean(text), grey if self._stale else base + tones[tone] if tone else base)
            for text, tone in spans
            if text
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def tones(self) -> dict[Tone, Style]:
        """Return the theme's styles."""
        theme = self.app.theme
        if Lines._tones[0] != theme:
            Lines._tones = (theme, tones(self.app.theme_variables))
        return Lines._tones[1]


class LinesView(Lines):
    """A view that is drawn as a whole, and repainted where it differs from what is shown."""

    def __init__(self, *, focus: bool = False, grows: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.can_focus = focus
        if focus:
            self.keep_bar()
        self._grows = grows
        self._draw: Draw = lambda _: ()
        self._lines: tuple[Line, ...] = ()
        self._wide = 0
        self._early: tuple[int, tuple[Line, ...]] = (0, ())
        self._at: At | None = None
        self._put = 0

    def keep_at(self, at: At) -> None:
        """Scroll to the line at a place, or as near to it as there are lines, and come back to it whenever the lines,
        the width or the height change, until the user scrolls."""
        self._at = at
        self._go_there()

    def _go_there(self) -> None:
        if self._at is not None:
            self._put = min(max(0, self._at(self._wide or _GUESS)), self.max_scroll_y)
            self.scroll_to(y=self._put, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if new_value != self._put and not (new_value < self._put and new_value == self.max_scroll_y):
            self._at = None  # It was the user: Textual itself only comes back from beyond the last line.

    def show(self, draw: Draw) -> None:
        """Draw with `draw` from now on, at every width. A view that grows takes as many rows as it has lines."""
        self._draw = draw
        old, self._wide = self._lines, self.room or self._wide
        self._lines = draw_safely(draw, self._wide or _GUESS)
        if self._grows:
            self.display = bool(self._lines)
        if len(old) != len(self._lines):
            self.virtual_size = Size(self.size.width, len(self._lines))
            if self._grows:
                self.styles.height = len(self._lines) + self.gutter.height
            self.refresh()
            self._go_there()
            return
        self._go_there()
        changed = [y for y, (a, b) in enumerate(zip(old, self._lines, strict=True)) if a != b]
        if changed:
            top = self.scroll_offset.y
            self.refresh(*(Region(0, y - top, self.size.width, 1) for y in changed))

    def text(self) -> str:
        """Return the lines as plain text."""
        return plain(self._lines)

    def on_resize(self, _: events.Resize) -> None:
        self.show(self._draw)
        self.refresh()

    def line(self, y: int) -> Strip:
        lines, width = self._lines, self.room
        if self._wide != width:  # the first paint comes before the first resize event
            if self._early[0] != width:
                self._early = width, draw_safely(self._draw, width)
            lines = self._early[1]
        at = y + self.scroll_offset.y
        return self.strip(lines[at] if at < len(lines) else (), self.size.width)
