"""The base of every kind of check: its sentence, what it needs to be checked, and how it judges a world."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from lab.schema.value import Value
from lab.world.request import Request
from lab.world.waiting import Waiting, say_how_long
from lab.world.world import World

Count = Annotated[int, Field(ge=0, le=1000)]
Some = Annotated[int, Field(ge=1, le=1000)]
Pattern = Annotated[str, Field(min_length=1, max_length=300)]

Kind = Literal["state", "event", "total"]
"""state: true now. event: happened since the step began, and stays true once it has happened. total: counted since the
step began; one more can make it false again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether a check holds, and a plain sentence that says why. `waits` are the parts of it that have been so for some
    time."""

    ok: bool
    why: str
    waits: tuple[Waiting, ...] = ()

    def why_at(self, now: float) -> str:
        """Return the sentence, and for how long it has been so at `now`, the journal's time in seconds."""
        return say_how_long(self.why, self.waits, now)


@dataclass(frozen=True)
class Baseline:
    """The points from which events, totals and requests are measured.

    `since` is the world when the step began, `asked` the world when the last round of requests began, `command` the id
    of the step's command. It is None when the lab did not type the command: then any command's output counts, and the
    exit status of any that has the verb of `like`, the command that the step names (`docker service ps`); output counts
    only of one that ended with a status in `accepts`, or was interrupted.
    """

    since: World = field(default_factory=World)
    asked: World = field(default_factory=World)
    command: int | None = None
    like: str = ""
    accepts: frozenset[int] = frozenset({0})


class Condition(Value):
    """The condition that a check asks for: the value under its key. A new kind of check is a subclass of this, and a
    line in `lab.checks.check.Check`."""

    kind: ClassVar[Kind] = "state"
    of_command: ClassVar[bool] = False
    """Whether it asks about the step's command, so that only another command can change the result."""
    of_swarm: ClassVar[bool] = True
    """Whether it can be judged only by what a manager reports."""
    source: ClassVar[str] = ""
    """The source in `lab.watch` that must have polled recently, "" for the swarm's own."""
    example: ClassVar[str] = ""
    """A value of the key in a lesson, in YAML, for the author's chapter."""

    @property
    @abstractmethod
    def sentence(self) -> str:
        """The condition in words, without a full stop."""

    @abstractmethod
    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        """Evaluate the condition in `world`, as a pure function. The outcome's `why` is a sentence with the actual
        figures, and is what a lesson's hints are matched against."""

    @property
    def request(self) -> Request | None:
        """The request that must be answered, if the condition is about one."""
        return None

    @property
    def mark(self) -> str:
        """A text that must be looked for on the nodes' network from the lesson's beginning; "" for none."""
        return ""

    @property
    def times(self) -> int:
        """The number of requests sent to each node in one round."""
        return 1

    def is_lost(self, world: World, baseline: Baseline) -> bool:  # noqa: ARG002
        """Return whether nothing that can still happen in the step could make the condition hold."""
        return False

    def measure(self, world: World, baseline: Baseline) -> Iterable[str]:  # noqa: ARG002
        """Return what the step measured about this condition, one sentence each."""
        return ()


def regex(text: str) -> str:
    """Return the text if it is a valid regular expression. Raises ValueError that says why it is not."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text
