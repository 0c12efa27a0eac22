"""The loop: hears what is typed and what happens, says it, and has the stage do what was asked for."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from lab.lesson.standing import Standing, describe_standing, next_attempt
from lab.plain import asking, changes, hints, pages
from lab.plain.asking import Asked
from lab.plain.console import Console, read_lines
from lab.plain.line import Line
from lab.plain.narrator import Narrator, in_words
from lab.plain.place import Place
from lab.plain.typed import help_lines, read_line
from lab.plain.work import Ended, Works, trouble
from lab.schema.template import placeholders
from lab.text import count_of
from lab.world.entries import Captured, Entry, Printed
from lab.world.world import World

if TYPE_CHECKING:
    from lab.lesson.model import Lesson
    from lab.session import Stage, UndoOffer

INTERRUPTED = 130
"""The exit code after Ctrl-C at the prompt."""

Answered = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Heard:
    """A line was typed; None: there will be no more."""

    line: str | None


@dataclass(frozen=True, slots=True)
class _News:
    """Something was written to the journal, after which the world is this."""

    entry: Entry
    world: World


@dataclass(frozen=True, slots=True)
class _Opened:
    """A lesson was opened, of these; the cluster may not be as it needs it."""

    lesson: Lesson
    lessons: tuple[Lesson, ...]
    drift: str


class _Interrupt:
    """Ctrl-C was pressed."""


class PlainSeat:
    """A person at a stage who reads lines and types lines. The stage stays the caller's, to be closed.

    With `patient`, an Enter that comes while something runs is dropped: on a terminal it came too early, in a script it
    did not.
    """

    def __init__(self, stage: Stage, console: Console, *, patient: bool = False) -> None:
        self._stage, self._console, self._patient = stage, console, patient
        self._events: queue.SimpleQueue[_Heard | _News | Ended | _Interrupt] = queue.SimpleQueue()
        self._lines: deque[str | None] = deque()
        self._works = Works(self._events.put)
        self._narrator = Narrator(stage.journal.world, live=stage.live)
        self._lesson: Lesson | None = None
        self._lessons: tuple[Lesson, ...] = ()
        self._page = -1
        self._asked: tuple[Asked, Answered] | None = None
        self._more = ""
        self._seen = stage.journal.world
        self._given: frozenset[tuple[str, ...]] = frozenset()
        self._learners = self._quizzed = self._stopping = False
        self._code: int | None = None

    def interrupt(self) -> None:
        """Do what Ctrl-C does: stop what runs, leave a question, or quit. May be called from a signal's handler."""
        self._events.put(_Interrupt())

    def run(self, lines: Iterable[str], lesson: str = "") -> int:
        """Take the seat, until the user quits, or until `lines`, what is typed, end; return the exit code. `lesson` is
        opened first ("": the first one)."""
        title = in_words(self._stage.title)
        self._console.say(
            Line(f"swarmlab, line by line: {title}", "head"), Line("Type ? and Enter for what you can type.")
        )
        stop = self._stage.journal.read(self._read)
        read_lines(lines, lambda line: self._events.put(_Heard(line)))
        self._open(lesson)
        try:
            while self._code is None:
                self._turn()
        finally:
            stop()
            if self._works.running:
                self._stage.stop()
                self._works.join()
        return self._code

    def _read(self, entry: Entry, world: World) -> None:
        if not isinstance(entry.fact, Printed):
            self._events.put(_News(entry, world))

    def _turn(self) -> None:
        if not self._work and self._lines:
            line = self._lines.popleft()
            self._console.prompt(self._prompt())
            self._console.note_entered(line, early=True)
            self._hear(line)
            return
        if not self._work:
            self._console.prompt(self._prompt())
        match self._events.get():
            case _Heard(line):
                self._take_line(line)
            case _News(entry, world):
                self._tell(entry, world)
            case Ended() as ended:
                self._end(ended)
            case _Interrupt():
                self._on_interrupt()

    @property
    def _work(self) -> str:
        """What runs and is waited for; "" for nothing, and while a step waits for the learner."""
        return next((work for work in self._works.running if work != "step" or not self._learners), "")

    @property
    def _waits(self) -> bool:
        """Whether a step waits for the learner to do it."""
        return self._learners and "step" in self._works.running

    @property
    def _place(self) -> Place | None:
        if self._lesson is None:
            return None
        ids = [lesson.id for lesson in self._lessons]
        place = ids.index(self._lesson.id) + 1 if self._lesson.id in ids else len(ids)
        after = self._lessons[place] if place < len(ids) else None
        ended = self._lesson.broken is not None and self._page >= len(self._lesson.steps)
        challenge = next_attempt(self._stage.challenges(), self._lesson.id) if ended else None
        return Place(self._lesson, self._page, self._stage.journal.world, after, self._stage.live, challenge)

    def _prompt(self) -> str:
        if self._more:
            return "the command goes on"
        if self._asked is not None:
            return self._asked[0].prompt
        place = self._place
        if place is None:
            return "no lesson is open, l lists them"
        return "waiting for you, Ctrl-C ends it" if self._waits else pages.prompt(place, quizzed=self._quizzed)

    def _tell(self, entry: Entry, world: World) -> None:
        fact, known = entry.fact, self._narrator.world.lesson.captured
        self._console.say(*self._narrator.tell(entry, world, self._lesson, self._work))
        place = self._place
        if place is None or place.step is None or self._work or not isinstance(fact, Captured):
            return
        used = placeholders(f"{place.step.run or ''}{place.step.on}")
        if fact.name in used and known.get(fact.name) != fact.value and place.state != "passed":
            self._console.say(*pages.command(place, place.step))

    def _take_line(self, line: str | None) -> None:
        if self._work or self._lines:
            early = self._patient and line is not None and not line.strip()
            self._lines.extend([] if early else [line])
            return
        self._console.note_entered(line)
        self._hear(line)

    def _hear(self, line: str | None) -> None:
        if line is None:
            self._code = 0
        elif self._asked is not None:
            self._answer(self._asked[0], self._asked[1], line.strip())
        elif line.endswith("\\"):
            self._more += f"{line}\n"
        elif self._more:
            line, self._more = self._more + line, ""
            self._works.start("command", partial(self._stage.type_command, line))
        else:
            self._do(line)

    def _do(self, line: str) -> None:
        typed, place = read_line(line), self._place
        say = self._console.say
        match typed.action:
            case "quit":
                self._code = 0
            case "help":
                say(*help_lines(live=self._stage.live))
            case "shell":
                self._works.start("command", partial(self._stage.type_command, typed.text))
            case "changes":
                before, self._seen = self._seen, self._stage.journal.world
                say(*changes.swarm_lines(before, self._seen))
            case "lessons" if not self._waits:
                where = self._stage.standings()
                known = [(each.id, _about(each, where.get(each.id))) for each in self._stage.lessons()]
                self._ask(asking.lessons(place, known, self._stage.challenges()), self._open)
            case _ if place is None:
                say(Line("No lesson is open: l lists them."))
            case "checks":
                say(*changes.check_lines(place, self._stage.journal.now()))
            case "hint":
                self._hint(place)
            case _ if self._waits:
                say(Line("The step waits for you: type the command that does it. Ctrl-C ends the waiting."))
            case "go":
                self._go(place)
            case "next":
                self._turn_to(place.page + 1)
            case "back":
                self._turn_to(place.page - 1)
            case "reset":
                self._ask(asking.reset(place), self._reset)
            case "undo":
                self._works.start("offer", self._stage.offer_undo, self._take_offer)

    def _go(self, place: Place) -> None:
        step = place.step
        if step is None and place.page >= 0:
            self._go_on(place)
        elif step is None or place.state == "passed":
            self._turn_to(place.page + 1)
        elif step.question is not None and place.asks:
            name = step.question.name
            asked = asking.before_step(place, step.question)
            self._ask(asked, lambda answer: self._play(place, (name, answer)))
        else:
            self._play(place)

    def _go_on(self, place: Place) -> None:
        """Go on from the lesson's end: to its questions, then to the next lesson, or say what is next."""
        if place.lesson.quiz and not self._quizzed:
            self._quizzed = True
            self._quiz(place, 0, 0)
        elif place.after is not None:
            self._open(place.after.id)
        else:
            self._console.say(*pages.what_next(place), Line("l lists all, q quits."))

    def _quiz(self, place: Place, number: int, right: int) -> None:
        items = place.lesson.quiz
        if number == len(items):
            self._console.say(Line(f"{right} of {len(items)} right."))
            return
        item = items[number]

        def judge(answer: str) -> None:
            self._console.say(*asking.judge_answer(place, item, answer))
            self._quiz(place, number + 1, right + (answer == item.answer))

        self._ask(asking.quiz_item(place, number + 1, item), judge)

    def _play(self, place: Place, said: tuple[str, str] | None = None) -> None:
        step = place.step
        if step is None:
            return
        if place.keeps_back:
            self._console.say(*pages.must_hold(place, step))
        self._learners = step.your_turn and place.live
        if self._learners:
            words = f"The lab waits until it is so, {step.bound:.0f} seconds at most. Type the command that does it."
            self._console.say(Line(words))
        elif step.act is not None:
            self._console.say(Line("The lab does it."))

        def play() -> None:
            if said is not None:
                self._stage.answer(*said)
            self._stage.play(step.id)

        self._works.start("step", play)

    def _turn_to(self, page: int) -> None:
        if self._lesson is None:
            return
        if page > len(self._lesson.steps) or page < -1:
            kind = "challenge" if self._lesson.broken is not None else "lesson"
            self._console.say(Line(f"This is the {kind}'s {'end' if page > 0 else 'beginning'}."))
            return
        self._page, self._given = page, frozenset()
        place = self._place
        if place is not None:
            self._console.say(*pages.page(place))
            self._stage.show_step(place.step.id if place.step is not None else "")

    def _hint(self, place: Place) -> None:
        found = hints.next_answer(place, self._given, self._stage.journal.now())
        if found is not None and place.step is not None:
            self._given |= {found.key}
            self._console.say(*found.lines)
            if found.id:
                self._stage.take_hint(place.step.id, found.id)
        elif place.step is None or place.state == "passed":
            self._console.say(Line("There is nothing to do on this page: Enter goes on."))
        else:
            self._console.say(Line("There are no more hints. c says what is missing; r puts the cluster back."))

    def _ask(self, asked: Asked, then: Answered) -> None:
        self._asked = asked, then
        self._console.say(*asked.lines)

    def _answer(self, asked: Asked, then: Answered, typed: str) -> None:
        if typed == "?":
            self._console.say(*asked.lines)
            return
        if typed == "q":
            self._code = 0
            return
        answer = asked.usual if not typed else asked.read(typed)
        if answer is None and typed not in ("", "n", "p"):
            self._console.say(Line(asked.again))
            return
        self._asked = None
        if answer is not None:
            then(answer)

    def _open(self, lesson: str) -> None:
        def work() -> _Opened | None:
            known = self._stage.lessons()
            wanted = lesson or next((each.id for each in known), "")
            return _Opened(self._stage.open(wanted), known, self._stage.find_drift()) if wanted else None

        self._works.start("opening", work, self._take_opened)

    def _take_opened(self, opened: _Opened | None) -> None:
        if opened is None:
            self._console.say(Line("There is no lesson here yet.", "bad"))
            return
        self._lesson, self._lessons = opened.lesson, opened.lessons
        self._quizzed, self._seen, self._page = False, self._stage.journal.world, -1
        place = self._place
        self._turn_to(place.resume if place is not None else -1)
        if opened.drift:
            self._console.say(Line(opened.drift))

    def _take_offer(self, offer: UndoOffer) -> None:
        undo = partial(self._stage.reset, offer.step) if offer.resets else self._stage.undo
        self._ask(asking.undo(offer), lambda _: self._put_back(undo, offer.step))

    def _reset(self, step: str) -> None:
        self._put_back(partial(self._stage.reset, step), step)

    def _put_back(self, work: Callable[[], str], step: str) -> None:
        def show(told: str) -> None:
            self._console.say(Line(told, "good"))
            place = self._place
            self._turn_to(place.place_of(step) if place is not None else -1)

        self._works.start("reset", work, show)

    def _end(self, ended: Ended) -> None:
        self._works.take_off(ended.work)
        self._stopping = self._stopping and bool(self._works.running)
        if ended.error is not None:
            self._console.say(*trouble(ended.work, ended.error))
        elif ended.then is None:
            self._console.say(Line("Stopped."))
        else:
            ended.then(ended.result)

    def _on_interrupt(self) -> None:
        running = self._works.running
        if running and not self._stopping:
            self._stopping = True
            self._console.say(Line("Stopping. Ctrl-C again quits without waiting."))
            self._stage.stop()
        elif not running and (self._asked is not None or self._more):
            self._asked, self._more = None, ""
            self._console.say(Line("Left."))
        else:
            self._console.end()
            self._code = INTERRUPTED


def _about(lesson: Lesson, standing: Standing | None) -> str:
    words = [lesson.title, f"{lesson.minutes} minutes", count_of(len(lesson.steps), "step")]
    return f"{', '.join([*words, *describe_standing(lesson, standing or Standing())])}."
