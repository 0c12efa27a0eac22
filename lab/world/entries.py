"""The journal's entries: everything that can appear on the screen, on one time axis.

An entry is a time and one of the facts below. `kind` names the fact on a tape. Facts hold plain data only,
and are validated by pydantic when they come from a file. New fields need a default: old tapes must still read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from lab.world.swarm import Named, Node, Service, Task


@dataclass(frozen=True, slots=True)
class SwarmChanged:
    """What differs from the last look at the swarm: new and changed objects whole, and the ids of those gone.

    `by` is the node whose engine answered. `first` marks a first look: it replaces all that was known.
    """

    by: str
    nodes: tuple[Node, ...] = ()
    services: tuple[Service, ...] = ()
    tasks: tuple[Task, ...] = ()
    named: tuple[Named, ...] = ()
    gone: tuple[str, ...] = ()
    first: bool = False
    kind: Literal["swarm"] = "swarm"


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """An event as an engine told it. `at` is that engine's clock, seconds since the epoch."""

    node: str
    type: str
    action: str
    id: str
    name: str = ""
    at: float = 0.0
    task: str = ""
    exit: int | None = None
    kind: Literal["event"] = "event"


@dataclass(frozen=True, slots=True)
class Linked:
    """How the cluster is reached. `state`: live (node answers) | stale (silent, still trying) | none."""

    state: Literal["live", "stale", "none"]
    node: str = ""
    why: str = ""
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Progressed:
    """Long work of the lab (`up`, `reset`): see `lab.cluster.model.Progress`."""

    stage: str
    text: str
    done: float | None = None
    kind: Literal["progress"] = "progress"


@dataclass(frozen=True, slots=True)
class LessonOpened:
    """A lesson was opened: all that follows belongs to it."""

    lesson: str
    kind: Literal["lesson"] = "lesson"


@dataclass(frozen=True, slots=True)
class StepMoved:
    """A step began, passed or failed; `why` says in words why it failed."""

    lesson: str
    step: str
    state: Literal["begun", "passed", "failed"]
    why: str = ""
    kind: Literal["step"] = "step"


@dataclass(frozen=True, slots=True)
class Checked:
    """A check was evaluated. `check` is its place in the step, from 0; `text` what it asks, `why` what was found.

    `phase`: before (the step's command has not run) | after.
    """

    lesson: str
    step: str
    check: int
    text: str
    ok: bool
    why: str
    phase: Literal["before", "after"] = "after"
    kind: Literal["check"] = "check"


@dataclass(frozen=True, slots=True)
class Captured:
    """A value that a step took from the world or from a command's output, for later steps."""

    name: str
    value: str
    kind: Literal["capture"] = "capture"


@dataclass(frozen=True, slots=True)
class CommandBegan:
    """A command was sent to the shell on `node`. `id` is counted up from 1; `step` is "" when typed freely."""

    id: int
    node: str
    text: str
    step: str = ""
    kind: Literal["command"] = "command"


@dataclass(frozen=True, slots=True)
class Printed:
    """What the terminal of `node` printed, with its escapes, as it came (redacted)."""

    node: str
    text: str
    kind: Literal["output"] = "output"


@dataclass(frozen=True, slots=True)
class CommandEnded:
    """A command ended with an exit status, after `seconds`. `output` is its plain text (no escapes, redacted),
    at most the last 16,000 characters."""

    id: int
    status: int
    seconds: float
    output: str = ""
    kind: Literal["exit"] = "exit"


@dataclass(frozen=True, slots=True)
class Acted:
    """The lab itself did something to the cluster: a fault, a reset's step. `node` is "" when it is for all."""

    action: str
    node: str = ""
    kind: Literal["act"] = "act"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request to a published port of one node, and who answered. `status` is 0 when nobody did."""

    node: str
    port: int
    path: str
    status: int
    replica: str
    ms: float
    body: str = ""
    error: str = ""
    kind: Literal["hit"] = "hit"


Fact = Annotated[
    SwarmChanged
    | EngineEvent
    | Linked
    | Progressed
    | LessonOpened
    | StepMoved
    | Checked
    | Captured
    | CommandBegan
    | Printed
    | CommandEnded
    | Acted
    | Hit,
    Field(discriminator="kind"),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """A fact and when: `at` is seconds since the journal began, never less than the entry's before it."""

    at: float
    fact: Fact
