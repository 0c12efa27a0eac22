"""The record of a lab on disk: which machines it has, with which ports and addresses.

<state>/labs/NAME/cluster/lab.json     this
                          tls/         ca.pem, cert.pem, key.pem of the client
                          switch.pid   of the process that is the nodes' own network
                          node1/ ...   disk.qcow2, settings.tar, serial.log, pid, qmp, lan, switch
<state>/labs/NAME/cluster.lock
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from lab.cluster.lab_paths import lab_folder
from lab.cluster.model import Images
from lab.engine.endpoint import Role
from lab.errors import LabError, MissingError
from lab.files import write_private

VERSION: Literal[2] = 2
"""Since version 2, the nodes' LAN has a switch of its own."""


TcpPort = Annotated[int, Field(ge=1, le=65_535)]
#: The name of a lab's folder or file, or a word searched for on command lines: never empty, never a path.
Word = Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")]


class NodeState(BaseModel):
    """One machine. `identity` is on its process's command line; `engine` and `published` are ports on this machine."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Word
    number: int
    role: Role
    identity: Word
    lan_address: str
    engine: TcpPort
    published: Mapping[TcpPort, TcpPort]


class LabState(BaseModel):
    """One lab of provider `vm`. `disk` names the base disk in the cache that its machines use; `switch` is the identity
    of the process that switches the nodes' own network."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[2]
    name: Word
    provider: Literal["vm"]
    created: AwareDatetime
    acceleration: Literal["kvm", "tcg"]
    note: str
    disk: Word
    images: Images
    memory: Annotated[int, Field(gt=0)]
    first_port: TcpPort
    switch: Word
    nodes: Annotated[tuple[NodeState, ...], Field(min_length=1, max_length=7)]


FILE = "lab.json"
"""The lab's record in its folder."""
MARK = "made-by-swarmlab"
"""The file that is written there first, before the keys."""

PAUSED = "paused"
"""A file that is there while the machines may be paused for a snapshot."""
RESTORING = "restoring"
"""A file with the path of the snapshot that is being restored."""


def is_interrupted(name: str) -> bool:
    """Return whether a snapshot of the lab is being taken or restored, or was when a command was killed."""
    return any((lab_folder(name) / one).exists() for one in (PAUSED, RESTORING))


def is_made_by_lab(name: str) -> bool:
    """Return whether the lab made its folder: its mark or its record is there, readable or not."""
    return any((lab_folder(name) / one).exists() for one in (MARK, FILE))


def load_state(name: str) -> LabState:
    """Return the record of the lab `name`. Raises MissingError when there is none, LabError when its file is
    damaged."""
    path = lab_folder(name) / FILE
    try:
        found = LabState.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        remedy = "swarmlab up" if name == "default" else f"swarmlab up --name {name}"
        raise MissingError(f"there is no lab called {name}", remedy=remedy) from None
    except (ValidationError, OSError) as error:
        known = isinstance(error, ValidationError)
        why = "is damaged, or was written by another version" if known else f"cannot be read ({error})"
        raise LabError(f"the lab's own file {path} {why}", remedy=_down_command(name)) from None
    if found.name != name:
        raise LabError(
            f"the lab's own file {path} is damaged: it is of the lab {found.name}", remedy=_down_command(name)
        )
    return found


def _down_command(name: str) -> str:
    return "swarmlab down" if name == "default" else f"swarmlab down --name {name}"


def save_state(state: LabState) -> None:
    """Write the record atomically: a reader, even after a crash, sees the old one or the new one."""
    write_private(lab_folder(state.name) / FILE, state.model_dump_json(indent=1).encode())
