"""A step that is open: its page is shown, and whatever brings the state that it asks for counts.

Nothing is typed here. Checks are evaluated again and again; one on output takes any command's that was typed since the
page was opened, one on an exit status that of a command with the same verb as the step's own.
"""

from __future__ import annotations

from lab.errors import LabError
from lab.lesson.model import Lesson, Step
from lab.run import capture
from lab.run.driver import StepDriver
from lab.run.results import StepResult
from lab.run.runner import StepRun
from lab.world.world import Command, World


class OpenStep(StepRun):
    """A step that waits for its learner. `was_so`: its checks held when it was opened, or again before any was false,
    so that there is nothing to notice."""

    was_so = False
    _asked = 0.0

    def open(self, since: World) -> None:
        """Take the baseline, which is the world when the page came into sight, and evaluate every check once. Writes
        the values that the step captures, and what was found. Raises LabError when a value of an earlier step is
        missing or no manager answers."""
        journal = self.driver.journal
        self.began = journal.now()
        self.values = {**journal.world.lesson.captured, **dict.fromkeys(self.step.capture, "")}
        self._need_values()
        self.driver.look()
        self._refresh(self.asks)
        known = journal.world.lesson.captured
        found = capture.known_values(self.step, journal.world)
        self._capture({name: value for name, value in found.items() if known.get(name) != value})
        self._need_values()
        # Before the first look nothing was known, and everything would seem to have happened since.
        self._begin(since if since.swarm.nodes else journal.world)
        self._asked = journal.now()
        # What was typed while this was opened may have brought it about.
        self.was_so = all(check.now.ok for check in self.checks) and not self._typed()

    def look(self, pause: float) -> bool:
        """Evaluate the checks again; return whether the step is done. Requests are sent only when nothing else is
        missing, and not within `pause` seconds of the last ones."""
        missing = [check for check in self.checks if not check.now.ok]
        wanting = all(c.check.condition.request is not None or c.check.condition.of_command for c in missing)
        due = self.driver.journal.now() - self._asked >= pause
        if missing and wanting and due and any(c.check.condition.request is not None for c in missing):
            self._ask([check.check for check in self.checks])
            self._asked = self.driver.journal.now()
        self._look_again()
        if any(c.check.condition.is_lost(self.driver.journal.world, self.baseline) for c in self.checks):
            self._begin(self.driver.journal.world)  # What was counted while the page was read must not spoil the step.
        done = all(check.now.ok for check in self.checks)
        if done and self._asked < max((c.at for c in self._typed()), default=0.0) and self._requests():
            self._ask([check.check for check in self.checks])  # An answer from before the command proves nothing.
            self._asked = self.driver.journal.now()
            self._look_again()
            done = all(check.now.ok for check in self.checks)
        if not done or self.was_so:
            self.was_so = self.was_so and done
            return False
        try:
            self._capture(capture.capture_from_output(self.step, "\n".join(c.output for c in reversed(self._typed()))))
        except LabError:
            return False  # A later step needs a value that nothing printed yet.
        return True

    def finish(self) -> StepResult:
        """Pass the step, and say what did it. Call this once it is done."""
        return self._end("", by=_describe(self._typed()), otherwise=self._broken())

    def has_news(self, world: World) -> bool:
        """Return whether a check would be judged otherwise in this world."""
        return self._news(world)

    def _typed(self) -> list[Command]:
        """Return the commands since the page was opened, one that still runs included (an attached `docker service
        update` ends after the state that it brings) and those that Enter typed for this step."""
        known = {command.id for command in self.baseline.since.commands}
        mine = ("", self.step.id)
        return [c for c in self.driver.journal.world.commands if c.id not in known and c.step in mine]

    def _requests(self) -> bool:
        return any(check.check.condition.request is not None for check in self.checks)


def open_step(lesson: Lesson, step: Step, driver: StepDriver, since: World | None = None) -> OpenStep:
    """Open a step on a driver's cluster, whose page is shown since the world was so (None: it is now). Raises LabError
    when it cannot be watched: a value of an earlier step is missing, or no manager answers."""
    opened = OpenStep(lesson, step, driver, step.then)
    opened.open(driver.journal.world if since is None else since)
    return opened


def _describe(typed: list[Command]) -> str:
    """Return in a sentence what did it."""
    names = [f"`{first} …`" if "\n" in c.text else f"`{first}`" for c in typed for first in c.text.splitlines()[:1]]
    match names:
        case []:
            return "Done, and not by a command typed here."
        case [one]:
            return f"Done by {one}."
        case [one, other]:
            return f"Done after {one} and {other}."
        case _:
            return f"Done after {len(names)} commands, the last {names[-1]}."
