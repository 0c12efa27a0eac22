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

    def open(self) -> None:
        """Take the baseline, and evaluate every check once. Writes the values that the step captures, and what was
        found. Raises LabError when a value of an earlier step is missing or no manager answers."""
        journal = self.driver.journal
        self.began = journal.now()
        self.driver.look()
        self._refresh(self.asks)
        known = journal.world.lesson.captured
        found = capture.known_values(self.step, journal.world)
        self._capture({name: value for name, value in found.items() if known.get(name) != value})
        self._need_values()
        self._begin()
        self._asked = journal.now()
        self.was_so = all(check.now.ok for check in self.checks)

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
        done = all(check.now.ok for check in self.checks)
        if not done or self.was_so:
            self.was_so = self.was_so and done
            return False
        try:
            self._capture(capture.capture_from_output(self.step, "\n".join(c.output for c in self._typed())))
        except LabError:
            return False  # A later step needs a value that nothing printed yet.
        return True

    def finish(self) -> StepResult:
        """Pass the step, and say what did it. Call this once it is done."""
        return self._end("", by=_describe(self._typed()))

    def has_news(self, world: World) -> bool:
        """Return whether a check would be judged otherwise in this world."""
        return self._news(world)

    def _typed(self) -> list[Command]:
        """Return the commands that the learner typed since the page was opened, one that still runs included: an
        attached `docker service update` ends after the state that it brings."""
        known = {command.id for command in self.baseline.since.commands}
        return [c for c in self.driver.journal.world.commands if c.id not in known and not c.step]


def open_step(lesson: Lesson, step: Step, driver: StepDriver) -> OpenStep:
    """Open a step on a driver's cluster. Raises LabError when it cannot be watched: a value of an earlier step is
    missing, or no manager answers."""
    opened = OpenStep(lesson, step, driver, step.then)
    opened.open()
    return opened


def _describe(typed: list[Command]) -> str:
    """Return in a sentence what did it."""
    if not typed:
        return "Done, and not by a command typed here."
    more = f", the last of {len(typed)} commands" if len(typed) > 1 else ""
    return f"Done by `{typed[-1].text}`{more}."
