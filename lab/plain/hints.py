"""The answers to `h`, one at a time: the checks' own words, then the step's hints, each of which gives more away."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lab.lesson.hints import SOLUTION, list_hints
from lab.plain.line import Line, code, describe_command, fill_text
from lab.plain.narrator import in_words
from lab.plain.place import Place

TWICE = "asked"
"""The key of the answer that says that the solution is next."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer: `key` tells it from the others of its step, `id` is that of the step's hint, "" for what is none."""

    key: tuple[str, ...]
    lines: tuple[Line, ...]
    id: str = ""


def next_answer(place: Place, given: Collection[tuple[str, ...]], now: float) -> Answer | None:
    """Return the first answer that is not among those given, by their keys; None when there are no more. `now` is the
    journal's time, in seconds."""
    return next((answer for answer in _answers(place, now) if answer.key not in given), None)


def _answers(place: Place, now: float) -> Iterator[Answer]:
    step = place.step
    if step is None or place.state == "passed":
        return
    record = place.record(step)
    missing, words = [], []
    for number, _ in enumerate(step.checks):
        verdict = place.world.lesson.verdicts.get((place.lesson.id, step.id, number))
        if verdict is not None and not verdict.ok:
            missing.append(verdict.why)
            found = in_words(verdict.why_at(now))
            words.append(Line(f"Missing: {fill_text(verdict.text, place.values)} ({found})"))
    if words:
        yield Answer(tuple(missing), tuple(words))
    # What a failed step ended with may be more than its checks say: that its command ended with an error.
    why = "; ".join([*missing, *([record.why] if record is not None and record.state == "failed" else [])])
    for hint in list_hints(step, [why]):
        if hint.id == SOLUTION:
            yield Answer((TWICE,), (Line("The solution is next: h once more tells it."),))
            where = f" on {fill_text(step.on, place.values)}" if step.on else ""
            does = (Line(f"This does it{where}:"), code(describe_command(hint.command, place.values)))
            yield Answer((hint.id, hint.text), does, hint.id)
        else:
            told = (Line("Hint:", "head"), Line(fill_text(hint.text, place.values), form="markdown"))
            yield Answer((hint.id, hint.text), told, hint.id)
