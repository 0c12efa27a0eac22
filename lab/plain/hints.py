"""The answers to `h`, one at a time: the checks' own words, the lesson's hints that fit them, at last a way."""

from __future__ import annotations

from collections.abc import Iterator

from lab.lesson.hints import list_hints
from lab.plain.line import Line, code, filled, filled_command
from lab.plain.narrator import in_words
from lab.plain.place import Place

Hint = tuple[Line, ...]


def next_hint(place: Place, given: frozenset[Hint]) -> Hint | None:
    """Return the first hint that is not among those given; None when there are no more."""
    return next((hint for hint in _hints(place) if hint not in given), None)


def _hints(place: Place) -> Iterator[Hint]:
    step = place.step
    if step is None or place.state == "passed":
        return
    record = place.record(step)
    missing, words = [], []
    for number, _ in enumerate(step.checks):
        verdict = place.world.lesson.verdicts.get((place.lesson.id, step.id, number))
        if verdict is not None and not verdict.ok:
            missing.append(verdict.why)
            words.append(Line(f"Missing: {filled(verdict.text, place.values)} ({in_words(verdict.why)})"))
    if words:
        yield tuple(words)
    # What a failed step ended with may be more than its checks say: that its command ended with an error.
    why = "; ".join([*missing, *([record.why] if record is not None and record.state == "failed" else [])])
    for said in list_hints(step, [why]):
        yield (Line("Hint:", "head"), Line(filled(said, place.values), form="markdown"))
    if step.command is not None:
        where = f" on {filled(step.on, place.values)}" if step.on else ""
        yield (Line(f"This does it{where}:"), code(filled_command(step.command, place.values)))
