"""The swarm source: polls the swarm through a manager that answers, and keeps the journal up to date.

There are no task events (moby#37403), so it polls: at once when an engine reports an event or the lab did something,
fast while something changes, slowly at rest; one poll at a time. When its manager stops answering, it switches to
another; while none answers, the link is `stale` and it retries, less and less often.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.watch.events import EventStream
from lab.watch.source import PollInterval, Source, describe_error
from lab.watch.swarm_diff import Versions, poll_swarm
from lab.world.entries import EngineEvent, ManagerLink
from lab.world.journal import Journal
from lab.world.world import World

if TYPE_CHECKING:
    import docker

    Connect = Callable[[Endpoint, float], "docker.DockerClient"]

#: Seconds between polls of the swarm. A poll right after a poll would only load the engine while it should converge.
POLLS = PollInterval(fast=0.25, slow=3.0, most=8.0, gap=0.05)
#: Seconds for which polling stays fast after a change.
LINGER = 4.0
#: Seconds that one request may take.
PATIENCE = 12.0


class SwarmSource(Source):
    """The source that polls the swarm and, with `events`, follows every engine's events, in a thread each. Without, it
    sees a change at its next poll, and the engines are spared a handshake each."""

    SILENT = "no manager answered"

    def __init__(
        self, journal: Journal, endpoints: tuple[Endpoint, ...], connect: Connect, *, events: bool = True
    ) -> None:
        super().__init__("swarm", POLLS)
        self._journal, self._connect = journal, connect
        self._managers = tuple(e for e in endpoints if e.role == "manager")
        self._current = 0
        self._client: docker.DockerClient | None = None
        self._seen = Versions()
        self._named, self._anew = True, False
        self._moved_at = time.monotonic()
        self._streams = tuple(EventStream(e, connect, self._on_event) for e in endpoints if events)

    def start(self) -> None:
        """Start polling and following events."""
        super().start()
        for stream in self._streams:
            stream.start()

    def wake(self, *, named: bool = False) -> None:
        """Poll as soon as possible: something was done. With `named`, secrets, configs and networks are polled too."""
        with self._turn:
            self._named = self._named or named
            self._moved_at = time.monotonic()
            super().wake()

    def look(self, bound: float = 60.0) -> None:
        """Wait until a poll of everything that began after this call is in the journal; raises EngineError if none is
        within `bound` seconds."""
        with self._turn:
            self._named = True
            super().look(bound)

    def look_soon(self) -> Callable[[], bool]:
        """Poll everything as soon as possible, as `Source.look_soon` does. No change is expected, so that polling
        becomes no faster."""
        with self._turn:
            self._named = True
            return super().look_soon()

    def restart(self) -> None:
        """Read everything anew, as in a first look: the swarm was put back to a snapshot."""
        with self._turn:
            self._anew = True
            self.wake(named=True)

    def _look(self) -> bool:
        """Poll once through the current manager, or the next that answers; raises EngineError if none does."""
        with self._turn:
            named, self._named = self._named, False
            anew, self._anew = self._anew, False
        if anew:
            self._release()
            self._seen = Versions()
        why = "the cluster has no manager"
        for _ in self._managers:
            manager = self._managers[self._current % len(self._managers)]
            try:
                self._look_through(manager, named)
            except Exception as error:  # noqa: BLE001  an engine may answer anything, and the next is asked
                why = f"{manager.node}: {describe_error(error)}"
                self._release()
                self._current += 1
                named = True
            else:
                return self._is_moving()
            if self._closed:
                break
        with self._turn:
            self._named = True
        raise EngineError(why)

    def _on_failure(self, error: Exception) -> None:
        link = self._journal.world.link
        if link.state != "stale":
            self._journal.write(ManagerLink("stale", link.node, describe_error(error)))

    def _interrupt(self) -> None:
        for stream in self._streams:
            stream.close()

    def _is_moving(self) -> bool:
        world = self._journal.world
        return time.monotonic() - self._moved_at < LINGER or not is_still(world)

    def _look_through(self, manager: Endpoint, named: bool) -> None:
        """Poll once and write the differences. What was seen counts as seen only once it is in the journal."""
        if self._client is None:
            self._client = self._connect(manager, PATIENCE)
        fact, seen = poll_swarm(self._client.api, manager.node, self._seen, named=named or not self._seen.any)
        link = self._journal.world.link
        if (link.state, link.node) != ("live", manager.node):
            self._journal.write(ManagerLink("live", manager.node))
        if fact is not None:
            self._moved_at = time.monotonic()
            self._journal.write(fact)
        self._seen = seen

    def _release(self) -> None:
        client, self._client = self._client, None
        self._seen = self._seen.forget()
        if client is not None:
            with suppress(Exception):  # It is no longer needed, whatever closing it raises.
                client.close()

    def _on_event(self, event: EngineEvent) -> None:
        """Write an event, and poll. Every manager reports the swarm's own events: take them only from the one being
        polled."""
        swarm_wide = event.type in {"service", "node", "secret", "config", "network"}
        if swarm_wide and event.node != self._journal.world.link.node:
            return
        self._journal.write(event)
        self.wake(named=event.type in {"secret", "config", "network"})


def is_still(world: World) -> bool:
    """Return whether the swarm is at rest: every service has its tasks, and no update is in progress."""
    return world.swarm.converged and not any(s.status.state in _UNDER_WAY for s in world.swarm.services.values())


_UNDER_WAY = frozenset({"updating", "rollback_started"})
