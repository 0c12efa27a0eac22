"""One engine's events, as they happen, on a thread of their own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lab.cluster.model import Endpoint
from lab.errors import EngineError
from lab.watch import convert
from lab.world.entries import EngineEvent

if TYPE_CHECKING:
    import docker

#: Container actions that tell of a task's life; the swarm's own kinds are taken whole.
TOLD = frozenset({"start", "die", "oom", "health_status", "create", "update", "remove"})
KINDS = ("container", "service", "node", "secret", "config")


class EventStream:
    """Follows an engine until closed. A stream that breaks (the engine died) is opened again, ever more slowly."""

    def __init__(
        self,
        endpoint: Endpoint,
        connect: Callable[[Endpoint, float], docker.DockerClient],
        told: Callable[[EngineEvent], None],
    ) -> None:
        self._endpoint, self._connect, self._told = endpoint, connect, told
        self._stop = threading.Event()
        self._stream: Any = None
        self._thread = threading.Thread(target=self._loop, name=f"events {endpoint.node}", daemon=True)

    def start(self) -> None:
        """Begin to follow."""
        self._thread.start()

    def close(self) -> None:
        """End: the stream has no bound of its own, so it is closed from here."""
        self._stop.set()
        stream = self._stream
        if stream is not None:
            try:
                stream.close()
            except (OSError, AttributeError, RuntimeError, ValueError):
                # The connection was gone already, or the response holds it no more: nothing is left to close.
                return

    def _loop(self) -> None:
        import docker.errors
        import requests.exceptions
        import urllib3.exceptions

        pause = 1.0
        while not self._stop.is_set():
            try:
                client = self._connect(self._endpoint, 20.0)
                try:
                    self._stream = client.events(decode=True, filters={"type": list(KINDS)})
                    for raw in self._stream:
                        pause = 1.0
                        self._one(raw)
                        if self._stop.is_set():
                            return
                finally:
                    client.close()
            except (
                requests.exceptions.RequestException,
                urllib3.exceptions.HTTPError,
                docker.errors.DockerException,
                EngineError,
                OSError,
                ValueError,
                AttributeError,
            ):
                # The looking thread says when no engine answers; this one only tries again.
                pass
            self._stop.wait(pause)
            pause = min(15.0, pause * 2)

    def _one(self, raw: dict[str, Any]) -> None:
        event = convert.read("event", lambda r: convert.event(self._endpoint.node, r), raw)
        if event.action in TOLD and (event.type != "container" or event.task):
            self._told(event)
