"""Traefik's own view, from its API and its metrics, through the first node that answers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.watch import http
from lab.watch import traefik_api as api
from lab.watch.listener_proof import Unproven
from lab.watch.source import PollInterval, Source, describe_error, first_line
from lab.world.entries import RoutesSeen, TrafficSeen
from lab.world.journal import Journal
from lab.world.traefik import Traffic
from lab.world.world import World

#: Where Traefik listens for HTTPS.
PORT = 443
#: Timeout of one request, seconds.
BOUND = 8.0
#: Maximum bytes read in one poll, over all its answers.
LONGEST = 8 * 2**20
#: Seconds for which polling stays fast after a change.
LINGER = 8.0
#: Maximum pages of a list.
PAGES = 100

#: Traefik before 3.7 has no such path.
_CERTIFICATES = "/api/certificates"
_GATEWAY = {
    404: "there is no router for {host}, or Traefik does not know it yet",
    502: "the way from Traefik to its own API is broken (bad gateway)",
    503: "Traefik has no server for it (service unavailable)",
    504: "Traefik's own API does not answer (gateway timeout)",
}


class _Refused(Exception):
    """The password was refused."""


class _Unreachable(Exception):
    """Traefik's API did not answer."""


class TraefikSource(Source):
    """A source that writes RoutesSeen when Traefik's view changes, and TrafficSeen with the counters that changed.

    `host` returns the dashboard's host name in a world, "" if no Traefik runs; `login` is the username and password for
    its API.
    """

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        host: Callable[[World], str],
        login: tuple[str, str] | None,
        *,
        interval: PollInterval | None = None,
    ) -> None:
        super().__init__("traefik", interval or PollInterval(fast=1.0, slow=2.0))
        self._journal, self._host, self._login = journal, host, login
        self._endpoints = tuple(e for e in endpoints if PORT in e.published)
        self._current = 0
        self._last: RoutesSeen | None = None
        self._rows: dict[tuple[str, str], Traffic] = {}
        self._moved_at = float("-inf")

    def _look(self) -> bool:
        host = self._host(self._journal.world)
        if not host:
            self._write(RoutesSeen("none"))
            return False
        if not self._endpoints:
            raise _Unreachable(f"port {PORT} is reached on no node from this machine")
        routes, rows = self._ask(host)
        self._write(routes)
        self._count(rows)
        return time.monotonic() - self._moved_at < LINGER

    def _on_failure(self, error: Exception) -> None:
        if isinstance(error, _Refused):
            self._write(RoutesSeen("refused", first_line(error)))
        elif isinstance(error, _Unreachable | OSError | httpx.HTTPError | httpx.InvalidURL):
            self._write(RoutesSeen("unreachable", first_line(error)))
        else:
            self._write(RoutesSeen("unreadable", describe_error(error)))

    def _write(self, fact: RoutesSeen) -> None:
        if fact != self._last:
            self._last, self._moved_at = fact, time.monotonic()
            self._journal.write(fact)

    def _count(self, rows: tuple[Traffic, ...]) -> None:
        changed = tuple(row for row in rows if self._rows.get((row.what, row.name)) != row)
        if changed:
            self._rows.update({(row.what, row.name): row for row in changed})
            self._journal.write(TrafficSeen(changed))

    def _ask(self, host: str) -> tuple[RoutesSeen, tuple[Traffic, ...]]:
        """Query the API through the node that answered last, or the next that does; its answer counts, good or bad."""
        why = ""
        for _ in self._endpoints:
            endpoint = self._endpoints[self._current % len(self._endpoints)]
            address = endpoint.published[PORT]
            try:
                with http.make_client(BOUND, address, self._login) as client:
                    return _View(client, address, host).read()
            except (httpx.HTTPError, OSError) as error:
                why = f"{endpoint.node}: {_words(error)}"
                self._current += 1
        raise _Unreachable(why)


class _View:
    """One reading of Traefik's API and metrics."""

    def __init__(self, client: http.Client, address: tuple[str, int], host: str) -> None:
        self._client, self._host = client, host
        self._base = f"https://{address[0]}:{address[1]}"
        self._left = LONGEST
        self._odd: list[str] = []

    def read(self) -> tuple[RoutesSeen, tuple[Traffic, ...]]:
        path = "/api/version"
        version = api.version(path, self._json(path)[0])
        rows, doubt = self._metrics()
        seen = RoutesSeen(
            "live",
            version=version,
            entrypoints=self._keep(api.entrypoints("/api/entrypoints", self._list("/api/entrypoints"))),
            routers=self._both("routers", api.routers),
            balancers=self._both("services", api.balancers),
            middlewares=self._both("middlewares", api.middlewares),
            certificates=self._keep(api.certificates(_CERTIFICATES, self._list(_CERTIFICATES))),
        )
        more = len(self._odd) - 1
        odd = f"{self._odd[0]}{f' (and {more} more)' if more else ''}" if self._odd else ""
        return replace(seen, why="; ".join(filter(None, (odd, doubt)))), rows

    def _keep(self, listing: api.Listing[api.T]) -> tuple[api.T, ...]:
        self._odd += listing.odd
        return listing.values

    def _both(self, kind: str, read: Callable[[str, Any, str], api.Listing[api.T]]) -> tuple[api.T, ...]:
        paths = {protocol: f"/api/{protocol}/{kind}" for protocol in ("http", "tcp")}
        return tuple(
            one for protocol, path in paths.items() for one in self._keep(read(path, self._list(path), protocol))
        )

    def _metrics(self) -> tuple[tuple[Traffic, ...], str]:
        """Return the counters, and if there are none, why. Routes can be shown without them."""
        path = "/metrics"
        answer = self._get(path)
        if answer.status != 200:
            return (), f"no counts: {path} was answered with status {answer.status}"
        try:
            return api.traffic(path, answer.text), ""
        except EngineError as error:
            return (), f"no counts: {error.sentence}"

    def _list(self, path: str) -> Any:
        """Return all pages of a list. Traefik names the next page, and after the last page the first."""
        found: list[Any] = []
        page = 1
        while page <= PAGES:
            raw, following = self._json(f"{path}?page={page}&per_page=100")
            if not isinstance(raw, list):
                return raw
            found += raw
            if following <= page:
                break
            page = following
        return found

    def _json(self, path: str) -> tuple[Any, int]:
        """Return the JSON of an answer and the number of the next page, 0 for none."""
        answer = self._get(path)
        status, bare = answer.status, path.partition("?")[0]
        if status in {401, 403}:
            raise _Refused(f"Traefik's API refuses the user and password (status {status})")
        if status == 404 and bare == _CERTIFICATES:
            return [], 0
        if status in _GATEWAY:
            said = _GATEWAY[status].format(host=self._host)
            raise _Unreachable(f"{bare} was answered with status {status}: {said}")
        if status != 200:
            raise EngineError(f"{bare} was answered with status {status}, which Traefik's API never does")
        try:
            following = answer.headers.get("X-Next-Page", "")
            return json.loads(answer.text), int(following) if following.isdecimal() and len(following) < 10 else 0
        except (ValueError, RecursionError) as error:
            start = " ".join(answer.text[:1000].split())[:80]
            raise EngineError(f"the answer of {bare} is not JSON: {start or 'it is empty'}") from error

    def _get(self, path: str) -> http.Answer:
        try:
            answer = http.get(self._client, self._base + path, self._host, longest=self._left, bound=BOUND)
        except http.TooLong as error:
            raise EngineError(f"{path.partition('?')[0]} was answered with more than can be read: {error}") from error
        self._left -= len(answer.body)
        # JSON and metrics are UTF-8 by their standards, whatever charset is declared.
        return replace(answer, charset=None)


def _words(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return f"no answer in {BOUND:.0f} s"
    if isinstance(error, httpx.ConnectError) and "refused" in str(error):
        return "refused"
    return first_line(error) if isinstance(error, Unproven) else describe_error(error)
