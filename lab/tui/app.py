"""The app: one UI state, keys that change it, a screen that shows it, and the work behind it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from lab.errors import LabError
from lab.panes import find_pane, other_panes
from lab.tui import keys
from lab.tui.appearance import Appearance
from lab.tui.lesson import pages
from lab.tui.main_screen import MainScreen, is_compact
from lab.tui.panes.load import load_keys
from lab.tui.stage_worker import PATIENCE, BringUp, Making, Moved, NoShell, Opened, Refused, StageWorker, trouble
from lab.tui.ui_state import UiState
from lab.tui.view_actions import ViewActions

if TYPE_CHECKING:
    from lab.lesson.standing import Attempt
    from lab.session import Stage, UndoOffer
    from lab.session.draft import Saved
    from lab.tui.widgets.terminal import Terminal

#: The shortest time between two frames, in seconds.
FRAME = 0.05


class LabApp(ViewActions):
    """The app that shows a stage. `stage` may be a callable that makes one: it is then called after the first paint,
    and `live` says which kind to expect.

    `bring_up` creates a cluster in the background and returns its stage, which is offered when it is ready; if the user
    quits first, its report raises Cancelled to end it. `reload` returns what was saved of the stage's lesson, or None;
    what it raises is shown. `keep` saves a chosen theme or motion. `clock` is the speaker's, in seconds.
    """

    CSS_PATH = "lab.tcss"
    TITLE = "swarmlab"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(k, a, show=False) for k, a in dict.fromkeys((k.keys, k.action) for k in keys.all_keys() if k.keys)),
        Binding("ctrl+c", "how_to_quit", show=False),
    ]

    def __init__(
        self,
        stage: Stage | Callable[[], Stage],
        *,
        bring_up: BringUp | None = None,
        lesson: str = "",
        live: bool = False,
        appearance: Appearance | None = None,
        keep: Callable[..., None] | None = None,
        reload: Callable[[], Saved | None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        live = live if callable(stage) else stage.live
        self.ui = UiState(live=live, reading=not live and reload is not None, making=bring_up is not None)
        self._stage, self._bring_up, self._lesson, self._reload = stage, bring_up, lesson, reload
        self._clock, self._opened = clock, clock()
        self._worker = StageWorker(self)
        self._main = MainScreen(self.ui)
        self._waiting: Stage | None = None
        self._mine: list[Stage] = []
        self._frame_at, self._frame_due, self._quitting = 0.0, False, False
        self._page: int | None = None
        self._code = 0  # exit code: not 0 while the requested stage could not be opened
        self.dress(appearance or Appearance())
        self._keep = keep
        for pane in other_panes():
            if pane.key and pane.key not in self._bindings.key_to_bindings:  # registered later than this class
                self.bind(pane.key, f"view('{pane.id}')", show=False)

    def get_default_screen(self) -> Screen[None]:
        return self._main

    @on(MainScreen.Ready)
    def _handle_ready(self) -> None:
        self.see(compact=is_compact(self.size))
        self.set_interval(1.0, self._tick)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if callable(self._stage):
            self._worker.load(self._stage)
        else:
            self._adopt(self._stage, self._lesson)
        if self._bring_up is not None:
            self._worker.make(self._bring_up)

    def see(self, **changes: Any) -> None:
        """Change the UI state and show it; tell the stage when the view changes."""
        before, self.ui = self.ui, replace(self.ui, **changes)
        if self._main.built:
            self._main.show(self.ui)
        if before.view != self.ui.view:
            self._worker.look(self.ui.view)
        if (before.lesson, before.step) != (self.ui.lesson, self.ui.step):
            self._worker.show_step(self.ui.step.id if self.ui.step is not None else "")
        if _at_shell(self.ui) and not _at_shell(before):
            self._open_shell()

    def _open_shell(self) -> None:
        """Open a shell, so that the terminal shows a prompt before any key is typed."""
        self._main.terminal.words = "A shell is being opened ..."
        self._worker.keys("")

    @on(NoShell)
    def _no_shell(self, message: NoShell) -> None:
        self._main.terminal.words = trouble("shell", message.error)

    def _tick(self) -> None:
        if self.ui.ready:
            elapsed = self._clock() - self._opened if self.ui.lesson else 0.0
            self.see(now=self._worker.now(), elapsed=elapsed)

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key) and self._main.built:
            self._main.terminal.hurry()
        await super().on_event(event)

    @on(Moved)
    def _handle_moved(self) -> None:
        if not self._frame_due:
            self._frame_due = True
            wait = self._frame_at + FRAME - time.monotonic()
            self.set_timer(wait, self._frame) if wait > 0 else self._frame()

    def _frame(self) -> None:
        self._frame_due = False
        try:
            self._take_in()
        finally:
            # Measured from the end, so that keys get their turn between a long frame and the next.
            self._frame_at = time.monotonic()

    def _take_in(self) -> None:
        batch = self._worker.take()
        if batch is None or self._worker.stage is None or not self._main.built:
            return
        if self._main.take_in(batch):
            self.post_message(Moved())
        s, progress = self.ui, batch.world.progress
        if s.busy and not s.making and s.world is not None and progress is not s.world.progress:
            self.see(progress=progress)
        moved = load_keys.follow_load(s.world, batch.world)
        self.see(world=batch.world, now=self._worker.now(), title=self._worker.stage.title, **moved)

    @on(Making)
    def _handle_making(self, message: Making) -> None:
        self.see(progress=message.progress)

    @on(Refused)
    def _handle_refused(self, message: Refused) -> None:
        world = self.ui.world
        self.see(notice=trouble("wish", message.error), trouble=True, loading=world is not None and world.load.running)

    @on(Worker.StateChanged)
    def _handle_worker(self, event: Worker.StateChanged) -> None:
        if event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        name, result, error = event.worker.name, event.worker.result, event.worker.error
        if name in ("opening", "step", "reset", "offer"):
            self.see(busy="", running="", progress=self.ui.progress if self.ui.making else None)
        elif name == "making":
            self.see(making=False)
        if error is not None:
            self.see(notice=trouble(name, error), trouble=True)
            if name == "stage":
                self._code = error.exit_code if isinstance(error, LabError) else 1
        elif name == "stage" and result is not None:
            self._mine.append(result)
            self._adopt(result, self._lesson)
            if self._reload is not None:
                self._worker.follow(self._reload)
        elif name == "opening":
            self._on_opened(result)
        elif name == "step":
            self._on_played()
        elif name == "reset":
            self._frame()
            self.see(notice=result, trouble=False)
        elif name == "board" and result is not None:
            self.show_board(result)
        elif name == "drift" and result is not None and not self.ui.busy:
            self.see(drift=result)
        elif name == "offer" and result is not None:
            self._on_undo_offered(result)
        elif name == "making" and result is not None:
            self._waiting = result
            self._mine.append(result)
            self.see(offer=result.title)
        if self._quitting and name in ("making", "step"):
            self.exit(self._code, self._code)

    def _adopt(self, stage: Stage, lesson: str) -> None:
        self._code = 0
        self._worker.adopt(stage)
        terminal = self._main.terminal
        terminal.clear()
        world = stage.journal.world
        moved = load_keys.follow_load(None, world)
        self.see(ready=True, live=stage.live, title=stage.title, world=world, lesson=None, **moved)
        self._worker.resize(max(20, terminal.size.width), max(3, terminal.size.height))
        self.post_message(Moved())
        self.open_lesson(lesson)

    def _on_opened(self, opened: Opened | None) -> None:
        if opened is None:
            self.see(notice="There is no lesson here yet.", trouble=not self.ui.reading)
            return
        self._opened = self._clock()
        self._frame()
        lesson, before = opened.lesson, self.ui.view
        view = find_pane(next(iter(lesson.panes), "")).id
        there = replace(self.ui, lesson=lesson, view=view)
        there = replace(there, page=there.resume if self._page is None else min(self._page, there.count))
        # What went wrong meanwhile, such as the making of a cluster, is still to be read.
        notice = self.ui.notice if self.ui.trouble else ""
        changes = {"elapsed": 0.0, "page": there.page, "view": there.wanted_view, "notice": notice}
        self.see(lesson=lesson, lessons=opened.lessons, **changes)
        if there.wanted_view == before:
            self._worker.look(before)
        self._worker.find_drift()

    def _on_played(self) -> None:
        self._frame()
        s = self.ui
        record = s.record(s.page)
        if record is not None and record.state == "failed" and s.single and s.region != "lesson":
            self.see(notice=f"Not done: {record.why} Press 1 for the lesson.", trouble=True)

    def on_terminal_typed(self, message: Terminal.Typed) -> None:
        self._worker.keys(message.data)

    def on_terminal_resized(self, message: Terminal.Resized) -> None:
        self._worker.resize(message.columns, message.rows)

    def check_action(self, action: str, _: tuple[object, ...]) -> bool | None:
        return keys.works(self.ui, action)

    def action_go(self) -> None:
        s = self.ui
        if s.page >= s.count and s.next_lesson is not None:
            self.open_lesson(s.next_lesson.id)
        elif s.step is None or s.step_state(s.page) == "passed":
            if s.single and s.region != "lesson" and pages.has_afterwards(s):
                self.action_region("lesson")  # what the step says now that it has passed was not seen yet
            else:
                self.turn_to(s.page + 1)
        elif s.asks:
            from lab.tui import dialogs  # not needed for the first paint

            self.push_screen(dialogs.ask(s), self._take_answer)
        else:
            self._play(s.step.id)

    def _take_answer(self, answer: str | None) -> None:
        s = self.ui
        if answer is not None and s.step is not None and s.question is not None and keys.works(s, "go"):
            if s.question.choices:
                answer = dict(enumerate(s.question.choices)).get(int(answer))  # It may be another by now.
            if answer is None or s.step_state(s.page) == "passed":
                return
            self._play(s.step.id, (s.question.name, answer))

    def _play(self, step: str, said: tuple[str, str] | None = None) -> None:
        s = self.ui
        self.see(busy="step", running=step, notice="", drift="")
        if s.compact and s.region == "lesson":
            self.action_region("terminal" if s.step is not None and s.step.act is None else "cluster")
        self._worker.play(step, said)

    def turn_to(self, page: int) -> None:
        """Show a page; -1 is the opening page."""
        there = replace(self.ui, page=max(-1, min(page, self.ui.count)))
        self.see(page=there.page, view=there.wanted_view, notice="", hints=(), solution_asked=False)
        if self.ui.compact:
            self.action_region("lesson")

    def action_turn(self, by: int) -> None:
        self.turn_to(self.ui.page + by)

    def action_stop(self) -> None:
        self._worker.stop()
        self.see(notice="The step is being stopped.", trouble=False)

    def action_load(self, how: str) -> None:
        before = self.ui
        self.see(**load_keys.change_rate(before, how))
        if load_keys.requested_rate(self.ui) != load_keys.requested_rate(before):
            self._worker.drive(load_keys.requested_rate(self.ui))

    def open_lesson(self, lesson: str, page: int | None = None) -> None:
        """Open a lesson; "" opens the first one. `page`: see `UiState.page`; None is where it goes on."""
        self._page = page
        self.see(busy="opening", notice="", drift="")
        self._worker.open(lesson)

    def dare(self, attempt: Attempt) -> None:
        """Ask whether a challenge is to begin, and begin it."""
        from lab.tui import dialogs  # not needed for the first paint

        def begin(how: str | None) -> None:
            if how == "go on":
                self.open_lesson(attempt.lesson.id)
            elif how is not None and keys.works(self.ui, "lessons"):
                self._page = None
                self.see(busy="reset", notice="The lab breaks something, out of sight ...", trouble=False, drift="")
                self._worker.begin(attempt.challenge, new=how == "new")

        self.push_screen(dialogs.challenge(self.ui, attempt), begin)

    def action_reset(self) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        self.push_screen(dialogs.reset(self.ui), self._reset)

    def _reset(self, step: str | None) -> None:
        if step is not None:
            if not step:
                self.turn_to(-1)
            self.see(busy="reset", notice="Back to the start ...", trouble=False, drift="")
            self._worker.reset(step)

    def action_undo(self) -> None:
        self.see(busy="reset", notice="", trouble=False)  # an Enter that comes too early must not run the step
        self._worker.offer_undo()

    def _on_undo_offered(self, offer: UndoOffer) -> None:
        from lab.tui import dialogs  # not needed for the first paint

        self.push_screen(dialogs.undo(offer), lambda step: self._undo(offer) if step else None)

    def _undo(self, offer: UndoOffer) -> None:
        if keys.works(self.ui, "undo"):
            places = {step.id: place for place, step in enumerate(self.ui.lesson.steps)} if self.ui.lesson else {}
            self.turn_to(places.get(offer.step, -1))
            self.see(busy="reset", notice="Going back ...", trouble=False, drift="")
            if offer.resets:
                self._worker.reset(offer.step)
            else:
                self._worker.undo()

    def action_go_live(self) -> None:
        stage, self._waiting = self._waiting, None
        lesson = self.ui.lesson
        if stage is not None:
            self._worker.stop()
            self.see(offer="")
            self._adopt(stage, lesson.id if lesson else "")

    def on_unmount(self) -> None:
        self._worker.leave()

    @property
    def at_work(self) -> bool:
        """Whether any work that the app started is still running."""
        return self._worker.at_work

    def close_stages(self) -> None:
        """Close the stages that the app made or received, after the app has ended."""
        self._worker.join()
        for stage in self._mine:
            stage.close()

    async def action_quit(self) -> None:
        self._worker.leave()
        if self._quitting or not (self.ui.making or self.ui.busy == "step"):
            self.exit(self._code, self._code)
        self._quitting = True
        self.set_timer(PATIENCE, lambda: self.exit(self._code, self._code))
        self.see(notice="Ending what is under way; press q again to quit at once.", trouble=False)


def _at_shell(s: UiState) -> bool:
    """Whether the user is at the terminal of a live stage."""
    return s.ready and s.live and (s.typing or s.region == "terminal")
