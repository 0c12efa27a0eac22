"""The actions of a reset, as values: each has a sentence, and `sort_key` puts them in an order that works."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lab.engine.labels import LABEL
from lab.lesson.checkpoint import Content
from lab.world.swarm import ServiceSpec

DoneWhen = Literal["", "absent", "present"]
"""When an action counts as done although the engine refuses it: what it would remove is absent, or what it would create
is present."""


@dataclass(frozen=True, slots=True)
class StartNode:
    """Bring a machine back: powered on, on its network, ready in the swarm."""

    name: str

    @property
    def sentence(self) -> str:
        return f"start {self.name} and wait until it is ready"


@dataclass(frozen=True, slots=True)
class StopNode:
    """Power a machine off, and wait until the managers see it as down."""

    name: str

    @property
    def sentence(self) -> str:
        return f"power {self.name} off"


@dataclass(frozen=True, slots=True)
class SetNode:
    """Set a node's availability, role ("" keeps it) and labels. `id` is the name for a node not seen yet."""

    id: str
    name: str
    availability: str
    role: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def sentence(self) -> str:
        own = ", ".join(f"{k}={v}" for k, v in sorted(self.labels.items()) if not k.startswith(LABEL))
        words = (
            f"set {self.name} to {self.availability}",
            self.role and f"a {self.role}",
            f"with {own}" if own else "no labels",
        )
        return ", ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class ForgetNode:
    """Remove the earlier entry of a node that left and came back under the same name."""

    done_when: ClassVar[DoneWhen] = "absent"

    id: str
    name: str

    @property
    def sentence(self) -> str:
        return f"forget the earlier {self.name}"


@dataclass(frozen=True, slots=True)
class LeaveSwarm:
    """Have a node's engine leave the swarm, and remove the managers' entry of the node."""

    done_when: ClassVar[DoneWhen] = "absent"

    id: str
    name: str

    @property
    def sentence(self) -> str:
        return f"have {self.name} leave the swarm, and forget it"


@dataclass(frozen=True, slots=True)
class RemoveService:
    """Remove a service and its tasks; `why` says why it is recreated, empty when it should not exist."""

    done_when: ClassVar[DoneWhen] = "absent"

    id: str
    name: str
    why: str = ""

    @property
    def sentence(self) -> str:
        return f"remove service {self.name}" + (f", to make it anew ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class CreateService:
    """Create a service."""

    done_when: ClassVar[DoneWhen] = "present"

    name: str
    spec: ServiceSpec

    @property
    def sentence(self) -> str:
        many = "global" if self.spec.mode == "global" else f"{self.spec.replicas} × "
        return f"create service {self.name} ({many}{'' if many != 'global' else ' '}{self.spec.image})"


@dataclass(frozen=True, slots=True)
class UpdateService:
    """Update the fields of a service that do not replace its tasks."""

    id: str
    name: str
    spec: ServiceSpec
    why: str

    @property
    def sentence(self) -> str:
        return f"update service {self.name} ({self.why})"


@dataclass(frozen=True, slots=True)
class RemoveObject:
    """Remove a secret, a config or a network; `why` says why it is recreated, empty when it should not exist."""

    done_when: ClassVar[DoneWhen] = "absent"

    what: str
    id: str
    name: str
    why: str = ""

    @property
    def sentence(self) -> str:
        return f"remove {self.what} {self.name}" + (f", to make it anew ({self.why})" if self.why else "")


@dataclass(frozen=True, slots=True)
class CreateObject:
    """Create a secret, a config or (without content) an overlay network."""

    done_when: ClassVar[DoneWhen] = "present"

    what: str
    name: str
    content: Content | None = None

    @property
    def sentence(self) -> str:
        return f"create {self.what} {self.name}"


@dataclass(frozen=True, slots=True)
class RemoveVolume:
    """Remove a named volume from every node that has it."""

    name: str

    @property
    def sentence(self) -> str:
        return f"remove volume {self.name}"


@dataclass(frozen=True, slots=True)
class DeployStack:
    """Deploy a stack: `files` are below the stacks' folder, `env` its settings, `place` its turn among the stacks. The
    services in `awaited`, full names, must run before the reset continues: another deploy of the stack follows, or one
    of a stack that needs it from the start."""

    name: str
    files: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    place: int = 0
    awaited: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        files = ", ".join(self.files)
        return f"deploy stack {self.name} ({files})" + (", and wait until it runs" if self.awaited else "")


Action = (
    StartNode
    | StopNode
    | SetNode
    | ForgetNode
    | LeaveSwarm
    | RemoveService
    | CreateService
    | UpdateService
    | RemoveObject
    | CreateObject
    | RemoveVolume
    | DeployStack
)


@dataclass(frozen=True, slots=True)
class Untouched:
    """A difference from the checkpoint that is not the lab's to touch."""

    what: str
    name: str
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.what} {self.name}: {self.why}"


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions to take, in order, and what is left alone."""

    actions: tuple[Action, ...] = ()
    left: tuple[Untouched, ...] = ()


_ORDER = (
    StartNode,
    ForgetNode,
    SetNode,
    LeaveSwarm,
    RemoveService,
    RemoveVolume,
    CreateObject,
    DeployStack,
    UpdateService,
    CreateService,
    RemoveObject,
    StopNode,
)
_KINDS = ("network", "config", "secret")


def sort_key(action: Action) -> tuple[int, int, str]:
    """Return the key to sort by: nodes first, what services need before them, what they no longer need after them;
    stacks in their own order, and an awaited deploy before the one over it."""
    turn = 0
    if isinstance(action, CreateObject | RemoveObject):
        turn = _KINDS.index(action.what)
    elif isinstance(action, DeployStack):
        turn = 2 * action.place + (not action.awaited)
    # What is recreated is removed after the services that use it, and before it is created.
    kind = RemoveVolume if isinstance(action, RemoveObject) and action.why else type(action)
    return _ORDER.index(kind), turn, action.name
