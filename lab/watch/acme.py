"""The progress of certificate orders, read from the log of Traefik's service through a manager's engine."""

from __future__ import annotations

import json
import re
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from lab.engine.endpoint import Endpoint
from lab.watch.http import drop_surrogates
from lab.watch.source import PollInterval, Source
from lab.world.entries import AcmeTold, Entry, ManagerLink, SwarmChanged
from lab.world.journal import Journal
from lab.world.world import World

if TYPE_CHECKING:
    import docker

    Connect = Callable[[Endpoint, float], "docker.DockerClient"]

Stage = Literal["ordering", "proving", "issued", "renewing", "failed"]

#: How a message begins, and the stage that it means, in the words of lego 5 and of Traefik's own ACME provider.
_STAGES: tuple[tuple[str, Stage], ...] = (
    ("register...", "ordering"),
    ("registering the account", "ordering"),
    ("obtaining ", "ordering"),
    ("trying to solve", "proving"),
    ("the server validated our request", "proving"),
    ("validations succeeded", "proving"),
    ("waiting for certificates", "proving"),
    ("server responded with a certificate", "issued"),
    ("renewing acme certificate", "renewing"),
    ("renewing certificate from le", "renewing"),
    ("error renewing", "failed"),
    ("unable to obtain acme certificate", "failed"),
    ("unable to generate a certificate", "failed"),
)

#: Past lines to read when the log is opened.
TAIL = 50
#: Reported lines to remember, so that they are recognized when the log is reopened.
KNOWN = 500
#: Maximum length of a line, bytes.
LONGEST = 65536
#: Seconds that the engine may take to open the log.
PATIENCE = 20.0


def parse_log_line(line: str) -> AcmeTold | None:
    """Parse a line of Traefik's log about an order; return None for the access log, unreadable lines and all others."""
    if '"message"' not in line:
        return None
    try:
        return _read_told(json.loads(line))
    except (ValueError, RecursionError):
        return None


def _read_told(raw: object) -> AcmeTold | None:
    if not isinstance(raw, Mapping) or not isinstance(raw.get("message"), str):
        return None
    message = raw["message"].strip()
    stage = next((stage for begins, stage in _STAGES if message.lower().startswith(begins)), None)
    if stage is None:
        return None
    hosts = tuple(drop_surrogates(host) for host in _hosts(raw, message))
    return AcmeTold(hosts, stage, drop_surrogates(_text(message, raw.get("error"))))


def _hosts(raw: Mapping[str, Any], message: str) -> tuple[str, ...]:
    """Return the names that a line is about. Renewals have them only in the message: `{Main:a.org SANs:[b.org]}`."""
    given = raw.get("domains") or raw.get("domain") or ""
    if not given:
        _, _, struct = message.partition("{")
        given = re.sub(r"(Main|SANs):|[\[\]{}]", " ", struct.partition("}")[0])
    parts = given if isinstance(given, list) else re.split(r"[\s,\[\]]+", str(given))
    return tuple(dict.fromkeys(part for part in parts if isinstance(part, str) and part))


def _text(message: str, error: object) -> str:
    why = " ".join(str(error).split()) if error else ""
    return f"{message}: {why}"[:600] if why else message[:600]


class AcmeSource(Source):
    """A source that follows the log while Traefik runs; it reopens the log when the stream breaks, and reports no line
    twice.

    `service` returns the id of Traefik's service in a world, "" if there is none. The log is read through the manager
    that the world is linked to.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        connect: Connect,
        service: Callable[[World], str],
        *,
        interval: PollInterval | None = None,
    ) -> None:
        super().__init__("log of Traefik", interval or PollInterval(fast=0.5, slow=3.0), journal)
        self._journal, self._connect, self._service = journal, connect, service
        self._managers = {e.node: e for e in endpoints if e.role == "manager"}
        self._known: deque[bytes] = deque(maxlen=KNOWN)
        self._guard = threading.Lock()
        self._followed = ("", "")
        self._stream: Any = None

    def _on_entry(self, entry: Entry, world: World) -> None:
        """Interrupt the open log when the service, or the manager to read it through, changes."""
        if isinstance(entry.fact, SwarmChanged | ManagerLink) and self._target(world) != self._followed:
            self._interrupt()
            self.wake()

    def _target(self, world: World) -> tuple[str, str]:
        """Return the service whose log to follow, and the manager to read it through."""
        service = self._service(world)
        if not service or not self._managers:
            return "", ""
        return service, world.link.node if world.link.node in self._managers else next(iter(self._managers))

    def _look(self) -> bool:
        """Follow the log until it ends, breaks, or is no longer the right one."""
        self._followed = service, node = self._target(self._journal.world)
        if not service:
            return False
        return self._follow(service, self._managers[node])

    def _follow(self, service: str, manager: Endpoint) -> bool:
        """Follow the log; return whether any line arrived."""
        before, came = frozenset(self._known), False
        client = self._connect(manager, PATIENCE)
        try:
            for line in _lines(self._open(client, service)):
                came = True
                fact = parse_log_line(line.decode("utf-8", "replace"))
                if fact is not None and line not in before:
                    self._known.append(line)
                    self._journal.write(fact)
        finally:
            with self._guard:
                self._stream = None
            client.close()
        return came

    def _open(self, client: docker.DockerClient, service: str) -> Iterator[bytes]:
        """Open the log from its last lines on. The stream has no timeout: `_interrupt` ends it."""
        from docker.types import CancellableStream  # slow to import: only a followed log needs it

        answers: list[Any] = []
        # The SDK yields the frames' contents but cannot cancel the stream: that needs the response itself.
        client.api.hooks["response"].append(lambda answer, *_, **__: answers.append(answer))
        frames = client.api.service_logs(service, follow=True, stdout=True, stderr=True, tail=str(TAIL), is_tty=False)
        stream = CancellableStream(iter(frames), answers[-1])
        with self._guard:
            self._stream = stream
        if self._closed or self._target(self._journal.world) != self._followed:
            self._interrupt()
        return stream

    def _interrupt(self) -> None:
        with self._guard:
            stream, self._stream = self._stream, None
        if stream is not None:
            try:
                stream.close()
            except (OSError, AttributeError, RuntimeError, ValueError):
                # The connection is already gone: nothing is left to close.
                return


def _lines(frames: Iterator[bytes]) -> Iterator[bytes]:
    """Yield whole lines; a frame may hold several, or part of one. An unterminated line is dropped."""
    rest = b""
    for frame in frames:
        *whole, rest = (rest + frame).split(b"\n")
        yield from whole
        if len(rest) > LONGEST:
            rest = b""
