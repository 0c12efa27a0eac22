"""What checks ask of the swarm, and of a step's command. `lab.course.checks` tells what kinds there are."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lab.course import words
from lab.course.value import Name, Value, one_of

Count = Annotated[int, Field(ge=0, le=1000)]
Some = Annotated[int, Field(ge=1, le=1000)]
Pattern = Annotated[str, Field(min_length=1, max_length=300)]


class Running(Value):
    """So many tasks of a service run and should: exactly, or at least."""

    service: Name
    exactly: Count | None = None
    at_least: Some | None = None

    @model_validator(mode="after")
    def _one(self) -> Running:
        if (self.exactly is None) == (self.at_least is None):
            raise ValueError("needs exactly one of exactly, at_least")
        return self

    @property
    def sentence(self) -> str:
        if self.exactly is None:
            return f"at least {words.many(self.at_least or 0, 'task')} of {self.service} {_verb(self.at_least, 'run')}"
        if not self.exactly:
            return f"no task of {self.service} runs"
        return f"{words.many(self.exactly, 'task')} of {self.service} {_verb(self.exactly, 'run')}"


class ServiceIs(Value):
    """A service is declared so, or is absent."""

    name: Name
    absent: bool = False
    replicas: Count | None = None
    image: Name | None = None
    update: (
        Literal["updating", "paused", "completed", "rollback_started", "rollback_paused", "rollback_completed"] | None
    ) = None

    @model_validator(mode="after")
    def _sane(self) -> ServiceIs:
        if self.absent and (self.replicas is not None or self.image or self.update):
            raise ValueError("absent goes with no other key")
        return self

    @property
    def sentence(self) -> str:
        if self.absent:
            return f"there is no service {self.name}"
        asks = [
            f"wants {words.many(self.replicas, 'replica')}" if self.replicas is not None else "",
            f"has the image {self.image}" if self.image else "",
            f"has its update {self.update.replace('_', ' ')}" if self.update else "",
        ]
        return f"service {self.name} " + (" and ".join(a for a in asks if a) or "exists")


class Happened(Value):
    """Since the step began, tasks of a service came into a state, with an exit status, on a node."""

    service: Name
    task: Literal["running", "complete", "shutdown", "failed", "rejected", "orphaned"]
    exit: Annotated[int, Field(ge=0, le=255)] | None = None
    on: Name | None = None
    at_least: Some = 1

    @property
    def sentence(self) -> str:
        how = {"running": "started", "shutdown": "was shut down", "complete": "completed", "rejected": "was rejected"}
        did = how.get(self.task, "failed" if self.task == "failed" else "was orphaned")
        if self.at_least > 1:
            did = did.replace("was ", "were ")
        exit = f" (exit {self.exit})" if self.exit is not None else ""
        where = f" on {self.on}" if self.on else ""
        who = f"a task of {self.service}" if self.at_least == 1 else f"{self.at_least} tasks of {self.service}"
        return f"{who} {did}{exit}{where}"


class Replaced(Value):
    """Since the step began, a task that ran (on a node) came to its end, and a newer one in its slot runs."""

    service: Name
    on: Name | None = None
    at_least: Some = 1
    then_running: Count | None = None
    """How many tasks of the service must then run."""

    @property
    def sentence(self) -> str:
        where = f" on {self.on}" if self.on else ""
        who = f"a task of {self.service}" if self.at_least == 1 else f"{self.at_least} tasks of {self.service}"
        then = f", and {self.then_running} of {self.then_running} run again" if self.then_running else ""
        return f"{who}{where} {'was' if self.at_least == 1 else 'were'} replaced{then}"


class Updated(Value):
    """Since the step began, an update of a service came to this state."""

    service: Name
    state: Literal["completed", "paused", "rollback_completed", "rollback_paused"]

    @property
    def sentence(self) -> str:
        came = {
            "completed": "has been updated",
            "paused": "has its update paused",
            "rollback_completed": "has been rolled back",
            "rollback_paused": "has its rollback paused",
        }
        return f"{self.service} {came[self.state]}"


class Placed(Value):
    """Where the running tasks of a service are: only on a role, only on these nodes, on so many, on every node."""

    service: Name
    role: Literal["manager", "worker"] | None = None
    nodes: tuple[Name, ...] = ()
    at_least: Some | None = None
    """Nodes, not tasks."""
    every_node: bool = False
    """Every node that is ready and active."""

    @model_validator(mode="after")
    def _one(self) -> Placed:
        one_of(self, "role", "nodes", "at_least", "every_node")
        return self

    @property
    def sentence(self) -> str:
        if self.role:
            return f"{self.service} runs on {self.role}s only"
        if self.nodes:
            return f"{self.service} runs on {_either(self.nodes)} only"
        if self.at_least:
            return f"{self.service} runs on at least {words.many(self.at_least, 'node')}"
        return f"{self.service} runs on every node"


class NodeIs(Value):
    """A node as the managers see it."""

    name: Name
    state: Literal["ready", "down", "unknown", "disconnected"] | None = None
    availability: Literal["active", "pause", "drain"] | None = None
    role: Literal["manager", "worker"] | None = None
    leader: bool | None = None
    label: Annotated[str, Field(pattern=r"^[^=\s]+=\S*$", max_length=200)] | None = None
    """`NAME=value`."""

    @model_validator(mode="after")
    def _some(self) -> NodeIs:
        if not self.model_fields_set - {"name"}:
            raise ValueError("needs one of state, availability, role, leader, label")
        return self

    @property
    def sentence(self) -> str:
        asks = [
            f"is {self.state}" if self.state else "",
            f"is set to {self.availability}" if self.availability else "",
            f"is a {self.role}" if self.role else "",
            "" if self.leader is None else "leads the managers" if self.leader else "does not lead the managers",
            f"bears the label {self.label}" if self.label else "",
        ]
        return f"{self.name} " + " and ".join(a for a in asks if a)


class Exists(Value):
    """A secret, a config or a network is there, or is absent."""

    secret: Name | None = None
    config: Name | None = None
    network: Name | None = None
    absent: bool = False

    @model_validator(mode="after")
    def _one(self) -> Exists:
        one_of(self, "secret", "config", "network")
        return self

    @property
    def what(self) -> str:
        return one_of(self, "secret", "config", "network")

    @property
    def name(self) -> str:
        return str(getattr(self, self.what))

    @property
    def sentence(self) -> str:
        return f"{'there is no' if self.absent else 'there is a'} {self.what} {self.name}"


class Exit(Value):
    """The step's command ended with this status."""

    status: Annotated[int, Field(ge=0, le=255)]

    @property
    def sentence(self) -> str:
        return f"the command ends with exit status {self.status}"


class Output(Value):
    """What the step's command printed holds a text, or matches a regular expression (a line at a time)."""

    contains: Pattern | None = None
    matches: Pattern | None = None
    says: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    """What the expression looks for, in words for the screen."""

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


def regex(text: str) -> str:
    """The text, when it is a regular expression. Raises ValueError that says why not."""
    try:
        re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"is not a regular expression: {error}") from None
    return text


def _verb(count: int | None, word: str) -> str:
    return word + "s" if count == 1 else word


def _either(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
