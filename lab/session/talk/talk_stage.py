"""A talk on a cluster, with the recording of each step to go on with when the cluster does not do it in time."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from lab.checks.managers import ManagersAnswer
from lab.errors import Cancelled, InputError, LabError
from lab.lesson.talk import Slide, Talk

if TYPE_CHECKING:
    from lab.lesson.model import Lesson
    from lab.world.journal import Journal

SLACK = 1.5
"""A step is late when it has run this many times as long as was forecast, and `GRACE` seconds more."""
GRACE = 10.0
SILENCE = 15.0
"""Seconds without an answer of any manager after which a step is given up with `auto`, unless it is about silence."""
LOOK = 0.1
"""Seconds between two looks at whether the speaker wants to go on with the recording."""


class TalkSource(Protocol):
    """The part of `lab.session.Stage` that a talk needs, of a cluster or of recordings."""

    journal: Journal
    title: str

    def open(self, lesson: str) -> Lesson:
        """See `Stage.open`."""

    def play(self, step: str) -> None:
        """See `Stage.play`."""

    def stop(self) -> None:
        """See `Stage.stop`."""

    def reset(self, step: str = "") -> str:
        """See `Stage.reset`."""

    def keys(self, data: str) -> None:
        """See `Stage.keys`."""

    def resize(self, columns: int, rows: int) -> None:
        """See `Stage.resize`."""

    def show(self, view: str) -> None:
        """See `Stage.show`."""

    def close(self) -> None:
        """See `Stage.close`."""


@dataclass(frozen=True)
class TalkStatus:
    """How a talk stands. `live`: what is in sight comes from the cluster. `place` is the slide whose start the world in
    sight is at, None for none. `doing` says what the cluster is being prepared for, `trouble` why it cannot be used, or
    why a step failed; `overdue`: the step in progress has passed its bound."""

    live: bool = False
    place: int | None = None
    doing: str = ""
    trouble: str = ""
    overdue: bool = False


class TalkStage:
    """Plays a talk's slides, live where the cluster can, else from the recording of that very step.

    `find_live` returns the source of the cluster, and raises LabError while there is none that can be used; None: there
    is never one. With `auto` a step that fails or is late is gone on with by itself, else when `fall_back` is called.
    `seconds` forecasts how long each slide's step runs, by id. `arrive` and `play` block: call them from one worker
    thread. `changed` is called, on any thread, when `status` has changed.
    """

    def __init__(
        self,
        talk: Talk,
        recorded: TalkSource,
        find_live: Callable[[], TalkSource] | None,
        *,
        auto: bool = False,
        seconds: Mapping[str, float] | None = None,
        changed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.talk, self.auto, self.changed = talk, auto, changed
        self._recorded, self._find_live = recorded, find_live
        self._seconds, self._clock = seconds or {}, clock
        self._live: TalkSource | None = None
        self._lesson: dict[bool, str] = {}
        self._unrecorded = ""
        self._source = recorded
        self._status = TalkStatus()
        self._wants_recording = threading.Event()
        self._work: _Work | None = None
        self._view, self._size = "", (0, 0)
        self._closed = False

    @property
    def status(self) -> TalkStatus:
        """How the talk stands."""
        return self._status

    @property
    def journal(self) -> Journal:
        """The journal of what is in sight."""
        return self._source.journal

    @property
    def title(self) -> str:
        """What is in sight: the cluster, or `REPLAY` and the recording."""
        return self._source.title

    def arrive(self, place: int) -> None:
        """Have the world of a slide's start in sight: on the cluster, or else in the recording. Does nothing when it is
        there already."""
        self._wants_recording.clear()
        if self._status.live and self._status.place == place:
            return
        if not self._status.live:
            self._wind(place)
        trouble = self._go_live(place)
        if trouble is None:
            self._say(live=True, place=place, doing="", trouble="")
        else:
            self._wind(place)
            self._say(live=False, place=place, doing="", trouble=trouble)

    def play(self, place: int) -> bool:
        """Go through a slide's step: on the cluster if the world of its start is there, else the recording. Returns
        whether it passed; not, without `auto`, when it failed on the cluster: `status` says why."""
        slide = self.talk.slides[place]
        if not (self._status.live and self._status.place == place):
            return self._play_recorded(place)
        source = self._source
        work = self._begin(lambda: source.play(slide.step.id))
        if self._await(work, self.bound(slide), lambda: _is_lost(source.journal, slide)):
            passed, why = self._verdict(slide)
            if passed:
                follows = place + 1 < len(self.talk.slides) and self.talk.follows(place + 1)
                self._say(place=place + 1 if follows else None, trouble="", overdue=False)
                return True
            if not (self.auto or self._wants_recording.is_set()):
                self._say(place=place, trouble=why or str(work.error or ""), overdue=False)
                return False
        source.stop()
        return self._play_recorded(place)

    def play_recording(self, place: int) -> bool:
        """Go through a slide's step as it was recorded. Returns whether it passed."""
        return self._play_recorded(place)

    def fall_back(self) -> None:
        """Go on with the recording of the step that runs, or that is waited for. Returns at once."""
        self._wants_recording.set()

    def bound(self, slide: Slide) -> float:
        """Return after how many seconds a slide's step is late."""
        return min(slide.bound, SLACK * self._seconds.get(slide.id, slide.bound) + GRACE)

    @property
    def can_go_live(self) -> bool:
        """Whether there may ever be a cluster."""
        return self._find_live is not None

    @property
    def unused(self) -> bool:
        """Whether nothing is under way on the cluster."""
        return self._work is None or self._work.done.is_set()

    def keys(self, data: str) -> None:
        """See `Stage.keys`."""
        self._source.keys(data)

    def stop(self) -> None:
        """Ask what runs to end soon."""
        self._source.stop()

    def resize(self, columns: int, rows: int) -> None:
        """See `Stage.resize`."""
        self._size = columns, rows
        self._source.resize(columns, rows)

    def show(self, view: str) -> None:
        """See `Stage.show`."""
        self._view = view
        self._source.show(view)

    def close(self) -> None:
        """End shells and sources. The cluster stays."""
        self._closed = True
        self.fall_back()
        for source in (self._recorded, self._live):
            if source is not None:
                source.close()

    def _go_live(self, place: int) -> str | None:
        """Put the cluster to a slide's start, and have it in sight; return why that cannot be, or None."""
        if self._find_live is None:
            return ""
        if not self.unused:
            return "the cluster is still at work on the step before"
        slide = self.talk.slides[place]
        self._say(doing=f"the cluster is being put to the start of {slide.id}")
        find_live, found = self._find_live, self._live
        work = self._begin(lambda: self._prepare(slide, found or find_live()))
        if not self._await(work, math.inf):
            return "the recording was asked for"
        if work.error is not None:
            self._drop_live()  # It may be another cluster by the next time.
            return str(work.error)
        if self._live is not None:
            self._look_at(self._live)
        return None

    def _drop_live(self) -> None:
        live, self._live = self._live, None
        self._lesson.pop(True, None)
        if live is not None:
            self._begin(live.close)

    def _prepare(self, slide: Slide, live: TalkSource) -> None:
        self._live = live
        if self._lesson.get(True) != slide.lesson.id:
            live.open(slide.lesson.id)
            self._lesson[True] = slide.lesson.id
        live.reset(slide.step.id)

    def _play_recorded(self, place: int) -> bool:
        slide = self.talk.slides[place]
        self._wind(place)
        self._say(live=False, place=None, doing="", trouble="", overdue=False)
        if self._lesson.get(False) != slide.lesson.id:
            self._say(trouble=self._unrecorded)
            return False
        self._recorded.play(slide.step.id)
        passed, why = self._verdict(slide)
        self._say(trouble="" if passed else why)
        return passed

    def _wind(self, place: int) -> None:
        """Have a slide's start in sight as it was recorded, if it was."""
        slide = self.talk.slides[place]
        try:
            if self._lesson.get(False) != slide.lesson.id:
                self._recorded.open(slide.lesson.id)
                self._lesson[False] = slide.lesson.id
            self._recorded.reset(slide.step.id)
        except InputError as error:
            self._lesson.pop(False, None)
            self._unrecorded = error.sentence
        self._look_at(self._recorded)
        self._say(live=False, place=None)

    def _look_at(self, source: TalkSource) -> None:
        self._source = source
        if self._view:
            source.show(self._view)
        if self._size[0]:
            source.resize(*self._size)

    def _verdict(self, slide: Slide) -> tuple[bool, str]:
        record = self._source.journal.world.lesson.steps.get((slide.lesson.id, slide.step.id))
        return (record is not None and record.state == "passed"), record.why if record is not None else ""

    def _begin(self, act: Callable[[], object]) -> _Work:
        self._work = _Work(act)
        return self._work

    def _await(self, work: _Work, bound: float, lost: Callable[[], bool] = lambda: False) -> bool:
        """Wait for work on the cluster; return False when the recording is to go on instead. It is not waited for then:
        it may take as long as it likes to end. `lost`: it will not end in time."""
        end = self._clock() + bound
        while not work.done.wait(LOOK):
            if self._wants_recording.is_set() or self._closed:
                return False
            if self._clock() > end or lost():
                if self.auto:
                    return False
                self._say(overdue=True)
        return True

    def _say(self, **changes: object) -> None:
        before, self._status = self._status, replace(self._status, **changes)  # type: ignore[arg-type]
        if before != self._status:
            self.changed()


def _is_lost(journal: Journal, slide: Slide) -> bool:
    """Whether no manager has answered for a while, and the step is not about that."""
    world = journal.world
    if world.link.state != "stale" or journal.now() - world.linked_at < SILENCE:
        return False
    return not any(isinstance(check.condition, ManagersAnswer) for check in slide.step.checks)


class _Work:
    """A call in a thread of its own, which ends with the process: work on a cluster may be interrupted at any time."""

    def __init__(self, act: Callable[[], object]) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self._act = act
        threading.Thread(target=self._run, name="talk", daemon=True).start()

    def _run(self) -> None:
        try:
            self._act()
        except Cancelled:
            self.error = LabError("it was stopped")
        except Exception as error:  # noqa: BLE001  thread boundary: the talk goes on, with the recording
            self.error = error
        self.done.set()
