"""Snapshots of a whole cluster: every machine's memory and disk at one instant, to go back to in seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from lab.cluster.model import Report, silent
from lab.errors import InputError

Kind = Literal["own", "step", "checkpoint", "template"]
"""own: made by name, never removed without being asked for. step: before a step, to take it back. checkpoint: the start
of a lesson or of a step, to reset to. template: what `up` makes new clusters from."""

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")


@dataclass(frozen=True)
class Snapshot:
    """A snapshot. `created` is in UTC; `size` is in bytes; `services` are those that ran in it; `stood_still` is how
    many seconds the cluster was paused for it. `about` says which checkpoint or step it is of. `unfit` says why it
    cannot be restored, "" when it can."""

    name: str
    kind: Kind
    created: datetime
    size: int
    services: tuple[str, ...] = ()
    stood_still: float = 0.0
    about: Mapping[str, str] = field(default_factory=dict)
    unfit: str = ""


class Snapshots(Protocol):
    """What a cluster whose provider has snapshots can do with them. A cluster of another provider has None."""

    def all(self) -> tuple[Snapshot, ...]:
        """Return all of them, oldest first."""

    def expect_room(self, size: int) -> None:
        """Check that so many bytes of new snapshots may be kept. Raises LabError when they may not."""

    def take(
        self,
        name: str,
        kind: Kind,
        *,
        services: Sequence[str] = (),
        about: Mapping[str, str] | None = None,
        report: Report = silent,
    ) -> Snapshot:
        """Pause all machines at one instant, save them, and let them go on; replaces one of the same name. Raises
        LabError: the cluster is as it was then, though automatic snapshots may have gone to make room."""

    def restore(self, name: str, report: Report = silent) -> Snapshot:
        """Put all machines back to what they were. Raises InputError for one that is not there or does not fit, before
        anything changes; LabError when it fails half-way: the next command then goes on with it."""

    def pack(self, name: str) -> None:
        """Make one smaller that was left as it was written. May take long; the cluster and other commands go on
        meanwhile. Idempotent; does nothing for one that is gone."""

    def remove(self, name: str) -> None:
        """Delete one. Raises InputError when it is not there."""


def check_snapshot_name(name: str) -> str:
    """Return the name if it is a valid name of a snapshot. Raises InputError if not."""
    if not NAME.fullmatch(name):
        raise InputError(
            f"{name!r} is not a valid name for a snapshot: use up to 41 lowercase letters, digits and hyphens, "
            "a letter or digit first"
        )
    return name
