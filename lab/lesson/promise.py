"""What a lesson's texts promise: passages with a figure or an order, each with the checks that prove it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, field_validator

from lab.checks.check import Check
from lab.schema.value import Text, Value


class Promise(Value):
    """A passage that states a figure or an order, and the checks that prove it."""

    text: Text
    """The passage, word for word, from the step's `after`, its question's answer or `because`, or from `recap`."""
    holds: Annotated[tuple[Check, ...], Field(min_length=1, max_length=5)]
    """The checks that hold once the step has passed, whether or not they held before. None that sends requests."""

    @field_validator("holds")
    @classmethod
    def _seen(cls, holds: tuple[Check, ...]) -> tuple[Check, ...]:
        for check in holds:
            if check.condition.request is not None:
                raise ValueError(
                    "a promise is held against what was seen; a check that sends requests goes with `then`"
                )
        return holds

    def is_in(self, texts: Iterable[str]) -> bool:
        """Return whether one of these texts has the passage; line breaks count as spaces."""
        passage = one_line(self.text)
        return any(passage in one_line(text) for text in texts)


def one_line(text: str) -> str:
    """Return a text with every run of white space as one space."""
    return " ".join(text.split())
