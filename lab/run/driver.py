"""What a lesson needs from the outside world, as one narrow interface: `lab.session` implements it, tests fake it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from lab.world.entries import CommandEnded, Hit
from lab.world.journal import Journal
from lab.world.load import LoadSpec
from lab.world.request import Request


class Round(Protocol):
    """Requests that were sent to every node and are not waited for."""

    @property
    def hits(self) -> tuple[Hit, ...]:
        """The answers of the nodes that have answered all that they were asked, oldest first."""

    @property
    def ended(self) -> bool:
        """Whether no node is still to answer."""


class StepDriver(Protocol):
    """The effects that a step may have. All their results are written to `journal`."""

    journal: Journal

    def run(self, text: str, *, node: str = "", step: str = "", bound: float = 120.0) -> CommandEnded:
        """Type a command into the shell on `node` ("": a reachable manager), and wait for it to end.

        Writes CommandBegan, Printed ..., CommandEnded. Raises WaitError at the bound (the command is interrupted),
        EngineError when there is no such node or no reachable manager.
        """

    def look(self) -> None:
        """Inspect the swarm now; return when a look that began after this call is in the journal.

        Raises EngineError when no manager answers within a bound.
        """

    def given_values(self) -> Mapping[str, str]:
        """Return the values that every lesson's texts may use (`lab.schema.template.is_given`): the domain, the ports
        of this machine, the rate of load, and where each node's published ports are reached."""

    def watch(self, sources: Iterable[str], marks: Iterable[str] = ()) -> None:
        """Run these sources from now on, and no others; that of the wire looks for these texts (`marks`)."""

    def refresh(self, source: str) -> None:
        """Have this source (`certificates`, `routes`) refresh now; return when the result is in the journal, or when
        there is none within a bound. Never raises for what does not answer."""

    def load(self, load_spec: LoadSpec | None) -> None:
        """Generate this load from now on; None ends it, and returns when its last report is in the journal."""

    def ask(self, request: Request, *, nodes: tuple[str, ...] = (), times: int = 1) -> None:
        """Send requests to a published port of every node (or of `nodes`), each over a new connection, and write a
        Hit for each. Never raises for a node that does not answer: that is a Hit with status 0 and an error."""

    def look_soon(self, source: str) -> Callable[[], bool]:
        """Have this source, or with "" the swarm, refresh as soon as possible. Never waits: the function returned says
        whether the result is in the journal."""

    def ask_soon(self, requests: Mapping[Request, int]) -> Round:
        """Send each of these requests so many times to every node, as `ask` does, without waiting for the answers."""

    def act(self, action: str, target: str) -> None:
        """Cause a fault or undo one: `action` is a verb of `lab.cluster.faults.FAULTS`, `target` the node and what else
        it takes, in words. Writes ActDone."""

    def is_stopping(self) -> bool:
        """Whether the user asked to stop: a wait should end soon (by raising Cancelled in the runner)."""
