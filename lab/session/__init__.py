"""What the command line and the app both drive: a journal, a lesson, and a stage that advances it.

A `Stage` is live (a cluster) or a replay (a tape); which one is decided once, when it is created.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # The app's first paint waits for this module: it must not wait for pydantic.
    from lab.lesson.model import Lesson
    from lab.lesson.standing import Attempt, Standing
    from lab.world.journal import Journal


@dataclass(frozen=True)
class UndoOffer:
    """What can be taken back: `sentence` says what, without a full stop; the step `step` is next then. `resets`: no
    snapshot reaches back that far, and a reset to the start of the step is what can be done."""

    sentence: str
    step: str
    resets: bool = False


class Stage(Protocol):
    """Where a lesson runs. Methods that do work block: call them from a worker thread. Everything that happens is
    written to the journal."""

    journal: Journal
    live: bool
    title: str
    """For the header: `default · 4 nodes · vm (tcg)`, or `REPLAY · reconciliation · recorded 2026-11-22`."""

    def lessons(self) -> tuple[Lesson, ...]:
        """Return the lessons that can be taken here, in the syllabus's order."""

    def open(self, lesson: str) -> Lesson:
        """Begin a lesson (writes LessonOpened). Live, steps passed before are not required again; a replay starts its
        tape of the lesson from the beginning. Raises InputError for a lesson that is not available here."""

    def standings(self) -> Mapping[str, Standing]:
        """Return where one is in each of the lessons, by id."""

    def challenges(self) -> tuple[Attempt, ...]:
        """Return how the challenges stand that can be begun here; on a replay none can."""

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:
        """Put the cluster to the start of a challenge, break it out of sight, and open it; with `new` by other values
        than the learner has. Raises InputError for a challenge that is not available here, and what `reset` does."""

    def find_drift(self) -> str:
        """Return in a sentence how the cluster is not as the open lesson's next step needs it, or that it is another
        one than that on which the steps were passed; "" when all is well, when no manager answers, and on a replay.
        Looks at the cluster, which may take seconds."""

    def take_hint(self, step: str, hint: str) -> None:
        """Record that a hint of a step, by its id, was told (writes HintTaken)."""

    def play(self, step: str) -> None:
        """Go through one step: begin it, type its command, await its checks, pass or fail it. A replay plays the tape
        to the end of the step, at its speed. A LabError of the step becomes a failed step with its words. Raises
        InputError when no lesson is open or it has no such step."""

    def show_step(self, step: str) -> None:
        """Watch the step whose page is shown ("": none, or the opening or last page): it passes by itself, whatever
        brings the state that it asks for. A replay ignores it."""

    def stop(self) -> None:
        """Ask the running step to end soon. Returns at once."""

    def reset(self, step: str = "") -> str:
        """Reset the cluster to the start of the open lesson (or of `step`), and return a sentence about it. A replay
        rewinds to that point."""

    def offer_undo(self) -> UndoOffer:
        """Return what `undo` would do, or the reset that takes its place. Raises InputError when there is nothing to
        take back."""

    def undo(self) -> str:
        """Take back the last step, or what was changed by hand since it: put the cluster to what it was before that,
        and return a sentence about it. A replay winds back. Raises InputError when nothing reaches back that far."""

    def keys(self, data: str) -> None:
        """Send what the user typed in the terminal to the shell; an empty text only ensures that there is one. Blocks
        until the shell shows its first prompt. Raises EngineError when there is no manager to open it on. A replay
        ignores it."""

    def type_command(self, text: str) -> None:
        """Type a command of the user's into the shell on a manager, and wait for its end. Raises InputError for one
        that is not complete, EngineError when no manager answers, WaitError after an hour. A replay raises
        InputError."""

    def answer(self, name: str, value: str) -> None:
        """Set the user's answer to a step's question, before the step is played. A replay has the recorded number,
        and takes only a choice, which is never recorded."""

    def load(self, rate: float | None) -> None:
        """Generate load, at `rate` requests a second; None ends it. A replay ignores it."""

    def show(self, view: str) -> None:
        """Set the visible view: what it needs is watched from now on. A replay ignores it."""

    def resize(self, columns: int, rows: int) -> None:
        """Set the terminal pane's size, for the shell's pty."""

    def close(self) -> None:
        """End shells and sources. The cluster stays."""
