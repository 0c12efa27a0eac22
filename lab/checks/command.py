"""Checks on the step's command: how it ended, and what it printed."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from lab.checks.base import Baseline, Condition, Outcome, Pattern, regex
from lab.schema.value import one_of
from lab.world.world import Command, World

STILL_RUNNING = "the command is still running"
"""What a check on a command finds until it ends."""
#: The docker CLI's groups of commands, whose verb is the third word.
_GROUPS = frozenset(
    {"config", "container", "image", "network", "node", "plugin", "secret", "service", "stack", "swarm", "system"}
)


#: The status of a command that Ctrl-C ended, such as `docker service logs --follow`.
_INTERRUPTED = 130
#: Other names of the same verbs.
_ALIASES = {"remove": "rm", "list": "ls"}
#: Options of the docker CLI itself that take no value.
_FLAGS = frozenset({"-D", "--debug", "--tls", "--tlsverify"})


_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*")


class Exit(Condition):
    """The step's command ended with this exit status."""

    kind = "event"
    of_command = True
    of_swarm = False
    example = "0"

    status: Annotated[int, Field(ge=0, le=255)]

    @property
    def sentence(self) -> str:
        return f"the command ends with exit status {self.status}"

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        every = _commands(world, baseline)
        done = [c for c in every if c.status is not None]
        if not done:
            return Outcome(False, _no_command(every))
        last = done[-1]
        return Outcome(any(c.status == self.status for c in done), f"the command ended with exit status {last.status}")


class Output(Condition):
    """The output of the step's command contains a text, or has a line that matches a regular expression."""

    kind = "event"
    of_command = True
    of_swarm = False
    example = "{contains: web.3}"

    contains: Pattern | None = None
    matches: Pattern | None = None
    says: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """A description, for the screen, of what the expression looks for."""

    @model_validator(mode="after")
    def _one(self) -> Output:
        one_of(self, "contains", "matches")
        return self

    @field_validator("matches")
    @classmethod
    def _compiles(cls, matches: str | None) -> str | None:
        return regex(matches) if matches else matches

    @property
    def sentence(self) -> str:
        return "the output " + (
            self.says or (f"holds “{self.contains}”" if self.contains else f"matches {self.matches}")
        )

    def evaluate(self, world: World, baseline: Baseline) -> Outcome:
        every = _typed_since(world, baseline)
        done = [c for c in every if c.status is not None]
        if baseline.command is None:  # An error message may repeat what is looked for.
            done = [c for c in done if c.status in {*baseline.accepts, _INTERRUPTED}]
        if not done:
            return Outcome(False, _no_command(every))
        if any(self._is_in(c.output) for c in done):
            return Outcome(True, "the output " + (self.says or f"has “{self.contains or self.matches}”"))
        if not done[-1].output.strip():
            return Outcome(False, "the command printed nothing")
        wanted = self.says or f"“{self.contains or self.matches}”"
        return Outcome(False, f"not in the output of the command: {wanted}")

    def _is_in(self, output: str) -> bool:
        if self.contains:
            return self.contains in output
        return any(re.search(str(self.matches), line) for line in output.splitlines())


def _typed_since(world: World, baseline: Baseline) -> list[Command]:
    """Return the step's command, or every command since the step was opened when the lab types none."""
    if baseline.command is not None:
        return [c for c in world.commands if c.id == baseline.command]
    known = {c.id for c in baseline.since.commands}
    return [c for c in world.commands if c.id not in known]


def _commands(world: World, baseline: Baseline) -> list[Command]:
    """Return those of them that do what the step's own command does."""
    every, verb = _typed_since(world, baseline), _verb(baseline.like)
    return [c for c in every if baseline.command is not None or (verb and _verb(c.text) == verb)]


def _verb(command: str) -> list[str]:
    """Return the action of a command, without its arguments: `docker service ps`, `docker kill`, `curl`."""
    words = command.rpartition("|")[2].split()
    while words and (words[0] == "sudo" or _ASSIGNMENT.fullmatch(words[0])):
        words = words[1:]
    if words[:1] != ["docker"]:
        return words[:1]
    rest = words[1:]
    while rest and rest[0].startswith("-"):  # an option of docker's own: --context node2, -H tcp://...
        rest = rest[1 if "=" in rest[0] or rest[0] in _FLAGS else 2 :]
    verb = rest[: 2 if rest[:1] and rest[0] in _GROUPS else 1]
    return ["docker", *(_ALIASES.get(word, word) for word in verb)]


def _no_command(typed: list[Command]) -> str:
    return STILL_RUNNING if typed else "the command has not run yet"
