"""A lesson as data: what a YAML file under `lessons/` holds. `lab.course.load` reads it, and says what is wrong.

Texts are Markdown. `{{name}}` in a command, a node's name, a check or a text stands for a captured value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from lab.course import words
from lab.course.checkpoint import Checkpoint, Patch
from lab.course.checks import Check, Pattern, regex
from lab.course.value import Id, Name, Text, Value, one_of

Title = Annotated[str, Field(min_length=1, max_length=80)]
Bound = Annotated[float, Field(gt=0, le=1800)]
Pane = Literal["reconciliation"]
CaptureName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]


class Needs(Value):
    """The least cluster on which the lesson tells the truth."""

    nodes: Annotated[int, Field(ge=1, le=50)] = 1
    managers: Annotated[int, Field(ge=1, le=50)] = 1


class Act(Value):
    """Something that the lab does to a machine: exactly one of these, with the node's name.

    stop and start: power off and on. cut and heal: off the nodes' own network, and back on it.
    """

    stop: Name | None = None
    start: Name | None = None
    cut: Name | None = None
    heal: Name | None = None

    @model_validator(mode="after")
    def _one(self) -> Act:
        one_of(self, "stop", "start", "cut", "heal")
        return self

    @property
    def action(self) -> str:
        """stop | start | cut | heal."""
        return one_of(self, "stop", "start", "cut", "heal")

    @property
    def node(self) -> str:
        """Which node."""
        return str(getattr(self, self.action))

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        does = {
            "stop": "power {} off",
            "start": "power {} on",
            "cut": "cut {} off the network",
            "heal": "give {} its network back",
        }
        return does[self.action].format(self.node)


class Capture(Value):
    """A value for later: of a running task of a service (when the step begins), or from the command's output.

    The task is the running one in `slot`, or the first that runs when no slot is named.
    """

    service: Name | None = None
    slot: Annotated[int, Field(ge=1)] | None = None
    on: Name | None = None
    """Only a task on this node."""
    take: Literal["node", "container", "task", "name"] | None = None
    """The node's name, the container's id, the task's id, or the task's name (`web.2`)."""
    output: Pattern | None = None
    """A regular expression with one group, whose text is the value; a line at a time."""

    @model_validator(mode="after")
    def _one(self) -> Capture:
        if one_of(self, "service", "output") == "service":
            if self.take is None:
                raise ValueError("needs take: node, container, task or name")
        elif self.take or self.slot or self.on:
            raise ValueError("take, slot and on go with service, not with output")
        return self

    @field_validator("output")
    @classmethod
    def _group(cls, output: str | None) -> str | None:
        if output is not None and re.compile(regex(output)).groups != 1:
            raise ValueError("needs exactly one group, in parentheses")
        return output


class Hint(Value):
    """What to say when a check stays red. `when` is a regular expression on the check's own finding; its named
    groups can be used in `say` as `{{name}}`. Without `when` it always fits."""

    when: Pattern | None = None
    say: Text

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str | None) -> str | None:
        return regex(when) if when else when


class Step(Value):
    """A text, a command or an act, and what must then be true within `bound` seconds."""

    id: Id
    title: Title
    text: Text
    run: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """The shell command. A captured value is put in as one quoted word, so it must not stand inside quotes."""
    on: Name = ""
    """The node whose shell runs it; "" is a manager that lives."""
    act: Act | None = None
    capture: Mapping[CaptureName, Capture] = {}
    then: Annotated[tuple[Check, ...], Field(min_length=1)]
    bound: Bound = 120.0
    """Seconds for the command and its checks together; generous, since a cluster may be emulated."""
    hints: tuple[Hint, ...] = ()
    notes: Text | None = None
    """For the speaker."""
    leaves: Patch | None = None
    """What the step changes in the checkpoint of the steps after it."""

    @model_validator(mode="after")
    def _sane(self) -> Step:
        if (self.run is None) == (self.act is None):
            raise ValueError("a step needs exactly one of run, act")
        if self.on and self.run is None:
            raise ValueError("on goes with run")
        if self.run is None:
            if any(c.of_command for c in self.then):
                raise ValueError("exit and output go with run")
            if any(c.output for c in self.capture.values()):
                raise ValueError("a capture from the output goes with run")
        for name in words.quoted_holes(self.run or ""):
            raise ValueError(f"{{{{{name}}}}} stands inside quotes: a captured value is quoted when it is put in")
        return self

    @property
    def checks(self) -> tuple[Check, ...]:
        """What must hold: `then`, and that the command ends with status 0 unless `then` names a status."""
        if self.run is None or any(c.exit is not None for c in self.then):
            return self.then
        return (*self.then, Check(exit=0))

    @property
    def sentence(self) -> str:
        """What the step does: its command, or its act in words."""
        return self.act.sentence if self.act else str(self.run)

    def strings(self) -> Iterator[str]:
        """Every text in which a captured name may stand, hints aside."""
        yield from (self.title, self.text, self.run or "", self.on, self.notes or "")
        yield from words.strings(self.act.model_dump(exclude_none=True) if self.act else {})
        for check in self.then:
            yield from words.strings(check.model_dump(exclude_unset=True))


class Lesson(Value):
    """A lesson: where it starts, and its steps."""

    id: Id
    title: Title
    topics: Annotated[tuple[Id, ...], Field(min_length=1)]
    """Ids from `syllabus.yaml`."""
    minutes: Annotated[int, Field(ge=1, le=240)]
    panes: tuple[Pane, ...] = ("reconciliation",)
    about: Text
    needs: Needs = Needs()
    start: Checkpoint = Checkpoint()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]

    def step(self, id: str) -> Step | None:
        """The step of that id."""
        return next((s for s in self.steps if s.id == id), None)


class Topic(Value):
    """A topic of the talk: its slides, and the lessons that teach it (none yet: an honest gap)."""

    id: Id
    title: Title
    slides: Annotated[tuple[Title, ...], Field(min_length=1)]
    lessons: tuple[Id, ...] = ()


class Syllabus(Value):
    """The talk's topics in its order, and the order in which lessons are offered."""

    title: Title
    lessons: tuple[Id, ...]
    topics: Annotated[tuple[Topic, ...], Field(min_length=1)]
