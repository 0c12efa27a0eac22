"""One load from its start to its stop: a thread with an event loop that sends, counts and reports."""

from __future__ import annotations

import asyncio
import resource
import ssl
import threading
from dataclasses import dataclass, field, replace

import h11

from lab.engine.endpoint import Endpoint
from lab.watch.load.connection import Closed, Connection, describe_failure
from lab.watch.load.schedule import LoadStats, Schedule
from lab.world.journal import Journal
from lab.world.load import LoadSpec

#: Seconds between reports.
EVERY = 0.5
#: Seconds for which a stop waits for requests in flight.
DRAIN = 4.0
#: Maximum requests in flight.
IN_FLIGHT = 2000
#: Maximum idle connections kept per node.
IDLE = 8
#: Requests sent in a row before answers are read again, while the loop catches up.
BURST = 64


@dataclass(eq=False, slots=True)
class Target:
    """A node's published port and the request for it, or `why` there is none. `name` is sent in TLS (SNI)."""

    node: str
    address: tuple[str, int] = ("", 0)
    name: str = ""
    request: h11.Request | None = None
    why: str = ""
    idle: list[Connection] = field(default_factory=list)


def resolve_target(endpoint: Endpoint, load_spec: LoadSpec) -> Target:
    """Return one node's target for a load."""
    node = endpoint.node
    if load_spec.port not in endpoint.published:
        return Target(node, why=f"port {load_spec.port} of {node} is not reached from this machine")
    address, port = endpoint.published[load_spec.port]
    try:
        name = load_spec.host.encode("idna").decode()
        headers = [("Host", name or f"{address}:{port}"), ("User-Agent", "swarmlab"), ("Accept", "*/*")]
        if load_spec.fresh:
            headers.append(("Connection", "close"))
        return Target(node, (address, port), name, h11.Request(method="GET", target=load_spec.path, headers=headers))
    except (h11.LocalProtocolError, UnicodeError):
        return Target(
            node, why=f"no request can carry the host {load_spec.host!r} and the path {load_spec.path!r}"[:120]
        )


class LoadRun:
    """One load, which starts when created, but not before the run `after` has ended. `ask`, `stop` and `wait` are for
    other threads; everything else belongs to the loop."""

    def __init__(
        self,
        journal: Journal,
        endpoints: tuple[Endpoint, ...],
        bound: float,
        load_spec: LoadSpec,
        after: LoadRun | None = None,
    ) -> None:
        self._journal, self._endpoints, self._bound = journal, endpoints, bound
        self._spec, self._after = load_spec, after
        # Each request takes an open file, and the lab needs some for itself.
        self._most = min(IN_FLIGHT, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._targets: tuple[Target, ...] = ()
        self._tls: ssl.SSLContext | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._open: set[Connection] = set()
        self._number = self._in_flight = 0
        self._schedule, self._tally = Schedule(0.0, 0.0), LoadStats(0.0)
        self._sending: asyncio.TimerHandle | None = None
        self._reporting: asyncio.TimerHandle | None = None
        self._stopped = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._main, name="load", daemon=True)
        self._thread.start()

    def ask(self, load_spec: LoadSpec) -> None:
        """Switch to another load from now on."""
        self._loop.call_soon_threadsafe(self._change, load_spec)

    def stop(self) -> None:
        """Begin to stop."""
        try:
            self._loop.call_soon_threadsafe(self._stopped.set)
        except RuntimeError:
            # The loop is closed: the run has already ended.
            return

    def wait(self, seconds: float | None = None) -> None:
        """Wait until the last report is written, at most `seconds`."""
        self._thread.join(seconds)

    def _main(self) -> None:
        if self._after is not None:
            self._after.wait()
            self._after = None
        try:
            self._loop.run_until_complete(self._life())
        finally:
            self._loop.close()

    async def _life(self) -> None:
        now = self._loop.time()
        self._schedule, self._tally = Schedule(now, self._spec.rate), LoadStats(now)
        self._take_targets()
        # A report of no duration shows the load as running before the first answers are reported.
        self._report()
        self._send()
        await self._stopped.wait()
        if self._sending is not None:
            self._sending.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=DRAIN)
        if self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        self._report(running=False)
        for exchange in tuple(self._open):
            exchange.abort()
        # Sockets are closed in the loop's next iterations.
        for _ in range(3):
            await asyncio.sleep(0)

    def _change(self, load_spec: LoadSpec) -> None:
        if not self._targets:
            # Called before the loop's first iteration: the run begins with this load.
            self._spec = load_spec
            return
        now = self._loop.time()
        # Requests that were due under the old load are sent under it.
        self._send_due(now, self._most)
        before, self._spec = self._spec, load_spec
        self._schedule = self._schedule.change_rate(now, load_spec.rate)
        if replace(before, rate=load_spec.rate) != load_spec:
            self._take_targets()
        self._send()

    def _take_targets(self) -> None:
        self._drop_idle()
        if self._spec.https and self._tls is None:
            # Not imported with this module: it imports httpx, which a load without TLS need not wait for.
            from lab.watch import http

            self._tls = http.insecure_tls_context()
        asked = [each for each in self._endpoints if self._spec.node in ("", each.node)]
        self._targets = tuple(resolve_target(endpoint, self._spec) for endpoint in asked) or (
            Target(self._spec.node, why=f"the cluster has no node {self._spec.node or 'to ask'}"),
        )

    def _drop_idle(self) -> None:
        for one in self._targets:
            for exchange in one.idle:
                exchange.close()
            one.idle.clear()

    def _send(self) -> None:
        """Send the requests that are due, and schedule the next call for when the next one is."""
        if self._sending is not None:
            self._sending.cancel()
            self._sending = None
        if self._stopped.is_set():
            return
        due = self._send_due(self._loop.time(), BURST)
        if self._schedule.rate > 0:
            self._sending = self._loop.call_at(due, self._send)

    def _send_due(self, now: float, most: int) -> float:
        """Send the requests due by now, at most `most`; return when the next one is due."""
        while (due := self._schedule.due(self._number)) <= now and most:
            target = self._targets[self._number % len(self._targets)]
            self._number, most = self._number + 1, most - 1
            self._tally.send(now - due)
            if target.request is None:
                self._tally.end(now, due, target.node, 0, target.why)
            elif self._in_flight >= self._most:
                self._tally.end(now, due, target.node, 0, "too many in flight")
            else:
                self._in_flight += 1
                task = self._loop.create_task(self._request_one(target, target.request, due))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        return due

    async def _request_one(self, target: Target, request: h11.Request, due: float) -> None:
        status, error = 0, ""
        try:
            # From now on, not from when it was due: if this loop is late, the swarm is not at fault.
            async with asyncio.timeout(self._bound):
                status = await self._fetch(target, request)
        except Exception as failure:  # noqa: BLE001  an answer may be anything, and each request is counted once
            error = describe_failure(failure, self._bound)
        except asyncio.CancelledError:
            error = "no answer before the load was stopped"
        self._in_flight -= 1
        self._tally.end(self._loop.time(), due, target.node, status, error)

    async def _fetch(self, target: Target, request: h11.Request) -> int:
        while target.idle:
            exchange = target.idle.pop()
            if not exchange.reusable:
                exchange.close()
                continue
            try:
                return await self._send_over(exchange, target, request)
            except (Closed, ConnectionResetError) as error:
                if isinstance(error, Closed) and error.begun:
                    raise
                # The server closed the idle connection while the request was on its way: that is not a failure.
                break
        _, exchange = await self._loop.create_connection(
            lambda: Connection(self._open),
            *target.address,
            ssl=self._tls if self._spec.https else None,
            server_hostname=target.name if self._spec.https else None,
            ssl_shutdown_timeout=2.0 if self._spec.https else None,
        )
        return await self._send_over(exchange, target, request)

    async def _send_over(self, exchange: Connection, target: Target, request: h11.Request) -> int:
        try:
            return await exchange.ask(request)
        finally:
            if exchange.reusable and target in self._targets and len(target.idle) < IDLE:
                target.idle.append(exchange)
            else:
                exchange.close()

    def _report(self, *, running: bool = True) -> None:
        """Report what was counted, and reset the counts."""
        now, tally = self._loop.time(), self._tally
        self._tally = LoadStats(now)
        if self._reporting is not None:
            self._reporting.cancel()
        rate = 0.0 if self._stopped.is_set() else self._spec.rate
        # Between two requests of a slow load there is nothing to report.
        apart = max(EVERY, min(1.0, 1 / rate)) if rate else EVERY
        self._reporting = self._loop.call_later(apart, self._report) if running else None
        self._journal.write(
            tally.report(now, running=running, rate=rate, target=self._spec.target, in_flight=self._in_flight)
        )
