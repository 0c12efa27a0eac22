"""What the command line and the app both drive: a journal, a lesson, and something that makes it move.

A `Stage` is live (a cluster) or a replay (a tape); which one is chosen once, when it is made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # The app's first paint waits for this module: it must not wait for pydantic.
    from lab.lesson.model import Lesson
    from lab.world.journal import Journal


class Stage(Protocol):
    """One lesson's stage. Methods that do work block: call them from a worker thread. All that happens is in the
    journal; nothing is returned that is not there too."""

    journal: Journal
    live: bool
    title: str
    """For the header: `default · 4 nodes · vm (tcg)`, or `REPLAY · reconciliation · recorded 2026-11-22`."""

    def lessons(self) -> tuple[Lesson, ...]:
        """The lessons that can be taken here, in the syllabus's order."""

    def open(self, lesson: str) -> Lesson:
        """Begin a lesson (writes LessonOpened): live, the steps done before are not asked again; a replay starts its
        tape of that lesson from its beginning. Raises InputError for one that is not here."""

    def play(self, step: str) -> None:
        """Go through one step: begun, its command typed, its checks awaited, passed or failed. A replay plays the
        tape up to that step's end, at its speed. LabError never leaves: it becomes a failed step with its words."""

    def stop(self) -> None:
        """Ask a step under way to end soon. Returns at once."""

    def reset(self, step: str = "") -> str:
        """Put the cluster to the start of the opened lesson (or of that step); the answer is a sentence. A replay
        winds back to it."""

    def keys(self, data: str) -> None:
        """What the user typed into the terminal, to the shell; an empty text only sees that there is one. Blocks until
        the shell shows its first prompt. Raises EngineError when there is none to talk to. A replay ignores it."""

    def answer(self, name: str, value: str) -> None:
        """What the person answered to a step's question, before the step is played. A replay ignores it."""

    def load(self, rate: float | None) -> None:
        """Make load, at so many requests a second; None ends it. A replay ignores it."""

    def show(self, view: str) -> None:
        """The view in sight: what it needs is looked at from now on. A replay ignores it."""

    def resize(self, columns: int, rows: int) -> None:
        """The terminal pane's size, for the shell's pty."""

    def close(self) -> None:
        """End shells and sources. The cluster stays."""
