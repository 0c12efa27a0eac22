"""The speaker's second terminal: this step's notes, the next step, the clock, and what the cluster is really doing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message

from lab.errors import LabError
from lab.tui.lesson.markdown import render_markdown
from lab.tui.run_app import SafeApp, prepare_terminal, run_app
from lab.tui.spans import Line, Tone, fit, format_stamp, wrap
from lab.tui.talk import talk_keys
from lab.tui.widgets.lines import LinesView

if TYPE_CHECKING:
    from lab.session.talk.talk_client import TalkClient
    from lab.session.talk.talk_views import NotesView
    from lab.tui.appearance import Appearance


AGAIN = 0.5
"""Seconds between two attempts to find the talk again: its app may have been restarted."""


Connect = Callable[[], "TalkClient[NotesView]"]
"""Connects to the talk; raises LabError while there is none."""


class Seen(Message):
    """The notes have changed; None: there is no talk now, for the reason given."""

    def __init__(self, view: NotesView | None, why: str = "") -> None:
        self.view, self.why = view, why
        super().__init__()


def show_notes(connect: Connect, appearance: Appearance) -> int:
    """Show the notes until the user ends it, and return the exit code. The first time, `connect` raises its error at
    once."""
    client = connect()
    prepare_terminal()
    return run_app(NotesApp(client, connect, appearance))


class NotesApp(SafeApp):
    """Shows what the talk sends, and sends it the stage's keys."""

    CSS_PATH = "../lab.tcss"
    TITLE = "swarmlab notes"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key.keys, f"ask('{key.action}')", show=False)
            for key in talk_keys.TALK_KEYS
            if key.keys and key.remote
        ),
        Binding("q,ctrl+q,ctrl+c", "quit", show=False),
    ]

    def __init__(self, client: TalkClient[NotesView], connect: Connect, appearance: Appearance) -> None:
        super().__init__()
        self._client, self._connect = client, connect
        self._left = threading.Event()
        self._view: NotesView | None = None
        self._why = ""
        self.dress(appearance)

    def compose(self) -> ComposeResult:
        yield LinesView(grows=True, id="status")
        yield LinesView(focus=True, id="text")
        yield LinesView(grows=True, id="strip")

    def on_mount(self) -> None:
        self._paint()
        threading.Thread(target=self._listen, name="notes", daemon=True).start()

    def on_unmount(self) -> None:
        self._left.set()
        self._client.close()

    def _listen(self) -> None:
        while not self._left.is_set():
            why = "No notes came: the talk has ended, or enough terminals show them already. q leaves."
            try:
                for view in self._client.views():
                    self.post_message(Seen(view))
                    why = "The talk has ended; if it begins again, its notes are here. q leaves."
            except LabError as error:
                why = str(error)
            if not self._left.is_set():
                self.post_message(Seen(None, why))
            while not self._left.wait(AGAIN):
                try:
                    self._client = self._connect()
                except LabError:
                    continue
                break

    @on(Seen)
    def _handle_view(self, message: Seen) -> None:
        moved = message.view is not None and (self._view is None or message.view.place != self._view.place)
        self._view, self._why = message.view or self._view, message.why
        self._paint()
        if moved:
            self.query_one("#text", LinesView).scroll_home(animate=False)

    def _paint(self) -> None:
        for name, draw in (("status", status), ("text", text), ("strip", strip)):
            self.query_one(f"#{name}", LinesView).show(partial(draw, self._view, self._why))

    def action_ask(self, action: str) -> None:
        """Press a key of the talk."""
        try:
            self._client.ask(action)
        except LabError as error:
            self._why = str(error)
            self._paint()


def status(view: NotesView | None, _: str, room: int) -> tuple[Line, ...]:
    """Return where the talk is, and its clock."""
    if view is None:
        return ((("One moment ...", "quiet"),),)
    left = view.slot - view.gone
    tone: Tone = "stale" if view.late > 0 else "live"
    badge: Line = ((" ● LIVE ", "live"),) if view.live else ((" ▶ REPLAY ", "replay"),)
    where: Line = ((f" {view.place + 1}/{view.count} ", "strong"), ("auto " if view.auto else "", "lab"))
    ends = f" ends {format_stamp(abs(view.late), False)} {'late' if view.late > 0 else 'early'} "
    clock: Line = (
        (f"{format_stamp(view.here, False)} here  {format_stamp(view.gone, False)} gone  ", "quiet"),
        (f"{format_stamp(abs(left), False)} {'left' if left >= 0 else 'over'}  ", "strong"),
        (ends, tone),
    )
    return (fit((*badge, *where), clock, room),)


def text(view: NotesView | None, _: str, room: int) -> tuple[Line, ...]:
    """Return the step's notes, and the next step."""
    if view is None:
        return ()
    lines: list[Line] = [(), *wrap([(view.title, "name")], room), ()]
    lines += render_markdown(view.notes or "There are no notes for this step.", room)
    lines += [(), *wrap([(f"Next: {view.next_title}" if view.next_title else "This is the last step.", "lab")], room)]
    return tuple(lines)


def strip(view: NotesView | None, why: str, room: int) -> tuple[Line, ...]:
    """Return what the cluster is doing, what is wrong, and the keys."""
    lines: list[Line] = []
    if view is not None:
        lines += wrap([(view.cluster, "")], room, ((" ● " if view.live else " ○ ", "run" if view.live else "quiet"),))
        for words, tone in ((view.trouble, "bad"), (view.offer and f"o: {view.offer}", "note")):
            lines += wrap([(words, tone)], room, ((" » ", "note"),)) if words else []  # type: ignore[list-item]
    lines += wrap([(why, "bad")], room, ((" ✘ ", "bad"),)) if why else []
    lines.append(((" PgDn next  PgUp back  r recording  b black  o leave out  a auto  q quit", "quiet"),))
    return tuple(lines)
