"""What other programs see of a talk, as values and as lines of JSON: its notes, and the board. Pure."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from lab.errors import LabError
from lab.world.world import World

Feed = Literal["notes", "board"]
"""What of a talk is served: to its speaker, or to the room."""
LONGEST_LINE = 512 * 1024
"""Bytes of one line, in either direction."""


class NotesView(BaseModel):
    """The notes of the slide in sight, and how the talk stands: `gone`, `slot` and `late` in seconds (a negative `late`
    is early), `left_to` the title of the next slide, `cluster` a sentence on what the cluster is doing."""

    model_config = ConfigDict(frozen=True)
    FEED: ClassVar[Feed] = "notes"

    place: int = Field(ge=0)
    count: int = Field(ge=1)
    title: str
    notes: str
    next_title: str = ""
    phase: str = "read"
    gone: float = 0.0
    here: float = 0.0
    slot: float = 0.0
    late: float = 0.0
    live: bool = False
    auto: bool = False
    trouble: str = ""
    offer: str = ""
    cluster: str = ""


class BoardView(BaseModel):
    """What the room sees: the slide's title and text, the pane that matters as SVG, and the commands that were run so
    far. `black`: nothing for now."""

    model_config = ConfigDict(frozen=True)
    FEED: ClassVar[Feed] = "board"

    place: int = Field(ge=0)
    count: int = Field(ge=1)
    talk: str
    lesson: str
    title: str
    text: str
    command: str = ""
    commands: tuple[str, ...] = ()
    pane: str = ""
    picture: str = ""
    live: bool = False
    black: bool = False


View = NotesView | BoardView
Seen = TypeVar("Seen", NotesView, BoardView)


class Asked(BaseModel):
    """What another program asks the talk to do: an action of the stage's keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = Field(max_length=40)


def to_line(view: View | Asked) -> bytes:
    """Return a value as one line."""
    return view.model_dump_json().encode() + b"\n"


def read_view(kind: type[Seen], line: bytes) -> Seen:
    """Return a line as a value. Raises LabError for one that is none."""
    try:
        return kind.model_validate_json(line)
    except ValidationError as error:
        raise LabError("the talk sent what this version cannot read", remedy="end both, and begin again") from error


def read_asked(line: bytes) -> str | None:
    """Return the action that a line asks for, None for a line that is nothing of the kind."""
    try:
        return Asked.model_validate_json(line).action
    except ValidationError:
        return None


def describe_cluster(world: World | None) -> str:
    """Return in a sentence how the cluster is: its nodes, and how many tasks run of those that should."""
    if world is None or not world.swarm.nodes:
        return "Nothing has been seen of the cluster yet."
    nodes = world.swarm.nodes.values()
    ready = sum(node.state == "ready" for node in nodes)
    wanted = sum(service.desired or 0 for service in world.swarm.services.values())
    running = sum(task.state == "running" and task.desired == "running" for task in world.swarm.tasks.values())
    silent = f" No manager answers: {world.link.why}." if world.link.state == "stale" else ""
    return f"{ready} of {len(nodes)} nodes ready, {running} of {wanted} tasks running.{silent}"
