"""What a talk's slides took in rehearsals, kept between them; and what their steps took when they were recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from lab import json_store
from lab.errors import LabError
from lab.lesson.talk import Talk
from lab.session.talk.forecast import SlideTime
from lab.tape.find import tapes
from lab.tape.tape import Tape, load
from lab.world.entries import StepMoved

KEPT = 5
"""Rehearsals of a slide that are kept: the last ones."""
_MOST = 7200.0
"""Seconds; a rehearsal that was left open overnight says nothing."""


@dataclass(frozen=True)
class Rehearsed:
    """A row of a rehearsal's table: a slide's id and title, this time's seconds, and those it takes by the median of
    the kept rehearsals; None: never."""

    id: str
    title: str
    now: SlideTime | None
    usual: SlideTime | None


def read_rehearsals(talk: Talk) -> Mapping[str, SlideTime]:
    """Return the usual times of the slides that were rehearsed, by id. A damaged file counts as none."""
    kept = json_store.read_store(json_store.store_path("rehearsals", talk.id)).get("slides")
    if not isinstance(kept, dict):
        return {}
    found = {slide.id: _usual(kept.get(slide.id)) for slide in talk.slides}
    return {id: time for id, time in found.items() if time is not None}


def keep_rehearsal(talk: Talk, times: Mapping[str, SlideTime]) -> None:
    """Keep what slides took, beside the rehearsals before. Raises LabError when it cannot be written."""

    def add(before: json_store.Kept) -> json_store.Kept:
        kept = before.get("slides")
        slides: dict[str, Any] = dict(kept) if isinstance(kept, dict) else {}
        for id, time in times.items():
            old = slides.get(id)
            rows = list(old) if isinstance(old, list) else []
            slides[id] = [*rows, [round(time.machine, 1), round(time.words, 1)]][-KEPT:]
        return {**before, "slides": slides}

    json_store.update_store(json_store.store_path("rehearsals", talk.id), add)


def compare_rehearsals(talk: Talk, now: Mapping[str, SlideTime]) -> tuple[Rehearsed, ...]:
    """Return a row for each slide: what it took now, and what it usually takes."""
    usual = read_rehearsals(talk)
    return tuple(Rehearsed(s.id, s.step.title, now.get(s.id), usual.get(s.id)) for s in talk.slides)


def recorded_seconds(talk: Talk) -> Mapping[str, float]:
    """Return how long each slide's step ran when its lesson was recorded; slides without a recording are left out."""
    shipped, found = tapes(), {}
    for id in dict.fromkeys(slide.lesson.id for slide in talk.slides):
        if id in shipped:
            try:
                found.update({f"{id}:{step}": took for step, took in step_seconds(load(shipped[id])).items()})
            except LabError:
                continue  # A damaged recording gives no times; whoever plays it says what is wrong.
    return {slide.id: found[slide.id] for slide in talk.slides if slide.id in found}


def step_seconds(tape: Tape) -> Mapping[str, float]:
    """Return how many seconds each step of a recording ran, from its beginning to its verdict."""
    begun: dict[str, float] = {}
    took: dict[str, float] = {}
    for entry in tape.entries:
        fact = entry.fact
        if not isinstance(fact, StepMoved):
            continue
        if fact.state == "begun":
            begun[fact.step] = entry.at
        elif fact.step in begun:
            took[fact.step] = round(entry.at - begun[fact.step], 2)
    return took


def _usual(rows: object) -> SlideTime | None:
    good = [row for row in rows if _is_time(row)] if isinstance(rows, Sequence) and not isinstance(rows, str) else []
    if not good:
        return None
    return SlideTime(median(row[0] for row in good), median(row[1] for row in good))


def _is_time(row: object) -> bool:
    return (
        isinstance(row, list)
        and len(row) == 2
        and all(isinstance(n, int | float) and not isinstance(n, bool) and 0 <= n <= _MOST for n in row)
    )
