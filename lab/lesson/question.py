"""What a lesson asks: a prediction before a step, as a number or a choice, and the questions at its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema, model_validator

from lab.schema.diagnostics import did_you_mean
from lab.schema.value import CaptureName, Id, Text, Value

_FEWEST = 2


def _check_choices(choices: tuple[str, ...]) -> tuple[str, ...]:
    if len(choices) < _FEWEST:
        raise ValueError("needs at least two choices")
    twice = next((each for place, each in enumerate(choices) if each in choices[:place]), None)
    if twice is not None:
        raise ValueError(f"has the choice {twice!r} twice")
    return choices


def _by_place(answer: object, info: ValidationInfo) -> object:
    """Return the choice at a place; anything else as it is."""
    choices = info.data.get("choices")
    if not isinstance(answer, int) or isinstance(answer, bool) or not choices:
        return answer
    if not 0 <= answer < len(choices):
        raise ValueError(f"there is no choice {answer}: they are counted from 0 to {len(choices) - 1}")
    if str(answer) in choices and choices[answer] != str(answer):
        raise ValueError(f'{answer} is the place of one choice and the text of another; write the text, "{answer}"')
    return choices[answer]


def _among(answer: str, info: ValidationInfo) -> str:
    choices = info.data.get("choices")
    if choices and answer not in choices:
        raise ValueError(f"{answer!r} is none of the choices{did_you_mean(answer, choices)}")
    return answer


Choices = Annotated[
    tuple[Annotated[str, Field(min_length=1, max_length=120)], ...], Field(max_length=6), AfterValidator(_check_choices)
]
Answer = Annotated[
    str,
    BeforeValidator(_by_place),
    AfterValidator(_among),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 0}]}),
]
"""The right one of the field `choices`: its text, or its place, counted from 0. The value holds the text."""


class Question(Value):
    """A prediction that the learner makes before the step runs: one of `choices`, or without them a number, which is
    shown next to the measured value."""

    name: CaptureName
    """The name of the answer: `{{name}}` in a text."""
    text: Text
    """The question."""
    usual: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """The number used when nobody is asked."""
    choices: Choices = ()
    """Two to six answers to choose from."""
    answer: Answer | None = None
    """The right choice: its text, or its place, counted from 0."""
    because: Text | None = None
    """Why that is so; shown with the answer when the step has passed."""

    @model_validator(mode="after")
    def _sane(self) -> Question:
        if self.choices and self.answer is None:
            raise ValueError("choices need an answer: the right one")
        if not self.choices and self.answer is not None:
            raise ValueError("an answer goes with choices; a number is measured")
        if self.choices and "usual" in self.model_fields_set:
            raise ValueError("usual goes with a number, not with choices")
        return self

    def strings(self) -> Iterator[str]:
        """Yield its texts."""
        yield from (self.text, *self.choices, self.because or "")


class QuizItem(Value):
    """A question at the end of a lesson; a wrong answer leads back to `step`."""

    ask: Text
    """The question."""
    choices: Choices
    """Two to six answers to choose from."""
    answer: Answer
    """The right choice: its text, or its place, counted from 0."""
    step: Id
    """The step that shows it."""
    because: Text | None = None
    """Why the right one is right; shown with the answer."""
