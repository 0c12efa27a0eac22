"""The talk's side of its app: what blocks runs in threads, and its results come back as messages."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from textual.message import Message

from lab.tui.journal_feed import Batch, JournalFeed
from lab.tui.stage_worker import Turns

if TYPE_CHECKING:
    from textual.app import App

    from lab.session.talk.talk_stage import TalkStage


class News(Message):
    """The journal has news."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, News)


class Changed(Message):
    """The talk's status has changed."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Changed)


class Arrived(Message):
    """The world of a slide's start is in sight, or its recording."""

    def __init__(self, place: int) -> None:
        self.place = place
        super().__init__()


class Played(Message):
    """A slide's step has ended."""

    def __init__(self, place: int, passed: bool) -> None:
        self.place, self.passed = place, passed
        super().__init__()


class Asked(Message):
    """Another terminal pressed a key."""

    def __init__(self, action: str) -> None:
        self.action = action
        super().__init__()


class Failed(Message):
    """What was asked of the talk could not be done."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        super().__init__()


class TalkWorker:
    """Holds the talk's stage. Every method returns at once."""

    def __init__(self, app: App[int], stage: TalkStage) -> None:
        self._app, self.stage = app, stage
        stage.changed = lambda: self.post(Changed())
        self._turns = Turns("talk", self._post_failure)
        self._typed = Turns("keyboard", self._post_failure)
        self._wishes = Turns("wishes", self._post_failure)
        self._feed = JournalFeed(stage.journal, lambda: self.post(News()))
        self._left = False

    def post(self, message: Message) -> None:
        """Post a message to the app, from any thread."""
        if not self._left:
            self._app.post_message(message)

    def arrive(self, place: int) -> None:
        """Have a slide's start in sight; ends with `Arrived`."""
        self._turns.put(partial(self._arrive, place))

    def play(self, place: int) -> None:
        """Go through a slide's step; ends with `Played`."""
        self._turns.put(partial(self._play, self.stage.play, place))

    def play_recording(self, place: int) -> None:
        """Go through a slide's step as it was recorded; ends with `Played`."""
        self._turns.put(partial(self._play, self.stage.play_recording, place))

    def keys(self, data: str) -> None:
        """Send bytes to the shell, in order."""
        self._typed.put(partial(self.stage.keys, data))

    def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal's size."""
        self._typed.put(partial(self.stage.resize, columns, rows))

    def look(self, view: str) -> None:
        """Tell which pane is in sight."""
        self._wishes.put(partial(self.stage.show, view))

    def take(self) -> Batch:
        """Return what is new. If another journal is in sight by now, all of it is new."""
        if self.stage.journal is not self._feed.journal:
            self._feed.close()
            self._feed = JournalFeed(self.stage.journal, lambda: self.post(News()))
            batch = self._feed.take()
            return Batch(batch.world, None, batch.printed, batch.node, anew=True)
        return self._feed.take()

    def leave(self) -> None:
        """Ask all work to end."""
        if not self._left:
            self._left = True
            self.stage.fall_back()
            self.stage.stop()
            for turns in (self._turns, self._typed, self._wishes):
                turns.put(None)

    @property
    def at_work(self) -> bool:
        """Whether something still runs on the cluster."""
        return not self.stage.unused

    def _arrive(self, place: int) -> None:
        self.stage.arrive(place)
        self.post(Arrived(place))

    def _play(self, play: Callable[[int], bool], place: int) -> None:
        self.post(Played(place, play(place)))

    def _post_failure(self, error: Exception) -> None:
        self.post(Failed(error))
