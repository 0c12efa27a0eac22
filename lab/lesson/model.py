"""A lesson as data: the content of a YAML file under `lessons/`. `lesson/course.py` reads it and reports what is wrong.

Texts are Markdown. `{{name}}` in a command, a node's name, a check or a text stands for a captured value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from lab.checks.base import Pattern, regex
from lab.checks.check import Check
from lab.lesson.act import Act, LoadAct
from lab.lesson.checkpoint import Checkpoint, Patch
from lab.lesson.excerpt import excerpt
from lab.lesson.notes import AnyNotes, notes_markdown
from lab.lesson.pane_id import PaneId
from lab.lesson.promise import Promise
from lab.lesson.question import Question, QuizItem
from lab.panes import CLUSTER
from lab.schema import template
from lab.schema.value import CaptureName, Id, Name, OneLine, Text, Value, one_of

Title = Annotated[str, Field(min_length=1, max_length=80)]
Command = Annotated[str, Field(min_length=1, max_length=4000)]
Bound = Annotated[float, Field(gt=0, le=1800)]


class Needs(Value):
    """The smallest cluster on which what the lesson says is true."""

    nodes: Annotated[int, Field(ge=1, le=50)] = 1
    """How many nodes there must be."""
    managers: Annotated[int, Field(ge=1, le=50)] = 1
    """How many of them must be managers."""


class Became(Value):
    """The part of the cluster that a block of a stack file became: exactly one of these keys besides `of`."""

    service: Name | None = None
    """A service, by its full name: `app_frontend`."""
    network: Name | None = None
    """A network."""
    secret: Name | None = None
    """A secret."""
    config: Name | None = None
    """A config."""
    router: Name | None = None
    """A router, as Traefik names it without the provider."""
    label: Name | None = None
    """A label of the service named in `of`."""
    node_label: Name | None = None
    """A node's label, `NAME=value`."""
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    """A published port."""
    of: Name | None = None
    """The service whose label, port or tasks are meant."""

    @model_validator(mode="after")
    def _one(self) -> Became:
        kinds = ("service", "network", "secret", "config", "router", "label", "node_label", "port")
        if one_of(self, *kinds) == "label" and self.of is None:
            raise ValueError("a label needs of: the service that bears it")
        return self


class Reading(Value):
    """A block of a stack file, shown next to its explanation and to what it became."""

    file: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", max_length=200)]
    """Path relative to the stacks folder."""
    block: Annotated[str, Field(min_length=1, max_length=200)]
    """Keys from the top level as a path: `services/traefik/deploy`; `#1-4` after it selects lines of that block."""
    says: Text
    """What the block says, in your words."""
    became: Became | None = None
    """What it became in the cluster; shown below it, live."""
    excerpt: str = ""
    """The block's own lines; filled in when the lesson is read."""

    @model_validator(mode="before")
    @classmethod
    def _read(cls, data: Any, info: ValidationInfo) -> Any:
        folder = (info.context or {}).get("stacks")
        if folder is None or not isinstance(data, dict) or not {"file", "block"} <= data.keys() or data.get("excerpt"):
            return data
        return {**data, "excerpt": excerpt(folder, str(data["file"]), str(data["block"]))}


class Capture(Value):
    """A value captured for later: from a running task of a service (when the step begins), or from the output.

    The task is the one running in `slot`, or the first running task when no slot is given.
    """

    service: Name | None = None
    """The service that the value is taken from."""
    slot: Annotated[int, Field(ge=1)] | None = None
    """Only the task in this slot."""
    on: Name | None = None
    """Only a task on this node."""
    take: Literal["node", "container", "task", "name"] | None = None
    """The node's name, the container's id, the task's id, or the task's name (`web.2`)."""
    output: Pattern | None = None
    """A regular expression with exactly one group, matched line by line; the group's text is the value."""

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
    """Help for a check that stays red. `when` is a regular expression matched against the check's own finding; its
    named groups can be used in `say` as `{{name}}`. Without `when`, the hint always applies."""

    when: Pattern | None = None
    """What the finding must match for the hint to be given."""
    say: Text
    """What to say then."""

    @field_validator("when")
    @classmethod
    def _compiles(cls, when: str | None) -> str | None:
        return regex(when) if when else when


def _need_words(*commands: str) -> None:
    for command in commands:
        for name, where in template.misplaced_placeholders(command):
            if name in template.GIVEN:
                continue
            raise ValueError(f"{{{{{name}}}}} stands {where}: a captured value is put in as one word, in quotes")


class Step(Value):
    """A text, a command or an act, and the checks that must then pass within `bound` seconds. With neither `run` nor
    `act` it is the learner's turn: the lab waits until the world is as the checks say."""

    id: Id
    """What the step is called in commands (`LESSON:STEP`), in the progress and in the quiz."""
    title: Title
    """Its name for people."""
    text: Text
    """What to read before the step."""
    run: Command | None = None
    """The shell command. A captured value is inserted as one quoted word, so it must not appear inside quotes, in a
    comment, or after a here-document's `<<`."""
    on: Name = ""
    """The node whose shell runs it; "" selects a manager that is up."""
    act: Act | None = None
    """What the lab does itself, in place of a command."""
    solution: Command | None = None
    """The shell command that does it where it is the learner's turn, typed when the lesson is proven or recorded."""
    ways: Annotated[tuple[Command, ...], Field(max_length=5)] = ()
    """Other shell commands that must pass as well; told when the step has passed."""
    capture: Mapping[CaptureName, Capture] = {}
    """Values that this step and later ones use as `{{name}}`."""
    then: Annotated[tuple[Check, ...], Field(min_length=1)]
    """The checks: each false before the step and true after it."""
    keeps: tuple[Check, ...] = ()
    """What must be true at the end as well, and may be true before the step."""
    bound: Bound = 120.0
    """Seconds for the command and its checks together; generous, since a cluster may be emulated."""
    hints: tuple[Hint, ...] = ()
    """What helps while a check is not true; the first that matches is given."""
    after: Text | None = None
    """What was to be seen; shown when the step has passed."""
    promises: Annotated[tuple[Promise, ...], Field(max_length=8)] = ()
    """Figures and orders that the texts state, with the checks that prove them."""
    notes: AnyNotes | None = None
    """Notes for the speaker: a text, or parts with a fixed order."""
    reads: tuple[Reading, ...] = ()
    """Blocks of stack files, shown between the text and the command."""
    question: Question | None = None
    """A prediction that the learner makes before the step runs."""
    pane: PaneId | None = None
    """The pane to look at in this step."""
    leaves: Patch | None = None
    """The changes that the step makes to the checkpoint of the steps after it."""

    @model_validator(mode="after")
    def _sane(self) -> Step:
        if self.run is not None and self.act is not None:
            raise ValueError("a step has run or act, not both")
        if self.solution is not None and not self.your_turn:
            raise ValueError("solution goes with a step that has neither run nor act")
        if self.on and self.command is None:
            raise ValueError("on goes with run or solution")
        if self.ways and self.command is None:
            raise ValueError("ways go with run or solution")
        if self.run is None:
            if any(c.condition.of_command for c in self.then):
                raise ValueError("exit and output go with run")
            if any(c.output for c in self.capture.values()):
                raise ValueError("a capture from the output goes with run")
        _need_words(self.command or "", *self.ways)
        return self

    @property
    def checks(self) -> tuple[Check, ...]:
        """The checks that must hold: `then`, what it `keeps`, and exit status 0 of the command unless `then` names a
        status."""
        if self.run is None or any(c.exit is not None for c in self.then):
            return (*self.then, *self.keeps)
        return (*self.then, *self.keeps, Check(exit=0))

    @property
    def your_turn(self) -> bool:
        """Whether the learner does it, by any means."""
        return self.run is None and self.act is None

    @property
    def command(self) -> str | None:
        """The command that is typed when the lesson is proven; None for an act, and where no solution is known."""
        return self.solution if self.run is None else self.run

    @property
    def sentence(self) -> str:
        """The step's command, its act in words, or whose turn it is."""
        return self.act.sentence if self.act else self.run or "your turn"

    def strings(self) -> Iterator[str]:
        """Yield every text in which a captured name may appear, except hints."""
        yield from (
            self.title,
            self.text,
            self.command or "",
            *self.ways,
            self.on,
            self.after or "",
            notes_markdown(self.notes),
        )
        yield from template.iter_strings(self.act.model_dump(exclude_none=True) if self.act else {})
        yield from (r.says for r in self.reads)
        yield from self.question.strings() if self.question else ()
        for check in (*self.then, *self.keeps, *(check for promise in self.promises for check in promise.holds)):
            yield from template.iter_strings(check.model_dump(exclude_unset=True))


class Break(Value):
    """What is broken silently at a lesson's start."""

    by: Command
    """The shell commands that break it, run on a manager, in the folder of the stack files."""
    acts: tuple[Act, ...] = ()
    """The faults that the lab causes after them."""
    shows: Annotated[tuple[Check, ...], Field(min_length=1)]
    """The symptom: each check becomes true by it."""
    load: LoadAct | None = None
    """Requests that run from then on."""
    bound: Bound = 120.0
    """Seconds for the symptom to show."""

    @model_validator(mode="after")
    def _sane(self) -> Break:
        _need_words(self.by)
        if any(act.load is not None for act in self.acts):
            raise ValueError("load goes beside acts, not among them")
        return self


class Lesson(Value):
    """A lesson: its starting checkpoint and its steps."""

    id: Id
    """What the lesson is called in commands, and what its recording is called."""
    title: Title
    """Its name for people."""
    topics: Annotated[tuple[Id, ...], Field(min_length=1)]
    """Ids from `syllabus.yaml`."""
    minutes: Annotated[int, Field(ge=1, le=240)]
    """How long it takes; the lab's clock counts down from it."""
    panes: tuple[PaneId, ...] = (CLUSTER,)
    """The panes that it uses; the first one is open when the lesson begins."""
    about: Text
    """What the lesson is about; shown on the opening page."""
    version: Annotated[int, Field(ge=1, le=10_000)] = 1
    """To be raised when the steps' ids come to mean something else: progress in another version is not taken for
    progress in this one."""
    kubernetes: OneLine | None = None
    """What the same is called there, in one line; shown on the opening page."""
    needs: Needs = Needs()
    """The smallest cluster that it can be taken on."""
    start: Checkpoint = Checkpoint()
    """The cluster as the first step finds it; a reset puts it there."""
    broken: Break | None = None
    """What a reset to the start breaks afterwards, in a challenge."""
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    """The steps, in order."""
    recap: Annotated[tuple[OneLine, ...], Field(max_length=5)] = ()
    """What to remember, in up to five sentences; shown on the last page."""
    terms: Annotated[Mapping[OneLine, OneLine], Field(max_length=20)] = {}
    """The words that the lesson introduces, each explained in one line."""
    quiz: Annotated[tuple[QuizItem, ...], Field(max_length=5)] = ()
    """Questions to check oneself by, at the end."""

    def step(self, id: str) -> Step | None:
        """Return the step with that id, or None."""
        return next((s for s in self.steps if s.id == id), None)
