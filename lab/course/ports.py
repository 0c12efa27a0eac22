"""What a lesson needs of the world outside, as one narrow interface: `lab.session` gives it, tests double it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

from lab.watch.hits import Request
from lab.world.entries import CommandEnded
from lab.world.journal import Journal
from lab.world.load import Wish


class Hands(Protocol):
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
        """What every lesson's texts may name (`lab.course.words.GIVEN`): the domain, and ports of this machine."""

    def watch(self, panes: Iterable[str]) -> None:
        """What these panes show is looked at from now on, and what no pane of them shows no more."""

    def refresh(self, what: Literal["certificates", "routes"]) -> None:
        """Have the nodes' certificates, or Traefik's routes, looked at now; returns when that is in the journal, or
        when it cannot be had within a bound. Never raises for what does not answer."""

    def load(self, wish: Wish | None) -> None:
        """Make this load from now on; None ends it, and returns when its last report is in the journal."""

    def ask(self, request: Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """Send requests to a published port of every node (or of `nodes`), each over a new connection, and write a
        Hit for each. Never raises for a node that does not answer: that is a Hit with status 0 and an error."""

    def act(self, action: str, node: str) -> None:
        """A fault or its mending: action is stop | start | cut | heal. Writes Acted."""

    def stopping(self) -> bool:
        """The user asked to stop: a wait should end soon (by raising KeyboardInterrupt in the runner)."""
