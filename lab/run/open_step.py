"""A step that is open: its page is shown, and whatever brings the state that it asks for counts.

Nothing is typed here, and nothing is waited for: what the checks need is asked for, and they are evaluated again and
again. One on output takes any command's that was typed since the page was opened, one on an exit status that of a
command with the same verb as the step's own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from lab.checks.base import Condition, Outcome
from lab.checks.check import Check
from lab.errors import LabError
from lab.lesson.model import Lesson, Step
from lab.run import capture
from lab.run.driver import Round, StepDriver
from lab.run.results import StepResult
from lab.run.step_run import StepRun, requests_of
from lab.world.world import Command, World

PAUSE = 2.0
"""Seconds between two rounds of requests, and between two looks of what the missing checks read."""

_HANGS = 2.5
"""Seconds after which the next round is sent although a node has not answered the last one."""

_GAP = 0.5
"""Seconds between two rounds when something has happened meanwhile."""

_SURE = 45.0
"""Seconds within which everything that was asked when the step was opened should have answered."""


@dataclass(frozen=True)
class _Sent:
    """A round of requests, and when it was sent."""

    at: float
    round: Round


class OpenStep(StepRun):
    """A step that waits for its learner. `was_so`: its checks held when it was opened, or again before any was false,
    so that there is nothing to notice."""

    was_so = False
    _sent: tuple[_Sent, ...] = ()
    _ended = 0.0
    """When the last round was found to have ended."""
    _lacked = 0.0
    """When something was last missing that no request can tell."""
    _hurried = 0.0
    _first: Round | None = None
    """The round of requests that was sent when the step was opened."""
    _opening: tuple[Callable[[], bool], ...] | None = ()
    """Whether what was asked when the step was opened has answered, each; None once it is known what was so."""

    def open(self, since: World) -> None:
        """Take the baseline, which is the world when the page came into sight, and evaluate every check once. Writes
        the values that the step captures, and what was found. Raises LabError when a value of an earlier step is
        missing or no manager answers."""
        journal = self.driver.journal
        self.began = journal.now()
        self.values = {**journal.world.lesson.captured, **dict.fromkeys(self.step.capture, "")}
        self._need_values()
        self._look()
        known = journal.world.lesson.captured
        found = capture.known_values(self.step, journal.world)
        self._capture({name: value for name, value in found.items() if known.get(name) != value})
        self._need_values()
        looks = [self.driver.look_soon(source) for source in sorted({c.condition.source for c in self.asks} - {""})]
        # Before the first look nothing was known, and everything would seem to have happened since.
        self._begin(since if since.swarm.nodes else journal.world)
        self._hurried = journal.now()
        self._first = self._sent[-1].round if self._sent else None
        self._opening = (*looks, lambda: self._first is None or self._first.ended)
        answered = all(answered() for answered in self._opening)
        self._look_again()
        self._learn_what_was_so(answered)

    def look(self, pause: float = PAUSE) -> bool:
        """Evaluate the checks again; return whether the step is done. Never waits. What the missing ones need is asked
        for, not more often than every `pause` seconds; requests are sent only when nothing else is missing."""
        answered = all(answered() for answered in self._opening or ())
        self._look_again()
        if any(c.check.condition.is_lost(self.driver.journal.world, self.baseline) for c in self.checks):
            self._begin(self.driver.journal.world)  # What was counted while the page was read must not spoil the step.
        self._ask_again(pause)
        self._learn_what_was_so(answered)
        done = all(check.now.ok for check in self.checks)
        if not done or self.was_so or self._opening is not None:
            self.was_so = self.was_so and done
            return False
        # An answer from before the command, or from before the rest was so, proves nothing.
        if not all(self._by_requests(check, self._find_round_start()).ok for check in self._on_requests()):
            return False
        try:
            self._capture(
                capture.capture_from_output(self.step, "\n".join(c.output for c in reversed(self._list_typed())))
            )
        except LabError:
            return False  # A later step needs a value that nothing printed yet.
        return True

    def finish(self) -> StepResult:
        """Pass the step, and say what did it. Call this once it is done."""
        return self._end("", by=_describe(self._list_typed()), otherwise=self._find_broken())

    def has_news(self, world: World) -> bool:
        """Return whether a check would be judged otherwise in this world."""
        return self._has_news(world)

    def _list_typed(self) -> list[Command]:
        """Return the commands since the page was opened, one that still runs included (an attached `docker service
        update` ends after the state that it brings) and those that Enter typed for this step."""
        known = {command.id for command in self.baseline.since.commands}
        mine = ("", self.step.id)
        return [c for c in self.driver.journal.world.commands if c.id not in known and c.step in mine]

    def _learn_what_was_so(self, answered: bool) -> None:
        """Find out whether the step was so when it was opened, once everything that was asked then has `answered`, or
        something is missing that was known at once, or something was typed, which may have brought it about."""
        if self._opening is None:
            return
        missing = [c.check for c in self.checks if not self._was_so(c.check, c.now)]
        known = any(_reads_world(check.condition) and not check.condition.source for check in missing)
        typed = bool(self._list_typed())
        if answered or known or typed or self.driver.journal.now() - self.began >= _SURE:
            self._opening = None
            self.was_so = not missing and not typed

    def _was_so(self, check: Check, now: Outcome) -> bool:
        return (now if check.condition.request is None else self._by_round(check, self._first)).ok

    def _ask_again(self, pause: float) -> None:
        """Ask for what the missing checks need."""
        now = self.driver.journal.now()
        missing = [check.check.condition for check in self.checks if not check.now.ok]
        read = {condition.source for condition in missing if _reads_world(condition)}
        if read:
            self._lacked = now
            if now - self._hurried >= pause:
                self._hurried = now
                for source in sorted(read):
                    self.driver.look_soon(source)
        elif self._on_requests() and self._is_due(now, pause, any(c.request is not None for c in missing)):
            self._ask([check.check for check in self.checks])

    def _is_due(self, now: float, pause: float, missing: bool) -> bool:
        """Whether requests should be sent: after whatever may have changed the answers, and again and again while one
        is `missing`."""
        last = self._sent[-1]
        if last.round.ended and self._ended < last.at:
            self._ended = now
        if last.at < self._find_round_start():
            return now - last.at >= min(pause, _GAP)
        if not last.round.ended:
            return missing and now - last.at >= max(pause, _HANGS)
        rest = (self._ended - last.at) / 2  # A node that needs long to answer is not kept busy.
        return missing and now - last.at >= pause and now - self._ended >= rest

    def _ask(self, checks: list[Check]) -> None:
        """Send a round of requests for the checks on responses."""
        if requests := requests_of(checks):
            sent = _Sent(self.driver.journal.now(), self.driver.ask_soon(requests))
            self._sent = (*self._rounds(), sent)

    def _judge(self, check: Check, world: World) -> Outcome:
        return super()._judge(check, world) if check.condition.request is None else self._by_requests(check)

    def _by_requests(self, check: Check, since: float = 0.0) -> Outcome:
        """Judge a check by one of the rounds sent since a moment: by the newest by which it holds, else by the last
        that has ended."""
        sent = [each.round for each in reversed(self._rounds()) if each.at >= since]
        found = [(each.ended, self._by_round(check, each)) for each in sent]
        good = (outcome for _, outcome in found if outcome.ok)
        ended = (outcome for ended, outcome in found if ended)
        return next(good, None) or next(ended, None) or self._by_round(check, None)

    def _by_round(self, check: Check, round: Round | None) -> Outcome:
        hits = tuple((0.0, hit) for hit in round.hits) if round is not None else ()
        return check.evaluate(replace(self.driver.journal.world, hits=hits), replace(self.baseline, asked=World()))

    def _rounds(self) -> tuple[_Sent, ...]:
        """Return the last round that has ended, and those sent after it, oldest first."""
        last = max((place for place, each in enumerate(self._sent) if each.round.ended), default=0)
        return self._sent[last:]

    def _find_round_start(self) -> float:
        """Return since when a round must have been sent to prove anything: a command was typed, or something else was
        missing, until then."""
        return max(self._lacked, *(command.at for command in self._list_typed()), 0.0)

    def _on_requests(self) -> list[Check]:
        return [check.check for check in self.checks if check.check.condition.request is not None]


def _reads_world(condition: Condition) -> bool:
    """Whether a condition is about what a source sees: not about answers to requests, nor about a command."""
    return condition.request is None and not condition.of_command


def open_step(lesson: Lesson, step: Step, driver: StepDriver, since: World | None = None) -> OpenStep:
    """Open a step on a driver's cluster, whose page is shown since the world was so (None: it is now). Raises LabError
    when it cannot be watched: a value of an earlier step is missing, or no manager answers."""
    opened = OpenStep(lesson, step, driver, (*step.then, *step.keeps))
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
