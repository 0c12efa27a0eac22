"""The screen of the stage: one thought, its command, its output, and the one pane that matters. It decides nothing."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.screen import Screen

from lab.panes import CLUSTER
from lab.tui.cluster.widget import ClusterGrid
from lab.tui.journal_feed import Batch
from lab.tui.talk import slide, talk_keys
from lab.tui.talk.talk_state import TalkState
from lab.tui.widgets.lines import LinesView
from lab.tui.widgets.terminal import Terminal
from lab.tui.widgets.view import View

if TYPE_CHECKING:
    from textual.widget import Widget

_SHEETS = (
    ("status", slide.status_line),
    ("heading", slide.heading),
    ("command", slide.command),
    ("outcome", slide.outcome),
    ("strip", slide.strip),
    ("footer", talk_keys.footer),
)


class TalkScreen(Screen[None], inherit_bindings=False):
    """Driven only through `show`, `take_in` and the shell's three methods."""

    AUTO_FOCUS = ""  # the keys are the talk's, unless a shell has them
    BINDINGS: ClassVar[list[BindingType]] = [Binding("super+c,ctrl+shift+c", "screen.copy_text", show=False)]
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-tight"), (104, "-wide"), (160, "-vast")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall"), (40, "-high")]  # noqa: RUF012

    class Ready(Message):
        """Posted when everything is mounted."""

    def __init__(self, state: TalkState) -> None:
        super().__init__(id="_default")
        self._state = state
        self.built = False
        self._sheets = {name: LinesView(grows=True, id=name) for name, _ in _SHEETS}
        self._cluster = ClusterGrid(id="cluster", classes="pane")
        self._view = View(id="view", keys=False)
        self.terminal = Terminal(id="terminal", classes="pane")
        self.terminal.label = "Terminal"
        self._cluster.border_title = "Cluster"

    def compose(self) -> ComposeResult:
        yield self._sheets["status"]
        yield self._sheets["heading"]
        yield self._sheets["command"]
        yield self._sheets["outcome"]
        with Vertical(id="talk"):
            yield self.terminal
            yield self._cluster
            yield self._view
        yield self._sheets["strip"]
        yield self._sheets["footer"]

    def on_mount(self) -> None:
        for pane in (self._cluster, self._view, self.terminal):
            pane.can_focus = False
        self.built = True
        self.show(self._state)
        self.post_message(self.Ready())

    def on_unmount(self) -> None:
        self.built = False

    def on_resize(self, _: events.Resize) -> None:
        self.show(self._state)

    def show(self, s: TalkState) -> None:
        """Paint what differs from the previous state."""
        before, self._state = self._state, s
        self.set_class(s.black, "black")
        self.set_class(s.at_shell, "shell")
        self.set_class(self._has_output(s), "output")
        shown: Widget = self._cluster if s.view == CLUSTER else self._view
        for pane in (self._cluster, self._view):
            pane.set_class(pane is not shown, "away")
        self._cluster.stale = s.ui.link == "stale"
        self._view.look(s.ui)
        if before.view != s.view and s.world is not None:
            world = s.world
            self._cluster.attempt(lambda: self._cluster.show(world))
        for name, draw in _SHEETS:
            self._sheets[name].show(partial(draw, s))

    def _has_output(self, s: TalkState) -> bool:
        """Whether the step's output has a place: it types a command, and there is room for a pane beside it."""
        typed = s.slide.step.act is None and s.slide.step.command is not None
        return typed and s.phase in ("running", "passed", "failed") and self.size.height >= 20

    def take_in(self, batch: Batch) -> bool:
        """Give the panes what is new; return True while the terminal has more than one frame's worth."""
        if batch.anew:
            self.terminal.clear()
        if batch.dirty is None or batch.dirty:
            self._cluster.attempt(lambda: self._cluster.show(batch.world, batch.dirty))
        for node, text in batch.printed:
            self.terminal.feed(node, text)
        if batch.node:
            self.terminal.look_at(batch.node)
        return self.terminal.frame()

    def open_shell(self) -> None:
        """Show the terminal alone, and give it the keyboard."""
        self.terminal.can_focus = True
        self.terminal.typing = True
        self.terminal.words = "A shell is being opened ..."
        self.terminal.focus()

    def close_shell(self) -> None:
        """Take the keyboard back."""
        self.terminal.typing = False
        self.terminal.can_focus = False
        self.set_focus(None)
