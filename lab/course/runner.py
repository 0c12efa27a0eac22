"""Going through a step: every check is looked at before, the command is typed, every check is awaited.

All that happens is written to the journal: the step, its captured values, and each check when its verdict changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from lab.course import capture, ledger, words
from lab.course.checks import Check
from lab.course.evaluate import Finding, Moment, evaluate
from lab.course.ports import Hands
from lab.course.results import CheckResult, LessonResult, StepResult
from lab.course.schema import Act, Lesson, Step
from lab.course.trace import took as times_of
from lab.errors import InputError, LabError
from lab.watch.hits import Request
from lab.world.entries import Captured, Checked, CommandEnded, LessonOpened, StepMoved
from lab.world.world import World

__all__ = ["CheckResult", "LessonResult", "StepResult", "await_step", "run_lesson", "run_step"]

#: Seconds between two rounds of requests while a check on HTTP is awaited, and between two looks at the wish to stop.
_ROUND = 1.0


def run_lesson(lesson: Lesson, hands: Hands, *, until: str | None = None) -> LessonResult:
    """Go through a lesson strictly, to its end or through the step `until`; it ends at the first step that fails.

    Raises InputError when there is no such step, KeyboardInterrupt when the user asked to stop.
    """
    if until is not None and lesson.step(until) is None:
        raise InputError(
            f"lesson {lesson.id} has no step {until}", remedy=f"its steps are: {', '.join(s.id for s in lesson.steps)}"
        )
    began = hands.journal.now()
    hands.watch(panes_of(lesson))
    open_lesson(lesson, hands)
    results: list[StepResult] = []
    for step in lesson.steps:
        results.append(run_step(lesson, step, hands))
        if not results[-1].passed or step.id == until:
            break
    passed, last = all(r.passed for r in results), results[-1]
    why = "" if passed else f"step {last.step}: {last.why}"
    seconds = round(hands.journal.now() - began, 2)
    return LessonResult(lesson.id, lesson.title, passed, seconds, tuple(results), why)


def open_lesson(lesson: Lesson, hands: Hands) -> None:
    """Begin a lesson in the journal, with what its texts may name from the start."""
    hands.journal.write(LessonOpened(lesson.id))
    for name, value in hands.given().items():
        hands.journal.write(Captured(name, value))


def panes_of(lesson: Lesson) -> frozenset[str]:
    """Every pane that the lesson or one of its steps wants, and those that its checks look at."""
    steps = (step.pane for step in lesson.steps if step.pane is not None)
    looks = (check.looks for step in lesson.steps for check in step.then if check.looks)
    return frozenset({*lesson.panes, *steps, *looks})


def run_step(lesson: Lesson, step: Step, hands: Hands, *, strict: bool = True) -> StepResult:
    """Go through a step: its command is typed, or its act done, and its checks are awaited.

    Strictly, a check that holds before anything was done fails the step. Otherwise a step whose level checks all hold
    already is passed without its command, and is told so. A LabError becomes a failed step with its words; raises
    KeyboardInterrupt when the user asked to stop.
    """
    return _Passage(lesson, step, hands, step.checks).go(strict=strict, type_it=True)


def await_step(lesson: Lesson, step: Step, hands: Hands, *, bound: float | None = None) -> StepResult:
    """The same for a learner who types: nothing is typed here, the checks may become true by any means.

    A check on a command's output takes any command, typed since, that begins like the step's own. That the command
    ends well is only asked where the lesson asks it. `bound` is in place of the step's.
    """
    return _Passage(lesson, step, hands, step.then, bound).go(strict=False, type_it=False)


def hint_for(step: Step, why: str) -> str:
    """The first hint that fits a check's finding, its groups filled in; "" when none does."""
    for hint in step.hints:
        found = re.search(hint.when, why) if hint.when else None
        if hint.when is None or found is not None:
            groups = {k: v for k, v in found.groupdict().items() if v} if found else {}
            return words.fill(hint.say, groups).strip()
    return ""


@dataclass
class _Check:
    """A check under way."""

    check: Check
    before: Finding
    now: Finding
    held: float | None = None

    def see(self, finding: Finding, at: float) -> bool:
        """Take a finding in; the answer is whether the verdict changed. What has happened stays so."""
        if self.check.edge and self.now.ok:
            return False
        if finding.ok and (self.held is None or not self.now.ok):
            self.held = at
        # A load's account goes on with every report; its pane shows that.
        changed = finding.ok != self.now.ok if self.check.load else finding != self.now
        self.now = finding
        return changed


@dataclass
class _Passage:
    """One step from its begin to its end."""

    lesson: Lesson
    step: Step
    hands: Hands
    asks: tuple[Check, ...]
    bound: float | None = None
    began: float = 0.0
    moment: Moment = field(default_factory=Moment)
    values: dict[str, str] = field(default_factory=dict)
    checks: list[_Check] = field(default_factory=list)
    ended: CommandEnded | None = None
    typed: str = ""
    node: str = ""
    _seen: tuple[object, ...] = ()

    def go(self, *, strict: bool, type_it: bool) -> StepResult:
        journal = self.hands.journal
        self._stop()
        self.began = journal.now()
        journal.write(StepMoved(self.lesson.id, self.step.id, "begun"))
        try:
            return self._go(strict, type_it)
        except LabError as error:
            self._look_again()
            return self._end(str(error).strip())

    def _go(self, strict: bool, type_it: bool) -> StepResult:
        self.hands.look()
        self._refresh(self.asks)
        question, taken = self.step.question, capture.from_world(self.step, self.hands.journal.world)
        if question is not None and question.name not in self.hands.journal.world.captured:
            taken[question.name] = str(question.usual)
        self._capture(taken)
        self._need_values()
        self.moment = Moment(since=self.hands.journal.world, like=self.step.run or "")
        self._before()
        green = [c for c in self.checks if c.before.ok]
        if strict and green:
            found = "; ".join(f"{c.check.sentence} ({c.before.why})" for c in green)
            return self._end(f"this held before anything was done: {found}")
        level = [c for c in self.checks if not c.check.edge and c.check.load is None]
        if not strict and level and all(c.before.ok for c in level):
            return self._end("", already=True)
        if type_it:
            self._act()
        self._await()
        if all(c.now.ok for c in self.checks) and self.ended is not None:
            self._capture(capture.from_output(self.step, self.ended.output))
        return self._end("; ".join(c.now.why for c in self.checks if not c.now.ok))

    def _need_values(self) -> None:
        """Values taken by earlier steps are gone when a lesson is taken up again in the middle."""
        own = {name for name, each in self.step.capture.items() if each.output is not None}
        used = (name for text in self.step.strings() for name in words.names(text))
        for name in used:
            if name not in self.values and name not in own:
                taker = next((s.id for s in self.lesson.steps if name in s.capture), "an earlier step")
                raise LabError(f"{{{{{name}}}}} is not known yet", remedy=f"go through step {taker} first")

    def _before(self) -> None:
        filled = [check.filled(self.values) for check in self.asks]
        self._ask(filled)
        world = self.hands.journal.world
        for index, check in enumerate(filled):
            self.checks.append(_Check(check, finding := evaluate(check, world, self.moment), finding))
            self._tell(index, "before")

    def _act(self) -> None:
        step = self.step
        if step.act is not None:
            self._do(step.act)
            self.hands.look()
            return
        self.node = words.fill(step.on, self.values)
        self.typed = words.command(step.run or "", self.values)
        self.ended = self.hands.run(self.typed, node=self.node, step=step.id, bound=self._limit)
        self.moment = replace(self.moment, command=self.ended.id)
        self.hands.look()

    def _do(self, act: Act) -> None:
        if act.load is not None:
            self.hands.load(act.load.wish(self.values))
            return
        self.node = words.fill(act.node, self.values)
        self.hands.act(act.action, self.node)

    def _await(self) -> None:
        """Until all hold, the bound passes, or the command has ended in a way that nothing can mend."""
        while True:
            self._stop()
            self._look_again()
            open = [c for c in self.checks if not c.now.ok]
            if not open or self._lost(open):
                return
            left = self.began + self._limit - self.hands.journal.now()
            if left <= 0:
                return
            if all(c.check.asked is not None or c.check.of_command for c in open):
                self._ask([c.check for c in self.checks])
                if self._news(self.hands.journal.world):
                    continue
            self.hands.journal.wait(self._news, min(_ROUND, left))

    def _lost(self, open: list[_Check]) -> bool:
        if self.ended is not None and any(c.check.of_command for c in open):
            return True
        _, _, bad = self.hands.journal.world.load.since(self.moment.since.load)
        most = (c.check.load.failed for c in open if c.check.load is not None and c.check.load.failed is not None)
        return any(bad > failed for failed in most)

    def _look_again(self) -> None:
        world = self.hands.journal.world
        self._seen = _figures(world)
        for index, each in enumerate(self.checks):
            if each.see(evaluate(each.check, world, self.moment), self.hands.journal.now() - self.began):
                self._tell(index, "after")

    def _news(self, world: World) -> bool:
        """Something that a check could look at is not as it was, and changes a verdict."""
        figures = _figures(world)
        if len(figures) == len(self._seen) and all(a is b for a, b in zip(figures, self._seen, strict=True)):
            return False
        self._seen = figures
        return any(
            not (c.check.edge and c.now.ok) and evaluate(c.check, world, self.moment) != c.now for c in self.checks
        )

    def _ask(self, checks: list[Check]) -> None:
        """A round of requests for those of the checks that are on answers, older ones counting no more, and a look at
        what others need."""
        rounds: dict[Request, int] = {}
        for asked in (c.asked for c in checks if c.asked is not None):
            rounds[asked.request] = max(rounds.get(asked.request, 0), asked.times)
        if rounds:
            self.moment = replace(self.moment, asked=self.hands.journal.world)
        for request, times in rounds.items():
            self.hands.ask(request, times=times)
        self._refresh(checks)

    def _refresh(self, checks: Iterable[Check]) -> None:
        """A look at what checks need that no request answers."""
        for what in sorted({c.looks for c in checks}):
            if what:
                self.hands.refresh(what)

    def _capture(self, found: Mapping[str, str]) -> None:
        for name, value in found.items():
            self.hands.journal.write(Captured(name, value))
        self.values = {**self.hands.journal.world.captured, **found}

    def _tell(self, index: int, phase: Literal["before", "after"]) -> None:
        each = self.checks[index]
        fact = Checked(self.lesson.id, self.step.id, index, each.check.sentence, each.now.ok, each.now.why, phase)
        self.hands.journal.write(fact)

    def _end(self, why: str, *, already: bool = False) -> StepResult:
        journal, step = self.hands.journal, self.step
        hint = hint_for(step, why) if why else ""
        took = self._took() if not why and not already else ()
        for index, each in enumerate(self.checks):
            if why and not each.now.ok:
                self._tell(index, "after")
        seconds = round(journal.now() - self.began, 2)
        words_of_it = [why, hint] if why else ["it was so already"] if already else took
        journal.write(
            StepMoved(self.lesson.id, step.id, "failed" if why else "passed", "\n".join(w for w in words_of_it if w))
        )
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
                    c.now.why,
                    None if c.held is None or not c.now.ok else round(c.held, 2),
                )
                for c in self.checks
            ),
            captured={name: self.values[name] for name in step.capture if name in self.values},
            took=took,
            already=already,
            why=why,
            hint=hint,
            created=ledger.created(self.moment.since, journal.world, step.leaves) if self.checks else (),
        )

    def _took(self) -> tuple[str, ...]:
        since, world = self.moment.since, self.hands.journal.world
        names = {c.check.replaced.service for c in self.checks if c.check.replaced is not None}
        services = [s.id for s in world.services.values() if s.name in names]
        told = tuple(text for id in services for text in times_of(since, world, id))
        return (*self._said(), *told)

    def _said(self) -> tuple[str, ...]:
        """The learner's word beside what was measured."""
        question = self.step.question
        sent, _, bad = self.hands.journal.world.load.since(self.moment.since.load)
        if question is None or not sent:
            return ()
        said = self.values.get(question.name, str(question.usual))
        return (f"You said {said}. Measured: {bad} of {sent} requests failed.",)

    @property
    def _limit(self) -> float:
        return self.step.bound if self.bound is None else self.bound

    def _stop(self) -> None:
        if self.hands.stopping():
            raise KeyboardInterrupt


def _figures(world: World) -> tuple[object, ...]:
    """What checks look at: unchanged parts of a world are the same objects."""
    swarm = (world.nodes, world.services, world.tasks, world.named)
    return *swarm, world.commands, world.hits, world.certificates, world.routes, world.load
