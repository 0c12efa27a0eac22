"""The state of the stage, as one value: every line on it and every key is a function of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lab.panes import CLUSTER, find_pane
from lab.session.talk.forecast import Forecast, Omission, SlideTime, forecast, suggest_omission
from lab.session.talk.talk_stage import TalkStatus
from lab.tui.ui_state import UiState

if TYPE_CHECKING:
    from lab.lesson.talk import Slide, Talk
    from lab.world.lesson_state import Step
    from lab.world.world import World

Phase = Literal["read", "typing", "typed", "running", "passed", "failed"]
"""What is shown of a slide: its text; its command as it is typed, and whole; the step as it runs; and its end."""


@dataclass(frozen=True)
class TalkState:
    """The state of the stage. `place` is the slide. `typed` counts the characters of the command that are shown.
    `now` is the journal's time, `gone` the seconds since the talk began, and `here` those on this slide. `slot` is in
    seconds, `left_out` holds places. `wants`: the step is to run as soon as the cluster is at its start. `at_shell`:
    the keys go to a real shell. `notice` is a message to the speaker."""

    talk: Talk
    times: tuple[SlideTime, ...]
    slot: float
    place: int = 0
    phase: Phase = "read"
    typed: int = 0
    status: TalkStatus = TalkStatus()
    title: str = ""
    world: World | None = None
    now: float = 0.0
    gone: float = 0.0
    here: float = 0.0
    left_out: frozenset[int] = frozenset()
    wants: bool = False
    auto: bool = False
    at_shell: bool = False
    black: bool = False
    notice: str = ""

    @property
    def slide(self) -> Slide:
        """The slide in sight."""
        return self.talk.slides[self.place]

    @property
    def next(self) -> int | None:
        """The place of the next slide that is not left out, None on the last one."""
        return next((at for at in range(self.place + 1, len(self.times)) if at not in self.left_out), None)

    @property
    def before(self) -> int | None:
        """The place of the slide before that is not left out, None on the first one."""
        return next((at for at in range(self.place - 1, -1, -1) if at not in self.left_out), None)

    @property
    def busy(self) -> bool:
        """Whether a step runs, or waits to run."""
        return self.phase == "running" or self.wants

    @property
    def view(self) -> str:
        """The id of the pane that matters here: the step's, or its lesson's first."""
        step, lesson = self.slide.step, self.slide.lesson
        return find_pane(step.pane or next(iter(lesson.panes), CLUSTER)).id

    @property
    def ui(self) -> UiState:
        """The same as the lab's panes need it."""
        lesson, step = self.slide.lesson, self.slide.step
        page = next(at for at, each in enumerate(lesson.steps) if each.id == step.id)
        busy = self.phase == "running"
        return UiState(
            ready=True,
            live=self.status.live,
            title=self.title,
            lesson=lesson,
            page=page,
            world=self.world,
            now=self.now,
            busy="step" if busy else "",
            running=step.id if busy else "",
            view=self.view,
        )

    @property
    def record(self) -> Step | None:
        """How the slide's step went."""
        if self.world is None:
            return None
        return self.world.lesson.steps.get((self.slide.lesson.id, self.slide.step.id))

    @property
    def forecast(self) -> Forecast:
        """When the talk will end, as it is now."""
        return forecast(self.times, self.place, gone=self.gone, here=self.here, slot=self.slot, left_out=self.left_out)

    @property
    def omission(self) -> Omission | None:
        """What could be left out so that the talk ends in its slot."""
        return suggest_omission(self.times, self.place, self.forecast, left_out=self.left_out)
