"""One engine's events as they happen, on their own thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lab.engine import decode
from lab.engine.endpoint import Endpoint
from lab.engine.raw import read_object
from lab.errors import EngineError
from lab.world.entries import EngineEvent

if TYPE_CHECKING:
    import docker

#: Actions to report: those in the life of a task's container, and all those of the swarm's own kinds.
TOLD = frozenset({"start", "die", "oom", "health_status", "create", "update", "remove"})
#: Another action of a network: an engine drops its own part of one that the managers have removed already.
_DROPPED = ("network", "destroy")
KINDS = ("container", "service", "node", "secret", "config", "network")
#: Initial delay before a broken stream is reopened, seconds.
SOON = 1.0
#: Maximum delay, seconds.
BACKOFF = 15.0


class EventStream:
    """An engine's events, followed until closed. A stream that breaks (the engine died) is reopened, with growing
    delays. An event that cannot be read is skipped: events only say when to poll, and polling misses nothing."""

    def __init__(
        self,
        endpoint: Endpoint,
        connect: Callable[[Endpoint, float], docker.DockerClient],
        told: Callable[[EngineEvent], None],
    ) -> None:
        self._endpoint, self._connect, self._told = endpoint, connect, told
        self._stop = threading.Event()
        self._stream: Any = None
        self._pause = SOON
        self._thread = threading.Thread(target=self._loop, name=f"events {endpoint.node}", daemon=True)

    def start(self) -> None:
        """Start following."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether its thread is alive."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Stop: the stream has no timeout, so it is closed from here."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            try:
                stream.close()
            except (OSError, AttributeError, RuntimeError, ValueError):
                # The connection is already gone, or the response no longer holds it: nothing is left to close.
                return

    def _loop(self) -> None:
        while not self._stop.is_set():
            # No answer may end this thread. The polling thread reports that no engine answers.
            with suppress(Exception):
                self._follow()
            self._stop.wait(self._pause)
            self._pause = min(BACKOFF, self._pause * 2)

    def _follow(self) -> None:
        """Report each event until the stream ends or breaks."""
        client = self._connect(self._endpoint, 20.0)
        try:
            self._stream = client.events(decode=True, filters={"type": list(KINDS)})
            for raw in self._stream:
                if self._stop.is_set():
                    return
                self._take_event(raw)
        finally:
            client.close()

    def _take_event(self, raw: Any) -> None:
        try:
            event = read_object("event", lambda r: decode.event(self._endpoint.node, r), raw)
        except EngineError:
            return
        self._pause = SOON
        told = event.action in TOLD or (event.type, event.action) == _DROPPED
        if told and (event.type != "container" or event.task):
            self._told(event)
