"""One step from start to end: every check is evaluated first, the command is typed, every check is awaited.

All that happens is written to the journal: the step, its captured values, and each check when its verdict changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from lab.checks.base import Baseline, Outcome
from lab.checks.check import Check
from lab.checks.managers import ManagersAnswer
from lab.errors import Cancelled, LabError
from lab.lesson.act import Act
from lab.lesson.hints import hint_for
from lab.lesson.model import Lesson, Step
from lab.reset import ownership
from lab.run import capture
from lab.run.driver import StepDriver
from lab.run.promises import Broken, broken_promises
from lab.run.results import CheckResult, StepResult
from lab.schema import template
from lab.world.entries import Captured, Checked, CommandEnded, StepMoved
from lab.world.request import Request
from lab.world.world import World

#: Seconds between two rounds of requests while a check on HTTP is awaited, and between two checks for a request to
#: stop.
_ROUND = 1.0
#: Milliseconds from which a request under load is told as slow.
_SLOW = 1000.0
#: The longest wait, in seconds, for what a text promises to be seen once a step's checks hold.
_LAG = 10.0


@dataclass
class _Check:
    """A check in progress."""

    check: Check
    before: Outcome
    now: Outcome
    held: float | None = None

    @property
    def settled(self) -> bool:
        """Whether the verdict is final: an event that has happened stays true."""
        return self.now.ok and self.check.condition.kind == "event"

    def see(self, finding: Outcome, at: float) -> bool:
        """Record a finding; return whether there is something to report: another verdict, or, except for a total,
        another reason. An event that has happened stays true."""
        if self.settled:
            return False
        if finding.ok and (self.held is None or not self.now.ok):
            self.held = at
        # A total changes with every report; its pane shows that.
        changed = finding.ok != self.now.ok if self.check.condition.kind == "total" else finding != self.now
        self.now = finding
        return changed


@dataclass
class StepRun:
    """One step from start to end."""

    lesson: Lesson
    step: Step
    driver: StepDriver
    asks: tuple[Check, ...]
    bound: float | None = None
    began: float = 0.0
    baseline: Baseline = field(default_factory=Baseline)
    values: dict[str, str] = field(default_factory=dict)
    checks: list[_Check] = field(default_factory=list)
    ended: CommandEnded | None = None
    typed: str = ""
    node: str = ""
    _seen: tuple[object, ...] = ()

    def go(self, *, strict: bool, type_it: bool) -> StepResult:
        """Go through it, from its command (which is typed here with `type_it`) to its verdict. Raises Cancelled."""
        journal = self.driver.journal
        self._stop()
        self.began = journal.now()
        journal.write(StepMoved(self.lesson.id, self.step.id, "begun"))
        try:
            return self._go(strict, type_it)
        except LabError as error:
            self._look_again()
            return self._end(str(error).strip())

    def _go(self, strict: bool, type_it: bool) -> StepResult:
        if type_it and self.step.act is None and self.step.command is None:
            raise LabError("it is the learner's turn here, and the lesson has no solution that could be typed")
        self._look()
        self._refresh(self.asks)
        question, taken = self.step.question, capture.capture_from_world(self.step, self.driver.journal.world)
        if (
            question is not None
            and not question.choices
            and question.name not in self.driver.journal.world.lesson.captured
        ):
            taken[question.name] = str(question.usual)
        self._capture(taken)
        self._need_values()
        self._begin(self.driver.journal.world)
        kept = len(self.step.then), len(self.step.then) + len(self.step.keeps)
        green = [c for i, c in enumerate(self.checks) if c.before.ok and not kept[0] <= i < kept[1]]
        if strict and green:
            found = "; ".join(f"{c.check.sentence} ({c.before.why})" for c in green)
            return self._end(f"this held before anything was done: {found}")
        states = [c for c in self.checks if c.check.condition.kind == "state"]
        if not strict and states and all(c.before.ok for c in states):
            return self._end("", already=True)
        if type_it:
            self._act()
        self._await()
        if all(c.now.ok for c in self.checks) and self.ended is not None:
            self._capture(capture.capture_from_output(self.step, self.ended.output))
        if self._describe_failing():
            return self._end(self._describe_failing(self.driver.journal.now()), found=self._describe_failing())
        broken = self._find_broken(_LAG)
        if strict and broken:
            return self._end("; ".join(each.sentence for each in broken))
        return self._end("", otherwise=broken)

    def _describe_failing(self, now: float | None = None) -> str:
        """Return what the checks that do not hold have found; with the journal's time, also for how long."""
        red = (c.now for c in self.checks if not c.now.ok)
        return "; ".join(each.why if now is None else each.why_at(now) for each in red)

    def _find_broken(self, lag: float = 0.0) -> tuple[Broken, ...]:
        """Return what the step's texts promise and the world does not keep, after at most `lag` seconds."""
        self._refresh(check for promise in self.step.promises for check in promise.holds)

        def find_broken(world: World) -> tuple[Broken, ...]:
            return tuple(broken_promises(self.step, world, self.baseline, self.values))

        if lag and find_broken(self.driver.journal.world):
            self.driver.journal.wait(lambda world: not find_broken(world), lag)
        return find_broken(self.driver.journal.world)

    def _need_values(self) -> None:
        """Require the step's values: those captured by earlier steps are gone when a lesson is resumed in the
        middle."""
        own = {name for name, each in self.step.capture.items() if each.output is not None}
        used = (name for text in self.step.strings() for name in template.placeholders(text))
        for name in used:
            if name not in self.values and name not in own:
                taker = next((s.id for s in self.lesson.steps if name in s.capture), "an earlier step")
                raise LabError(f"{{{{{name}}}}} is not known yet", remedy=f"go through step {taker} first")

    def _begin(self, since: World) -> None:
        """Take the baseline, and evaluate every check before anything is done."""
        accepts = frozenset({0, *(check.exit for check in self.step.then if check.exit is not None)})
        self.baseline = Baseline(since=since, like=self.step.command or "", accepts=accepts)
        self.checks.clear()
        filled = [check.fill(self.values) for check in self.asks]
        self._ask(filled)
        world = self.driver.journal.world
        for index, check in enumerate(filled):
            self.checks.append(_Check(check, finding := self._judge(check, world), finding))
            self._tell(index, "before")

    def _act(self) -> None:
        step = self.step
        if step.act is not None:
            self._do(step.act)
            self._look()
            return
        self.node = template.fill(step.on, self.values)
        self.typed = template.fill_command(step.command or "", self.values)
        self.ended = self.driver.run(self.typed, node=self.node, step=step.id, bound=self._limit)
        self.baseline = replace(self.baseline, command=self.ended.id)
        self._look()

    def _look(self) -> None:
        """Have the swarm looked at. A step that asks whether a manager answers waits for none, and neither does one
        that asks nothing of them while none answers. Raises EngineError when none answers another step."""
        conditions = [check.condition for check in self.asks]
        if any(isinstance(condition, ManagersAnswer) for condition in conditions):
            return
        if any(condition.of_swarm for condition in conditions) or self.driver.journal.world.link.state != "stale":
            self.driver.look()

    def _do(self, act: Act) -> None:
        if act.load is not None:
            self.driver.load(act.load.load_spec(self.values))
            return
        target = template.fill(act.target, self.values)
        self.node = target.split()[0]
        self.driver.act(act.action, target)

    def _await(self) -> None:
        """Wait until all checks hold, the bound passes, or a check can no longer hold, as when the command has
        ended."""
        while True:
            self._stop()
            self._look_again()
            open = [c for c in self.checks if not c.now.ok]
            if not open or self._is_lost(open):
                return
            left = self.began + self._limit - self.driver.journal.now()
            if left <= 0:
                return
            if all(c.check.condition.request is not None or c.check.condition.of_command for c in open):
                self._ask([c.check for c in self.checks])
                if self._has_news(self.driver.journal.world):
                    continue
            self.driver.journal.wait(self._has_news, min(_ROUND, left))

    def _is_lost(self, open: list[_Check]) -> bool:
        conditions = [c.check.condition for c in open]
        if self.ended is not None and any(condition.of_command for condition in conditions):
            return True
        return any(condition.is_lost(self.driver.journal.world, self.baseline) for condition in conditions)

    def _look_again(self) -> None:
        world = self.driver.journal.world
        self._seen = _watched_parts(world)
        for index, each in enumerate(self.checks):
            if each.see(self._judge(each.check, world), self.driver.journal.now() - self.began):
                self._tell(index, "after")

    def _has_news(self, world: World) -> bool:
        """Whether something that checks read has changed, and changes a verdict."""
        figures = _watched_parts(world)
        if len(figures) == len(self._seen) and all(a is b for a, b in zip(figures, self._seen, strict=True)):
            return False
        self._seen = figures
        return any(not c.settled and self._judge(c.check, world) != c.now for c in self.checks)

    def _judge(self, check: Check, world: World) -> Outcome:
        """Judge a check now, which may be some time after the world's last news."""
        return check.evaluate(replace(world, at=self.driver.journal.now()), self.baseline)

    def _ask(self, checks: list[Check]) -> None:
        """Send a round of requests for the checks on responses, so that older ones no longer count, and refresh what
        other checks need."""
        requests = requests_of(checks)
        if requests:
            self.baseline = replace(self.baseline, asked=self.driver.journal.world)
        for request, times in requests.items():
            self.driver.ask(request, times=times)
        self._refresh(checks)

    def _refresh(self, checks: Iterable[Check]) -> None:
        """Refresh what checks need and no request can answer."""
        for source in sorted({check.condition.source for check in checks} - {""}):
            self.driver.refresh(source)

    def _capture(self, found: Mapping[str, str]) -> None:
        for name, value in found.items():
            self.driver.journal.write(Captured(name, value))
        self.values = {**self.driver.journal.world.lesson.captured, **found}

    def _tell(self, index: int, phase: Literal["before", "after"]) -> None:
        each = self.checks[index]
        text, now = each.check.sentence, each.now
        fact = Checked(self.lesson.id, self.step.id, index, text, now.ok, now.why, phase, now.waits)
        self.driver.journal.write(fact)

    def _end(
        self,
        why: str,
        *,
        found: str = "",
        already: bool = False,
        by: str = "",
        otherwise: Iterable[Broken] = (),
    ) -> StepResult:
        journal, step = self.driver.journal, self.step
        # Hints match a finding as it is written, without seconds in its midst.
        hint = hint_for(step, found or why) if why else ""
        took = (*self._list_measures(), *(each.here for each in otherwise)) if not why and not already else ()
        for index, each in enumerate(self.checks):
            if why and not each.now.ok:
                self._tell(index, "after")
        seconds = round(journal.now() - self.began, 2)
        words_of_it = [why, hint] if why else ["it was so already"] if already else [by, *took]
        said = "\n".join(w for w in words_of_it if w)
        requests = self._requests_sent() if took else None
        journal.write(StepMoved(self.lesson.id, step.id, "failed" if why else "passed", said, requests))
        return StepResult(
            step=step.id,
            title=step.title,
            passed=not why,
            command=self.typed,
            act=step.act.action if step.act else "",
            node=self.node,
            status=self.ended.status if self.ended else None,
            seconds=seconds,
            bound=self._limit,
            checks=tuple(
                CheckResult(
                    c.check.sentence,
                    c.before.ok,
                    c.now.ok,
                    c.before.why,
                    c.now.why_at(journal.now()),
                    None if c.held is None or not c.now.ok else round(c.held, 2),
                )
                for c in self.checks
            ),
            captured={name: self.values[name] for name in step.capture if name in self.values},
            took=took,
            already=already,
            why=why,
            hint=hint,
            created=ownership.created_ids(self.baseline.since, journal.world, step.leaves) if self.checks else (),
        )

    def _list_measures(self) -> tuple[str, ...]:
        world = self.driver.journal.world
        told = (text for c in self.checks for text in c.check.condition.measure(world, self.baseline))
        return (*self._compare_said(), *dict.fromkeys(told))

    def _compare_said(self) -> tuple[str, ...]:
        """Return what was measured under load, beside the number that the learner said; nothing without a question."""
        question = self.step.question
        load, before = self.driver.journal.world.load, self.baseline.since.load
        sent, _, bad = load.count_since(before)
        if question is None or not sent:
            return ()
        due = [f"{max(0.0, at - self.began):.1f}" for at in load.failures_since(before)]
        when = f", sent {' to '.join(dict.fromkeys((due[0], due[-1])))} s after the step began" if due else ""
        answer = self.values.get(question.name)
        said = f"You said {answer}. " if answer is not None and not question.choices else ""
        slow, longest = load.slow_since(before, _SLOW)
        waits = f"; {slow} took longer than {_SLOW / 1000:g} s, the longest {longest / 1000:.1f} s" if slow else ""
        return (f"{said}Measured: {bad} of {sent} requests failed{when}{waits}.",)

    def _requests_sent(self) -> tuple[int, int] | None:
        """Return how many requests the load sent and how many failed, where a number was asked for."""
        question = self.step.question
        sent, _, bad = self.driver.journal.world.load.count_since(self.baseline.since.load)
        return (sent, bad) if question is not None and not question.choices and sent else None

    @property
    def _limit(self) -> float:
        return self.step.bound if self.bound is None else self.bound

    def _stop(self) -> None:
        if self.driver.is_stopping():
            raise Cancelled


def requests_of(checks: Iterable[Check]) -> Mapping[Request, int]:
    """Return the requests that checks are about, and how often each is sent to every node in one round."""
    requests: dict[Request, int] = {}
    for condition in (check.condition for check in checks):
        if condition.request is not None:
            requests[condition.request] = max(requests.get(condition.request, 0), condition.times)
    return requests


def _watched_parts(world: World) -> tuple[object, ...]:
    """Return what checks read: unchanged parts of a world are the same objects."""
    return world.swarm, world.edge, world.dns, world.wire, world.commands, world.hits, world.load, world.link
