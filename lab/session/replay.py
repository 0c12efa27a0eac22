"""A replay as a stage: the tapes that ship with the program, or one that was given. It makes no live calls."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

from lab.errors import InputError, LabError
from lab.lesson.course import load_course
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt, Standing
from lab.session import UndoOffer
from lab.tape.find import tapes
from lab.tape.player import Player
from lab.tape.tape import Tape, load
from lab.world.entries import Captured, HintTaken, StepMoved
from lab.world.journal import Journal


class ReplayStage:
    """`lab.session.Stage` on tapes: a step plays on request, at `speed` (None: without waiting). `lesson` is the
    recording's, if it is not in the course."""

    live = False

    def __init__(
        self,
        recording: Path | None = None,
        *,
        speed: float | None = 1.0,
        journal: Journal | None = None,
        lesson: Lesson | None = None,
    ) -> None:
        self._given = load(recording) if recording else None
        self._tapes = {self._given.header.lesson: recording} if self._given and recording else tapes()
        self.speed = speed
        self.journal = journal or Journal(clock=lambda: 0.0)
        self._player: Player | None = None
        self._answers: dict[str, str] = {}
        self._busy = threading.Lock()
        self.title = "REPLAY"
        course = load_course() if lesson is None else (lesson,)
        self._lessons = tuple(each for each in course if each.id in self._tapes)

    def lessons(self) -> tuple[Lesson, ...]:
        """See `Stage.lessons`: those that have a tape."""
        return self._lessons

    def open(self, lesson: str) -> Lesson:
        """See `Stage.open`."""
        found = next((each for each in self._lessons if each.id == lesson), None)
        if found is None:
            raise InputError(f"there is no recording of the lesson {lesson}")
        self.stop()
        with self._busy:
            tape, self._answers = self._tape(lesson), {}
            self._player = Player(tape, self.journal, speed=self.speed)
            self.title = tape_title(tape)
            self._player.rewind()
        return found

    def standings(self) -> Mapping[str, Standing]:
        """See `Stage.standings`: what was played of the open lesson. Winding a recording back takes no time."""
        played = self.journal.world.lesson
        open_one = self._player.tape.header.lesson if self._player is not None else ""
        passed = frozenset(step for (_, step), each in played.steps.items() if each.state == "passed")
        return {
            each.id: Standing(passed, passed, sum(map(len, played.hints.values())), last=True, instant=True)
            if each.id == open_one
            else Standing(instant=True)
            for each in self._lessons
        }

    def challenges(self) -> tuple[Attempt, ...]:
        """Return none: nothing can be broken here."""
        return ()

    def begin(self, challenge: str, *, new: bool = False) -> Lesson:  # noqa: ARG002
        """Raise InputError."""
        raise InputError(f"the challenge {challenge} needs a cluster", remedy=f"swarmlab challenge {challenge}")

    def find_drift(self) -> str:
        """Return nothing: a recording is always where it was left."""
        return ""

    def take_hint(self, step: str, hint: str) -> None:
        """See `Stage.take_hint`."""
        self.journal.write(HintTaken(self._need_player().tape.header.lesson, step, hint))

    def play(self, step: str) -> None:
        """See `Stage.play`."""
        player = self._need_player()
        with self._busy:
            try:
                if self._answers:
                    player.wind(step)
                    for name, value in self._answers.items():
                        self.journal.write(Captured(name, value))
                player.play_step(step)
            except LabError as error:
                self.journal.write(StepMoved(player.tape.header.lesson, step, "failed", str(error)))

    def show_step(self, step: str) -> None:
        """Do nothing: a replay passes a step as it was recorded."""

    def stop(self) -> None:
        """See `Stage.stop`."""
        if self._player is not None:
            self._player.stop()

    def reset(self, step: str = "") -> str:
        """See `Stage.reset`."""
        player = self._need_player()
        self.stop()
        with self._busy:
            player.wind(step) if step else player.rewind()
        return f"The recording is wound back to {'step ' + step if step else 'its beginning'}."

    def offer_undo(self) -> UndoOffer:
        """See `Stage.offer_undo`."""
        player = self._need_player()
        steps = self.journal.world.lesson.steps
        begun = [step for step in player.steps if (player.tape.header.lesson, step) in steps]
        if not begun:
            raise InputError("no step has been played: there is nothing to take back")
        return UndoOffer(f"to the recording before the step {begun[-1]}", begun[-1])

    def undo(self) -> str:
        """See `Stage.undo`."""
        return self.reset(self.offer_undo().step)

    def keys(self, data: str) -> None:
        """Do nothing: a replay has no shell."""

    def type_command(self, text: str) -> None:  # noqa: ARG002
        """See `Stage.type_command`."""
        raise InputError("a recording has no shell", remedy="swarmlab up makes a cluster that has one")

    def answer(self, name: str, value: str) -> None:
        """See `Stage.answer`: written when the step is played, which may wind the recording back first."""
        self._answers[name] = value

    def load(self, rate: float | None) -> None:
        """Do nothing: a replay has the recorded load."""

    def show(self, view: str) -> None:
        """Do nothing: a replay has what was watched when it was recorded."""

    def resize(self, columns: int, rows: int) -> None:
        """Do nothing: a replay has the recorded size."""

    def close(self) -> None:
        """See `Stage.close`."""
        self.stop()

    def _tape(self, lesson: str) -> Tape:
        return self._given if self._given is not None else load(self._tapes[lesson])

    def _need_player(self) -> Player:
        if self._player is None:
            raise InputError("no lesson is open")
        return self._player


def tape_title(tape: Tape) -> str:
    """Return the title of a replay: `REPLAY · reconciliation · recorded 2026-11-22`."""
    return f"REPLAY · {tape.header.lesson} · recorded {tape.header.recorded:%Y-%m-%d}"
