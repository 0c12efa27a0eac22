"""Challenges: something is broken silently, with values of the learner's own, and any repair counts.

A challenge's file holds what may be broken and how; with a seed it becomes a lesson of one step, where it is the
learner's turn. The same seed gives the same lesson.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from lab import paths
from lab.lesson.act import Act
from lab.lesson.model import Bound, Command, Lesson, Title
from lab.lesson.pane_id import PaneId
from lab.panes import CLUSTER
from lab.schema import template
from lab.schema.value import CaptureName, Id, Text, Value

STEP = "repair"
"""The id of the one step of a challenge."""

MOST_SEEDS = 1_000_000
"""A seed is a number from 0 up to this one."""

_ONE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")

#: A check, or the checkpoint, as it is written: a number in it may be a picked value.
_Written = dict[str, Any]

_Pick = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9./:-]*$", max_length=60)]


class Variant(Value):
    """One of the causes; the seed picks one of the challenge's."""

    id: Id
    """What the cause is called."""
    breaks: Command
    """The shell commands that break it, run silently on a manager, in the folder of the stack files."""
    acts: Annotated[tuple[Act, ...], Field(max_length=5)] = ()
    """Faults of machines and their network that the lab causes silently after the commands."""
    hints: Annotated[tuple[Text, ...], Field(min_length=3, max_length=3)]
    """Three hints: where to look, what to see there, what is wrong."""
    solution: Command
    """The shell commands that repair it; shown when they are asked for twice."""
    ways: Annotated[tuple[Command, ...], Field(min_length=1, max_length=5)]
    """Other shell commands that repair it as well."""
    debrief: Text
    """What was wrong, how to see it and how to prevent it; shown when it is repaired."""


class Challenge(Value):
    """Something to repair: the symptom that a user tells, what may have caused it, and how it is known to be gone.
    `{{name}}` stands for a picked value everywhere."""

    id: Id
    """What it is called in commands."""
    title: Title
    """Its name for people, which gives nothing away."""
    topics: Annotated[tuple[Id, ...], Field(min_length=1)]
    """Ids from the course's `syllabus.yaml`."""
    minutes: Annotated[int, Field(ge=1, le=60)]
    """How long it takes those who know how."""
    symptom: Text
    """The symptom, as a user would tell it."""
    picks: Mapping[CaptureName, Annotated[tuple[_Pick, ...], Field(min_length=2)]]
    """Names and the values that one is picked from, for each learner others."""
    variants: Annotated[tuple[Variant, ...], Field(min_length=1)]
    """The causes that one is picked from."""
    panes: tuple[PaneId, ...] = (CLUSTER,)
    """The panes that it uses; the first one is open when it begins."""
    start: _Written = Field(default_factory=dict)
    """The cluster before it is broken."""
    load: _Written | None = None
    """Requests that run from when it is broken."""
    shows: Annotated[tuple[_Written, ...], Field(min_length=1)]
    """The symptom in checks: each becomes true when it is broken."""
    then: Annotated[tuple[_Written, ...], Field(min_length=1)]
    """What is true once it is repaired, and false before."""
    keeps: tuple[_Written, ...] = ()
    """What must be true at the end too, and may be true all the time: that nothing else broke."""
    bound: Bound = 120.0
    """Seconds for a repair to take effect, and for the symptom to show."""

    @model_validator(mode="after")
    def _known_names(self) -> Challenge:
        known = {*self.picks, *template.GIVEN}
        texts = template.iter_strings(self.model_dump(exclude={"picks"}, exclude_unset=True))
        for name in (name for text in texts for name in template.placeholders(text) if name not in known):
            raise ValueError(f"{{{{{name}}}}} is not among the picks")
        return self


def pick_values(challenge: Challenge, seed: int) -> tuple[Mapping[str, str], Variant]:
    """Return the values and the cause that a seed picks."""
    chance = random.Random(f"{challenge.id} {seed}")  # noqa: S311  nothing is kept secret by it
    values = {name: chance.choice(options) for name, options in sorted(challenge.picks.items())}
    return values, chance.choice(challenge.variants)


def as_lesson(challenge: Challenge, seed: int) -> Lesson:
    """Return the challenge with the values of a seed, as a lesson of one step, whose id ends with the seed."""
    lesson = fill_challenge(challenge, *pick_values(challenge, seed))
    return lesson.model_copy(update={"id": f"{challenge.id}-{seed}"})


def fill_challenge(challenge: Challenge, values: Mapping[str, str], variant: Variant) -> Lesson:
    """Return the challenge with these values and this cause, as a lesson of one step. Raises ValidationError for what
    makes no lesson."""
    plain: dict[str, Any] = {
        "id": challenge.id,
        "title": challenge.title,
        "topics": challenge.topics,
        "minutes": challenge.minutes,
        "panes": challenge.panes,
        "about": "Something is broken. Find out what, and repair it in any way. The symptom is on the next page.",
        "start": challenge.start,
        "broken": {
            "by": variant.breaks,
            "acts": [act.model_dump(exclude_unset=True) for act in variant.acts],
            "shows": challenge.shows,
            "load": challenge.load,
            "bound": challenge.bound,
        },
        "steps": [
            {
                "id": STEP,
                "title": challenge.title,
                "text": challenge.symptom,
                "solution": variant.solution,
                "ways": variant.ways,
                "then": challenge.then,
                "keeps": challenge.keeps,
                "hints": [{"say": hint} for hint in variant.hints],
                "after": variant.debrief,
                "pane": next(iter(challenge.panes), None),
                "bound": challenge.bound,
            }
        ],
    }
    context = {"folder": paths.challenges(), "stacks": paths.stacks()}
    return Lesson.model_validate_json(json.dumps(_fill(plain, values)), context=context)


def place_in_file(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return where in a challenge's file a place in its lesson comes from; () for one that has no such place."""
    match place:
        case ("steps", 0, ("then" | "keeps") as key, *rest) | ("broken", ("shows" | "load") as key, *rest):
            return (key, *rest)
        case ("start", *_):
            return place
        case _:
            return ()


def _fill(value: object, values: Mapping[str, str]) -> object:
    """Return the plain value with its placeholders filled in; one that stands alone for a number becomes a number."""
    if isinstance(value, str):
        found = _ONE.fullmatch(value)
        filled = template.fill(value, values)
        return int(filled) if found is not None and filled.isdecimal() else filled
    if isinstance(value, Mapping):
        return {template.fill(key, values): _fill(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_fill(item, values) for item in value]
    return value
