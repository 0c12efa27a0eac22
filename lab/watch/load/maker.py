"""The load generator: open-loop HTTP requests to the nodes' published ports, told to the journal every half second.

Open loop: request n is due at its time, whatever became of those before it, and its latency counts from then on. So a
swarm that stalls is seen to stall.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from lab.engine.endpoint import Endpoint
from lab.errors import InputError
from lab.watch.load.run import LoadRun
from lab.world.journal import Journal
from lab.world.load import LoadSpec

#: A request's bound, seconds from when it was sent.
BOUND = 10.0
#: Seconds for which `stop` waits for the last report.
PATIENCE = 5.0
#: Requests a second at the most.
FASTEST = 5000.0


class LoadMaker:
    """Makes the load that is wished for, on a thread that lives only while there is one. Callable from any thread."""

    def __init__(self, journal: Journal, endpoints: Iterable[Endpoint], *, bound: float = BOUND) -> None:
        self._journal, self._endpoints, self._bound = journal, tuple(endpoints), bound
        self._turn = threading.Lock()
        self._run: LoadRun | None = None
        self._wish: LoadSpec | None = None
        self._closed = False

    @property
    def load_spec(self) -> LoadSpec | None:
        """What is asked for; None when nothing is."""
        return self._wish

    def start(self, load_spec: LoadSpec) -> None:
        """Begin, or change what is asked while it runs. Returns at once; after `close` it does nothing.
        InputError for a rate that is none."""
        if not 0 <= load_spec.rate <= FASTEST:
            raise InputError(
                f"a load of {load_spec.rate:g} requests a second cannot be made", remedy=f"ask for 0 to {FASTEST:g}"
            )
        with self._turn:
            if self._closed:
                return
            if self._wish is not None and self._run is not None:
                self._run.ask(load_spec)
            else:
                self._run = LoadRun(self._journal, self._endpoints, self._bound, load_spec, after=self._run)
            self._wish = load_spec

    def stop(self) -> None:
        """End: requests in flight are waited for, and those without an answer after 4 s count as bad. Returns when
        the last report is written, after 5 s at the most. Idempotent."""
        with self._turn:
            run, self._wish = self._run, None
            if run is not None:
                run.stop()
        if run is not None:
            run.wait(PATIENCE)

    def close(self) -> None:
        """Stop, and start no more."""
        with self._turn:
            self._closed = True
        self.stop()
