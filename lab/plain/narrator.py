"""What happens, told as it happens: an entry of the journal becomes a line, or a few, or none."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from lab.checks.command import STILL_RUNNING
from lab.lesson.hints import describe_taken
from lab.lesson.model import Lesson
from lab.plain.line import Line, Tone, code
from lab.plain.pages import afterwards
from lab.plain.place import Place
from lab.tape.transcript import format_seconds, new_lines, requests, trim_output
from lab.world.entries import (
    Captured,
    Checked,
    CommandBegan,
    CommandEnded,
    Entry,
    Hit,
    ManagerLink,
    Progressed,
    StepMoved,
)
from lab.world.waiting import say_how_long
from lab.world.world import KEEP_HITS, Command, World

OWN_HEAD, OWN_TAIL = 200, 50
"""How many first and last lines are shown of a longer output of a command that was typed by hand."""

_TONES: dict[str, Tone] = {"good": "good", "bad": "bad"}


class Narrator:
    """Tells entries as they come. `world` is what was told up to."""

    def __init__(self, world: World, *, live: bool) -> None:
        self.world, self._live = world, live
        self._hits: deque[Hit] = deque(maxlen=KEEP_HITS)  # What is typed may run for hours, and requests go on.
        self._progress = ""

    def tell(self, entry: Entry, world: World, lesson: Lesson | None, work: str) -> Iterator[Line]:
        """Yield the lines for an entry, after which the world is `world`. `work` is what runs: step, command, opening,
        reset; while nothing does, the prompt waits, and only what matters at once is told: a step that is done, and a
        cluster that does not answer. Raises nothing."""
        before, self.world = self.world, world
        fact = entry.fact
        match fact:
            case StepMoved(state="begun"):
                self._hits.clear()
            case StepMoved():
                yield from self._step(fact, lesson)
            case ManagerLink():
                yield from _link(before.link, fact)
            case _ if not work:
                return
            case Hit():
                self._hits.append(fact)
            case Checked():
                known = before.lesson.verdicts.get((fact.lesson, fact.step, fact.check))
                yield from _check(fact, entry.at, held=known is not None and known.ok and known.phase == "after")
            case Captured() if work == "step":
                yield Line(f"Noted: {fact.name} is {fact.value}")
            case CommandBegan():
                yield from (Line(f"On {fact.node} runs:"), code(fact.text))
            case CommandEnded():
                yield from _tell_end(fact, next((c for c in world.commands if c.id == fact.id), None))
            case Progressed() if work == "reset" and self._progress != (words := f"{fact.stage}: {fact.text}"):
                self._progress = words
                yield Line(in_words(words))
            case _:
                # A reset writes both that it does something and that it did.
                for change in (each for each in new_lines(before, world) if each.text != self._progress):
                    yield Line(in_words(change.text), _TONES.get(change.tone, ""))

    def _step(self, fact: StepMoved, lesson: Lesson | None) -> Iterator[Line]:
        for sentence in requests(list(self._hits), self.world):
            yield Line(sentence)
        self._hits.clear()
        step = lesson.step(fact.step) if lesson is not None and lesson.id == fact.lesson else None
        if lesson is None or step is None:
            return
        place = Place(lesson, lesson.steps.index(step), self.world, live=self._live)
        record = place.record(step)
        seconds = record.ended - record.began if record is not None and record.ended is not None else 0.0
        name = f"Step {place.page + 1} of {len(lesson.steps)}"
        why = [each for each in fact.why.split("\n") if each.strip()]
        if fact.state == "passed":
            # One that the lab did not run has no duration: its first line says what did it.
            done = f"Done in {format_seconds(seconds)}." if seconds else why.pop(0) if why else "Done."
            yield Line(f"{name}: {done}", "good")
            yield from (Line(in_words(each)) for each in why)
            if taken := describe_taken(self.world.lesson.hints.get((fact.lesson, fact.step), ())):
                yield Line(f"{taken}.")
            yield from afterwards(place, step)
        elif fact.why == "stopped":
            yield Line(f"{name}: stopped before its end.", "bad")
        else:
            yield Line(f"{name}: not done. {in_words(why.pop(0)) if why else ''}".strip(), "bad")
            yield from (Line(in_words(each)) for each in why)
            again = "r puts the cluster back first" if self._live else "r winds the recording back"
            yield Line(f"Enter tries again; {again}; h gives a hint.")


def in_words(text: str) -> str:
    """Return a sentence of the timeline or of a check without its signs, to be read aloud."""
    return text.replace(" → ", " to ").replace(" · ", ", ")


def _link(before: ManagerLink, now: ManagerLink) -> Iterator[Line]:
    if now.state == before.state:
        return
    if now.state == "live":
        # The first answer is no news.
        yield from [Line("The cluster answers again.", "good")] if before.why or before.state == "stale" else []
    else:
        why = f": {now.why}" if now.why else ""
        yield Line(f"The cluster does not answer{why}. The lab keeps retrying; swarmlab status says more.", "bad")


def _check(fact: Checked, at: float, *, held: bool) -> Iterator[Line]:
    """Tell a verdict. What does not hold before anything was done is no news, nor what goes on to hold, nor that a
    command runs, which was said when it began."""
    found = say_how_long(fact.why, fact.waits, at)
    why = f" ({in_words(found)})" if found and found != fact.text else ""
    if (fact.ok and held) or fact.why == STILL_RUNNING:
        return
    if fact.ok:
        yield Line(f"Holds{' already' if fact.phase == 'before' else ''}: {fact.text}{why}")
    elif fact.phase == "after":
        yield Line(f"Not yet: {fact.text}{why}")


def _tell_end(fact: CommandEnded, command: Command | None) -> Iterator[Line]:
    own = command is not None and not command.step
    lines = trim_output(fact.output, OWN_HEAD, OWN_TAIL) if own else trim_output(fact.output)
    if lines:
        yield code("\n".join(lines))
    yield Line(f"Exit status {fact.status} after {format_seconds(fact.seconds)}.", "bad" if fact.status else "")
