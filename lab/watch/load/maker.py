"""The load generator's front: starts, changes and ends a load. `load_run` sends its requests, open-loop, to the nodes'
published ports, and reports to the journal every half second.

Open loop: request n is due at its time, whatever happened to those before it, and its latency counts from then on. So a
swarm that stalls is seen to stall.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from lab.engine.endpoint import Endpoint
from lab.errors import InputError
from lab.watch.load.load_run import LoadRun
from lab.world.journal import Journal
from lab.world.load import LoadSpec

#: Timeout of a request, seconds from when it was sent.
BOUND = 10.0
#: Seconds for which `stop` waits for the last report.
PATIENCE = 5.0
#: Maximum requests per second.
FASTEST = 5000.0


class LoadMaker:
    """The maker of the requested load, on a thread that exists only while there is one. Methods may be called from any
    thread."""

    def __init__(self, journal: Journal, endpoints: Iterable[Endpoint], *, bound: float = BOUND) -> None:
        self._journal, self._endpoints, self._bound = journal, tuple(endpoints), bound
        self._turn = threading.Lock()
        self._run: LoadRun | None = None
        self._spec: LoadSpec | None = None
        self._closed = False

    @property
    def load_spec(self) -> LoadSpec | None:
        """The requested load; None if there is none."""
        return self._spec

    def start(self, load_spec: LoadSpec) -> None:
        """Start the load, or change it while it runs. Returns at once; does nothing after `close`. Raises InputError
        for a rate out of range."""
        if not 0 <= load_spec.rate <= FASTEST:
            raise InputError(
                f"a load of {load_spec.rate:g} requests a second cannot be made", remedy=f"ask for 0 to {FASTEST:g}"
            )
        with self._turn:
            if self._closed:
                return
            if self._spec is not None and self._run is not None:
                self._run.ask(load_spec)
            else:
                self._run = LoadRun(self._journal, self._endpoints, self._bound, load_spec, after=self._run)
            self._spec = load_spec

    def stop(self) -> None:
        """Stop the load: wait for requests in flight, and count those without an answer after 4 s as bad. Returns when
        the last report is written, after at most 5 s. Idempotent."""
        with self._turn:
            run, self._spec = self._run, None
            if run is not None:
                run.stop()
        if run is not None:
            run.wait(PATIENCE)

    def close(self) -> None:
        """Stop the load, and start no other."""
        with self._turn:
            self._closed = True
        self.stop()
