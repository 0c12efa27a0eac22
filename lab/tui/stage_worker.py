"""The stage's side of the app: its work in worker threads, its journal's news, its results as messages."""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from textual.message import Message

from lab.errors import Cancelled, InputError, LabError
from lab.tui.journal_feed import Batch, JournalFeed

if TYPE_CHECKING:
    from textual.app import App
    from textual.worker import Worker

    from lab.cluster.model import Progress, Report
    from lab.lesson.model import Lesson
    from lab.lesson.standing import Attempt, Standing
    from lab.session import Stage
    from lab.session.draft import Saved

#: Seconds that running work has to end after the user quits.
PATIENCE = 1.5
#: Seconds between two looks at a lesson's file.
LOOK = 0.3

Standings = tuple["tuple[Lesson, ...]", "Mapping[str, Standing]", "tuple[Attempt, ...]"]
Work = Literal["stage", "opening", "step", "reset", "offer", "making", "board", "drift"]
BringUp = Callable[["Report"], object]
Reload = Callable[[], "Saved | None"]
"""Returns the lesson when its file was saved: at once if it has to wait, and when the stage has it."""


class Moved(Message):
    """The journal has news."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Moved)


class Making(Message):
    """Progress in creating a cluster."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        super().__init__()

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Making)


class Refused(Message):
    """A request to the stage failed."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__()


class Reloaded(Message):
    """The lesson's file was saved, and this is what it says now."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        super().__init__()


class Waiting(Message):
    """The lesson's file was saved, and is shown once the stage has ended what it does."""


class Unreadable(Message):
    """The lesson's file was saved, and cannot be shown."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        super().__init__()


class NoShell(Message):
    """The typed keys reached no shell."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__()


_TROUBLE = {
    "shell": "There is no shell",
    "wish": "That could not be done",
    "stage": "The lab could not open",
    "opening": "The lesson could not be opened",
    "step": "The step was interrupted",
    "reset": "The reset failed",
    "offer": "Nothing is taken back",
    "making": "No cluster could be made; the recordings stay",
    "board": "The lessons could not be listed",
    "drift": "The cluster could not be compared with the lesson",
    "reload": "The lesson could not be loaded again",
}


def trouble(work: str, error: BaseException) -> str:
    """Return a sentence on what went wrong with some work, and what to do next where that is known."""
    said = str(error) if isinstance(error, LabError) else f"{type(error).__name__}: {error}"
    return f"{_TROUBLE.get(work, work)}: {said}"


@dataclass(frozen=True)
class Opened:
    """The lesson that was opened, and all lessons that can be."""

    lesson: Lesson
    lessons: tuple[Lesson, ...]


class StageWorker:
    """Holds the stage. Every method but `join` returns at once; a worker named after its `Work` does what blocks."""

    def __init__(self, app: App[int]) -> None:
        self._app = app
        self.stage: Stage | None = None
        self._feed: JournalFeed | None = None
        # A shell that ended has left its last output on the screen; a shell that never started, or a request that
        # failed, must be reported.
        self._typed = Turns("keyboard", lambda error: app.post_message(NoShell(error)))
        self._wishes = Turns("wishes", lambda error: app.post_message(Refused(error)))
        self._threads: list[threading.Thread] = []
        self._leaving, self._until = False, 0.0

    def adopt(self, stage: Stage) -> None:
        """Use this stage from now on."""
        self.stage = stage
        self._listen(stage)

    def load(self, make: Callable[[], Stage]) -> None:
        """Make the stage, which is the worker's result."""
        self._work("stage", make)

    def make(self, bring_up: BringUp) -> None:
        """Create a cluster; the worker's result is its stage, or None if the user quits meanwhile."""
        told: Progress | None = None

        def report(progress: Progress) -> None:
            nonlocal told
            if self._leaving:
                raise Cancelled
            if progress != told:
                told = progress
                self._app.post_message(Making(progress))

        self._work("making", lambda: bring_up(report))

    def open(self, lesson: str) -> None:
        """Open a lesson, or the first one for ""; the worker's result is `Opened`."""
        self._stop_comparing()
        self._work("opening", partial(_open, self.stage, lesson))

    def begin(self, challenge: str, *, new: bool) -> None:
        """Begin a challenge, with `new` by other values; the worker's result is `Opened`."""
        self._stop_comparing()
        if self.stage is not None:
            self._work("opening", partial(_begin, self.stage, challenge, new=new))

    def play(self, step: str, said: tuple[str, str] | None = None) -> None:
        """Run a step. `said` is a question's name and its answer, which the stage gets first."""
        self._stop_comparing()
        if self.stage is not None:
            self._work("step", partial(_play, self.stage, step, said))

    def reset(self, step: str) -> None:
        """Reset to a step, or to the lesson's start for ""; the worker's result is a sentence."""
        self._stop_comparing()
        if self.stage is not None:
            self._work("reset", partial(self.stage.reset, step))

    def offer_undo(self) -> None:
        """Find out what can be taken back; the worker's result is an `UndoOffer`."""
        if self.stage is not None:
            self._work("offer", self.stage.offer_undo)

    def undo(self) -> None:
        """Take that back; the worker's result is a sentence."""
        self._stop_comparing()
        if self.stage is not None:
            self._work("reset", self.stage.undo)

    def stop(self) -> None:
        """Ask the running step to end."""
        if self.stage is not None:
            self.stage.stop()

    def leave(self) -> None:
        """Ask all running work to end: a step now, the creation of a cluster at its next report."""
        if not self._leaving:
            self._leaving, self._until = True, time.monotonic() + PATIENCE
        self.stop()
        self._typed.put(None)
        self._wishes.put(None)

    def join(self) -> None:
        """Wait for running work to end, until PATIENCE seconds after `leave` at most. Work that takes longer ends with
        the process: it is designed to be interrupted at any time."""
        for thread in self._threads:
            thread.join(max(0.0, self._until - time.monotonic()))

    @property
    def at_work(self) -> bool:
        """Whether any work is running."""
        return any(thread.is_alive() for thread in self._threads)

    def keys(self, data: str) -> None:
        """Send bytes to the shell, in order; a shell that does not read delays nothing else. Empty `data` only ensures
        that there is a shell."""
        if self.stage is not None:
            self._typed.put(partial(self.stage.keys, data))

    def resize(self, columns: int, rows: int) -> None:
        """Tell the stage the terminal's size."""
        if self.stage is not None:
            self._typed.put(partial(self.stage.resize, columns, rows))

    def look(self, view: str) -> None:
        """Tell the stage which view is shown."""
        if self.stage is not None:
            self._wishes.put(partial(self.stage.show, view))

    def show_step(self, step: str) -> None:
        """Tell the stage which step's page is shown, "" for none."""
        if self.stage is not None:
            self._wishes.put(partial(self.stage.show_step, step))

    def follow(self, reload: Reload) -> None:
        """Call `reload` until the app ends, and post what it returns or raises."""
        threading.Thread(target=self._follow, args=(reload,), name="reload", daemon=True).start()

    def _follow(self, reload: Reload) -> None:
        while not self._leaving:
            try:
                if (saved := reload()) is not None:
                    self._app.post_message(Waiting() if saved.waits else Reloaded(saved.lesson))
            except InputError as error:
                self._app.post_message(Unreadable(tuple(error.sentence.splitlines())))
            except Exception as error:  # noqa: BLE001  thread boundary: the next version may be good
                self._app.post_message(Unreadable((trouble("reload", error),)))
            time.sleep(LOOK)

    def take_hint(self, step: str, hint: str) -> None:
        """Record that a hint of a step was told."""
        if self.stage is not None:
            self._wishes.put(partial(self.stage.take_hint, step, hint))

    def find_standings(self) -> None:
        """Find out where one is in the lessons; the worker's result is the lessons, their standings, by id, and how the
        challenges stand."""
        if self.stage is not None:
            self._work("board", partial(_find_standings, self.stage))

    def find_drift(self) -> None:
        """Find out whether the cluster is as the open lesson needs it; the worker's result is a sentence
        or nothing."""
        if self.stage is not None:
            self._work("drift", self.stage.find_drift)

    def _stop_comparing(self) -> None:
        """Have no `find_drift` report any more: the cluster is about to change."""
        self._app.workers.cancel_group(self._app, "drift")

    def drive(self, rate: float | None) -> None:
        """Make load of `rate` requests a second; None ends it."""
        if self.stage is not None:
            self._wishes.put(partial(self.stage.load, rate))

    def take(self) -> Batch | None:
        """Return what is new, or None without a stage. If the stage has another journal by now, all of it is new."""
        if self.stage is None or self._feed is None:
            return None
        if self.stage.journal is not self._feed.journal:
            self._listen(self.stage)
        return self._feed.take()

    def now(self) -> float:
        """Return the journal's time."""
        return self.stage.journal.now() if self.stage else 0.0

    def _listen(self, stage: Stage) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = JournalFeed(stage.journal, self._wake)

    def _wake(self) -> None:
        self._app.post_message(Moved())

    def _work(self, name: Work, work: Callable[[], object]) -> Worker[object]:
        threads = self._threads = [thread for thread in self._threads if thread.is_alive()]
        awaited = partial(run_apart, name, work, threads)
        return self._app.run_worker(awaited, name=name, group=name, exclusive=True, exit_on_error=False)


async def run_apart(name: str, work: Callable[[], object], threads: list[threading.Thread]) -> object:
    """Await blocking work. Its thread is a daemon, since the executor of an event loop and the interpreter both wait at
    exit for their threads, however long those take. Cancelled work has no result."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[object] = loop.create_future()

    def end(result: object, error: Exception | None) -> None:
        if not done.done():
            done.set_exception(error) if error else done.set_result(result)

    def run() -> None:
        result, failed = None, None
        try:
            result = work()
        except Cancelled:
            pass
        except Exception as error:  # noqa: BLE001  passed on to the awaiter
            failed = error
        try:
            loop.call_soon_threadsafe(end, result, failed)
        except RuntimeError:
            pass  # The app and its loop are gone.

    threads.append(threading.Thread(target=run, name=name, daemon=True))
    threads[-1].start()
    return await done


class Turns:
    """Runs calls in order, one at a time, in a thread of its own; None ends it."""

    def __init__(self, name: str, failed: Callable[[Exception], object]) -> None:
        self._acts: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._failed = failed
        self.put = self._acts.put
        threading.Thread(target=self._run, name=name, daemon=True).start()

    def _run(self) -> None:
        while act := self._acts.get():
            try:
                act()
            except Exception as error:  # noqa: BLE001  thread boundary: a failed request must not stop the next
                self._failed(error)


def _play(stage: Stage, step: str, said: tuple[str, str] | None) -> None:
    if said is not None:
        stage.answer(*said)
    stage.play(step)


def _find_standings(stage: Stage) -> Standings:
    return stage.lessons(), stage.standings(), stage.challenges()


def _begin(stage: Stage, challenge: str, *, new: bool) -> Opened:
    return Opened(stage.begin(challenge, new=new), stage.lessons())


def _open(stage: Stage | None, lesson: str) -> Opened | None:
    if stage is None:
        return None
    lessons = stage.lessons()
    if not lesson and not lessons:
        return None
    return Opened(stage.open(lesson or lessons[0].id), lessons)
