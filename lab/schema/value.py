"""The base of all parts of a lesson: immutable values that reject unknown keys and say what is wrong."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Value(BaseModel):
    """A part of a lesson: frozen, no unknown keys, no conversion of one type into another."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Id = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)]
"""Lowercase letters, digits and hyphens."""

Name = Annotated[str, Field(min_length=1, max_length=200)]
"""The name of a service, a node, a secret and so on; may be a captured value, `{{name}}`."""

CaptureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
"""The name of a captured value, as it stands in `{{name}}`."""

Text = Annotated[str, Field(min_length=1, max_length=10_000)]
"""Markdown."""


def _one_line(text: str) -> str:
    if "\n" in text:
        raise ValueError("must be one line")
    return text


OneLine = Annotated[str, Field(min_length=1, max_length=240), AfterValidator(_one_line)]
"""A sentence or a word, in Markdown."""


AS_TEXT, AS_PARTS = "[text]", "[parts]"
"""The tags of a value's forms, where it may be a text or a mapping: pydantic puts them into an error's place."""


def one_of(value: Value, *names: str) -> str:
    """Return the one of these fields that is set. Raises a readable ValueError unless exactly one is."""
    given = [name for name in names if getattr(value, name) not in (None, (), False)]
    if len(given) != 1:
        raise ValueError(f"needs exactly one of {', '.join(names)}" + (f", not {len(given)}" if given else ""))
    return given[0]
