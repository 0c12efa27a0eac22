"""The app of the stage: one state, keys that change it, a screen that shows it, and the talk behind it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.screen import Screen

from lab.errors import LabError
from lab.session.talk.forecast import SlideTime
from lab.tui.appearance import THEMES, Appearance
from lab.tui.dialogs import Help, Pick, paste
from lab.tui.run_app import SafeApp
from lab.tui.talk import talk_keys
from lab.tui.talk.published import board_view, notes_view
from lab.tui.talk.screen import TalkScreen
from lab.tui.talk.slide import command_of
from lab.tui.talk.talk_state import TalkState
from lab.tui.talk.typing import typing_delays
from lab.tui.talk.worker import Arrived, Asked, Changed, Failed, News, Played, TalkWorker

if TYPE_CHECKING:
    from lab.lesson.talk import Talk
    from lab.session.talk.resume import Standing
    from lab.session.talk.talk_socket import TalkSocket
    from lab.session.talk.talk_stage import TalkStage
    from lab.tui.widgets.terminal import Terminal

FRAME = 0.05
"""The shortest time between two frames, in seconds."""
PATIENCE = 25.0
"""Seconds that a step waits for the cluster to be put to its start, before it goes on with its recording by itself."""
AGAIN = 5.0
"""Seconds between two attempts to go back to the cluster."""
BOARD = 0.2
"""Seconds between two pictures for the audience's board."""
TWICE = 2.0
"""Seconds within which the key that ends the talk is pressed again."""
_ONCE_MORE = "Press q again to end the talk."


class TalkApp(SafeApp):
    """See `lab.tui.talk.present`. `clock` is the speaker's, in seconds; `wall` is the wall clock."""

    CSS_PATH = "../lab.tcss"
    TITLE = "swarmlab present"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(key.keys, f"press('{key.action}')", show=False) for key in talk_keys.TALK_KEYS if key.keys),
        Binding("ctrl+q", "press('quit')", show=False),
    ]

    def __init__(
        self,
        talk: Talk,
        stage: TalkStage,
        times: Mapping[str, SlideTime],
        *,
        standing: Standing,
        keep: Callable[[Standing], object],
        slot: float,
        appearance: Appearance,
        keep_choice: Callable[..., None] = lambda **_: None,
        typing: bool = True,
        hub: TalkSocket | None = None,
        board: TalkSocket | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._clock, self._standing, self._keep, self._keep_choice = clock, standing, keep, keep_choice
        began = standing.began or wall()
        self._standing = replace(standing, began=began)
        self._began = clock() - max(0.0, wall() - began)
        self.state = TalkState(
            talk,
            tuple(times[slide.id] for slide in talk.slides),
            slot,
            gone=clock() - self._began,
            place=standing.place,
            left_out=frozenset(standing.left_out),
            auto=stage.auto,
        )
        self.taken: dict[str, SlideTime] = {}
        self._stage, self._hub, self._board, self._types = stage, hub, board, typing
        self._commands: list[str] = []
        self._boarded: tuple[object, ...] = ()
        self._worker = TalkWorker(self, stage)
        self._main = TalkScreen(self.state)
        self._shown_at = clock()
        self._ran = 0.0
        self._frame_at, self._frame_due = 0.0, False
        self._delays: Iterator[float] = iter(())
        self._wanted_at, self._tried_at, self._quit_at = 0.0, clock(), -TWICE
        self.dress(appearance)

    def get_default_screen(self) -> Screen[None]:
        return self._main

    @on(TalkScreen.Ready)
    def _begin(self) -> None:
        for socket in (self._hub, self._board):
            if socket is not None:
                socket.act = lambda action: self._worker.post(Asked(action))
        if self._board is not None:
            self.set_interval(BOARD, self._publish_board)
        self.set_interval(1.0, self._tick)
        self._go_to(self.state.place)

    def see(self, **changes: Any) -> None:
        """Change the state and show it."""
        before, self.state = self.state, replace(self.state, **changes)
        if self._main.built:
            self._main.show(self.state)
        if before.view != self.state.view:
            self._worker.look(self.state.view)
        self._publish()

    def _go_to(self, place: int) -> None:
        """Show a slide, and have the cluster put to its start."""
        self._measure()
        self._shown_at, self._ran = self._clock(), 0.0
        self._wanted_at, self._tried_at = 0.0, self._clock()
        self.see(place=place, phase="read", typed=0, wants=False, here=0.0, notice="")
        self._worker.look(self.state.view)
        self._keep_standing()
        self._worker.arrive(place)

    def _keep_standing(self) -> None:
        s = self.state
        self._standing = replace(self._standing, place=s.place, left_out=tuple(sorted(s.left_out)))
        try:
            self._keep(self._standing)
        except LabError as error:
            self.see(notice=f"Where the talk stands cannot be kept: {error}")

    def _measure(self) -> None:
        """Note what the slide took that is left now, if its step was gone through."""
        if self.state.phase == "passed":
            total = self._clock() - self._shown_at
            self.taken[self.state.slide.id] = SlideTime(self._ran, max(0.0, total - self._ran))

    def _tick(self) -> None:
        s, now = self.state, self._clock()
        self.see(now=self._stage.journal.now(), gone=now - self._began, here=now - self._shown_at)
        if s.notice == _ONCE_MORE and now - self._quit_at > TWICE:
            self.see(notice="")
        if s.wants and s.auto and now - self._wanted_at > PATIENCE:
            self._stage.fall_back()
        elif self._may_go_live and now - self._tried_at > AGAIN:
            self._tried_at = now
            self._worker.arrive(s.place)

    @property
    def _may_go_live(self) -> bool:
        """Whether a recording is in sight that nothing has been done with, and the cluster may answer by now."""
        s, stage = self.state, self._stage
        idle = s.phase == "read" and not s.wants and not s.status.doing
        return idle and not s.status.live and stage.can_go_live and stage.unused

    @on(News)
    def _news(self) -> None:
        if not self._frame_due:
            self._frame_due = True
            wait = self._frame_at + FRAME - time.monotonic()
            self.set_timer(wait, self._frame) if wait > 0 else self._frame()

    def _frame(self) -> None:
        self._frame_due = False
        if not self._main.built:
            return
        batch = self._worker.take()
        if self._main.take_in(batch):
            self._worker.post(News())
        self.see(world=batch.world, now=self._stage.journal.now(), title=self._stage.title)
        self._frame_at = time.monotonic()

    @on(Changed)
    def _handle_change(self) -> None:
        self.see(status=self._stage.status)
        self._news()

    @on(Arrived)
    def _handle_arrival(self, message: Arrived) -> None:
        self._frame()
        self.see(status=self._stage.status)
        if message.place == self.state.place and self.state.wants:
            self.see(wants=False)
            self._run()

    @on(Played)
    def _handle_played(self, message: Played) -> None:
        if message.place != self.state.place:
            return
        self._ran = self._clock() - self._ran
        self._frame()
        self.see(status=self._stage.status, phase="passed" if message.passed else "failed", notice="")

    @on(Failed)
    def _handle_failure(self, message: Failed) -> None:
        said = (
            str(message.error)
            if isinstance(message.error, LabError)
            else f"{type(message.error).__name__}: {message.error}"
        )
        self.see(notice=f"That could not be done: {said}", wants=False)
        if self.state.phase == "running":
            self.see(phase="failed")

    @on(Asked)
    def _handle_asked(self, message: Asked) -> None:
        self.action_press(message.action)

    def action_press(self, action: str) -> None:
        """Do what a key does, if it works now."""
        if talk_keys.works(self.state, action):
            getattr(self, f"do_{action}")()

    def do_next(self) -> None:
        """Type the command, run the step, or go to the next slide."""
        s = self.state
        if s.phase == "passed":
            if s.next is not None:
                self._go_to(s.next)
            else:
                self._measure()
                self.see(notice="That was the last step. q twice ends the talk.")
        elif s.phase == "read" and s.slide.step.act is None and command_of(s):
            self._type()
        else:
            self._want()

    def _type(self) -> None:
        text = command_of(self.state)
        if not self._types or self.animation_level == "none":
            self.see(phase="typed", typed=len(text))
            return
        self._delays = typing_delays(text)
        self.see(phase="typing", typed=0)
        self._type_on()

    def _type_on(self) -> None:
        if self.state.phase != "typing":
            return
        delay = next(self._delays, None)
        if delay is None:
            self.see(phase="typed")
        else:
            self.see(typed=self.state.typed + 1)
            self.set_timer(delay, self._type_on)

    def _want(self) -> None:
        """Run the step as soon as its world is in sight: at once, unless the cluster is being put to its start."""
        if self.state.status.doing:
            self._wanted_at = self._clock()
            self.see(wants=True, phase="typed")
        else:
            self._run()

    def _run(self) -> None:
        self._ran = self._clock()
        if command_of(self.state) not in self._commands[-1:]:
            self._commands.append(command_of(self.state))
        self.see(phase="running", notice="")
        self._worker.play(self.state.place)

    def do_back(self) -> None:
        """Show the slide's text again, or go back a slide; the cluster goes back as well."""
        s = self.state
        if s.phase in ("typing", "typed"):
            self.see(phase="read", typed=0)
        elif s.phase in ("passed", "failed"):
            self._go_to(s.place)
        elif s.before is not None:
            self._go_to(s.before)

    def do_recording(self) -> None:
        """Go on with the recording of this step."""
        self._stage.fall_back()
        if self.state.phase == "failed":
            self._ran = self._clock()
            self.see(phase="running", notice="")
            self._worker.play_recording(self.state.place)

    def do_leave_out(self) -> None:
        """Leave out the slide that is proposed."""
        out = self.state.omission
        if out is not None:
            title = self.state.talk.slides[out.place].step.title
            self.see(left_out=self.state.left_out | {out.place}, notice=f"Left out: {title}.")
            self._keep_standing()

    def do_black(self) -> None:
        """Show nothing, or the talk again."""
        self.see(black=not self.state.black)

    def do_auto(self) -> None:
        """Go on with recordings by itself, or only when asked."""
        self._stage.auto = not self._stage.auto
        self.see(auto=self._stage.auto)

    def do_jump(self) -> None:
        """Choose a slide from a list."""
        s = self.state
        rows = [
            (str(at), f"{at + 1:>3}  {slide.step.title}{'  (left out)' if at in s.left_out else ''}")
            for at, slide in enumerate(s.talk.slides)
        ]
        self.push_screen(Pick(s.talk.title, rows, str(s.place)), self._jump)

    def _jump(self, place: str | None) -> None:
        if place is not None and not self.state.busy:
            self.see(left_out=self.state.left_out - {int(place)})
            self._go_to(int(place))

    def do_shell(self) -> None:
        """Hand the keyboard to a real shell."""
        self._main.open_shell()
        self.see(at_shell=True)
        self._worker.keys("")

    def on_terminal_left(self) -> None:
        self._main.close_shell()
        self.see(at_shell=False)

    def on_terminal_typed(self, message: Terminal.Typed) -> None:
        self._worker.keys(message.data)

    def on_terminal_resized(self, message: Terminal.Resized) -> None:
        self._worker.resize(message.columns, message.rows)

    def on_terminal_pasted(self, message: Terminal.Pasted) -> None:
        text, terminal = message.text, self._main.terminal
        self.push_screen(paste(text, message.whole), lambda yes: terminal.paste(text) if yes else None)

    def do_stop(self) -> None:
        """Stop the step that runs."""
        self._stage.stop()
        self.see(notice="The step is being stopped.")

    def do_theme(self) -> None:
        """Take the next theme."""
        theme = THEMES[(THEMES.index(self._appearance.theme) + 1) % len(THEMES)]
        self.dress(replace(self._appearance, theme=theme))
        try:
            self._keep_choice(theme=theme)
        except LabError as error:
            self.see(notice=str(error))

    def do_help(self) -> None:
        """Show every key."""
        self.push_screen(Help("Keys", lambda room: tuple(talk_keys.help_lines(room))))

    def do_quit(self) -> None:
        """End the talk, at the second press: one that is pressed by mistake must not end it."""
        now = self._clock()
        if now - self._quit_at <= TWICE:
            self._measure()
            self._worker.leave()
            self.exit(0)
        self._quit_at = now
        self.see(notice=_ONCE_MORE)

    def on_unmount(self) -> None:
        self._worker.leave()

    @property
    def at_work(self) -> bool:
        """Whether any work that the app started is still running."""
        return self._worker.at_work

    def _publish_board(self) -> None:
        s, board = self.state, self._board
        state = (s.world, s.place, s.phase, s.black, s.status.live)
        if board is not None and board.heard and state != self._boarded:
            self._boarded = state
            board.publish(board_view(s, self._commands))

    def _publish(self) -> None:
        if self._hub is not None:
            self._hub.publish(notes_view(self.state))
