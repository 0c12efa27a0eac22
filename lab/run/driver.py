"""What a lesson needs of the world outside, as one narrow interface: `lab.session` gives it, tests double it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from lab.world.entries import CommandEnded
from lab.world.journal import Journal
from lab.world.load import LoadSpec
from lab.world.request import Request


class StepDriver(Protocol):
    """The effects that a step may have. Everything that they bring about is written to `journal`."""

    journal: Journal

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        """Type a command into the shell on `node` ("" : a manager that lives), and wait for its end.

        Writes CommandBegan, Printed ..., CommandEnded. Raises WaitError at the bound (the command is interrupted),
        EngineError when there is no such node or no manager that lives.
        """

    def look(self) -> None:
        """Have the swarm looked at now; returns when a look that began after this call is in the journal.

        Raises EngineError when no manager answers within a bound.
        """

    def given(self) -> Mapping[str, str]:
        """What every lesson's texts may name (`lab.schema.template.GIVEN`): the domain, and ports of this machine."""

    def watch(self, sources: Iterable[str]) -> None:
        """These sources of the edge look from now on, and no others."""

    def refresh(self, source: str) -> None:
        """Have this source (`certificates`, `routes`) look now; returns when what it saw is in the journal, or when it
        cannot be had within a bound. Never raises for what does not answer."""

    def load(self, load_spec: LoadSpec | None) -> None:
        """Make this load from now on; None ends it, and returns when its last report is in the journal."""

    def ask(self, request: Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """Send requests to a published port of every node (or of `nodes`), each over a new connection, and write a
        Hit for each. Never raises for a node that does not answer: that is a Hit with status 0 and an error."""

    def act(self, action: str, node: str) -> None:
        """A fault or its mending: action is stop | start | cut | heal. Writes Acted."""

    def stopping(self) -> bool:
        """The user asked to stop: a wait should end soon (by raising Cancelled in the runner)."""
