"""What every kind of check has: its sentence, what it needs to be looked at, and how it judges a world."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lab.schema.value import Value
from lab.world.request import Request
from lab.world.world import World

Count = Annotated[int, Field(ge=0, le=1000)]
Some = Annotated[int, Field(ge=1, le=1000)]
Pattern = Annotated[str, Field(min_length=1, max_length=300)]

Kind = Literal["state", "event", "total"]
"""state: is true now. event: has happened since the step began, and what has happened stays so. total: counted since
the step began, and one more can make it false again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a check holds, and a plain sentence that says why."""

    ok: bool
    why: str


@dataclass(frozen=True)
class Baseline:
    """What events, totals and requests are measured from.

    `since` is the world when the step began, `asked` the world when the last round of requests began, `command`
    the id of the step's command: None when it was not typed by the lab, and then `like` is the command that the
    step names, and any command typed since that does the same (`docker service ps`) is taken.
    """

    since: World = field(default_factory=World)
    asked: World = field(default_factory=World)
    command: int | None = None
    like: str = ""


class Condition(Value):
    """What a check asks: the value under its key. A new kind of check is a subclass of this, and a line in
    `lab.checks.check.Check`."""

    kind: ClassVar[Kind] = "state"
    of_command: ClassVar[bool] = False
    """Asks about the step's command, which nothing but another command can change."""
    source: ClassVar[str] = ""
    """The source of `lab.watch` that must have looked lately, "" for the swarm's own."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """What it asks, in words, without a full stop."""

    @abstractmethod
    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        """Whether it holds in `world`: a pure predicate. The outcome's `why` is a sentence with the real figures, and
        is what a lesson's hints are keyed to."""

    @property
    def request(self) -> Request | None:
        """The request that it needs answered, if it is about one."""
        return None

    @property
    def times(self) -> int:
        """How many requests each node is sent in one round."""
        return 1

    def is_lost(self, world: World, baseline: Baseline) -> bool:  # noqa: ARG002
        """Whether nothing that may still happen in the step can make it hold."""
        return False

    def measure(self, world: World, baseline: Baseline) -> Iterable[str]:  # noqa: ARG002
        """What the step measured that this is about: a sentence each."""
        return ()


def regex(text: str) -> str:
    """The text, when it is a regular expression. Raises ValueError that says why not."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text
