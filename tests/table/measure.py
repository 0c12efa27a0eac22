"""One cell on the real cluster: reset to the recipe's start, make load, let the event happen, wait until it is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.session.cluster_driver import ClusterDriver
from lab.session.reset_to import keep_checkpoint, reset_to
from lab.session.run import open_driver
from lab.wait import wait_until
from lab.world.entries import Entry, Hit, LoadReport
from lab.world.load import LoadSpec
from lab.world.request import Request
from lab.world.world import World
from tests.table.events import EVENTS, SERVICE, Start, see_start
from tests.table.figures import Figures, Unmeasured, read_figures

Say = Callable[[str], None]

#: The node that runs Traefik, and that all requests are sent to: what is measured is not the way into the swarm.
ENTRY = "node1"
#: Seconds without a failed request before the event, and after it.
CLEAN, QUIET = 5.0, 10.0
#: Seconds for all replicas to answer, for a clean beginning, for an event to be over, for requests to fail after it.
ANSWER, BEGIN, OVER, LAST = 120.0, 60.0, 240.0, 120.0
#: Seconds after which a connection between Traefik and a replica that carries no request is closed by the application.
IDLE = 1.2


def reset(name: str, lesson: Lesson, say: Say) -> None:
    """Put the cluster to a recipe's start; what took long is kept as a snapshot."""
    with open_driver(name, look=False, events=False) as driver:
        done = reset_to(driver, lesson)
        say(f"reset by {'a snapshot' if done.by == 'snapshot' else 'the API'} in {done.seconds:.0f} s")
        with suppress(LabError):  # The cluster is at the start; only the next reset takes longer.
            keep_checkpoint(driver, lesson, None, done, lambda _: None)


def measure(name: str, lesson: Lesson, event: str, rate: float, say: Say) -> Figures:
    """Return the figures of one event, from the recipe's start. Raises Unmeasured, and what a reset does."""
    reset(name, lesson, say)
    with open_driver(name) as driver:
        return _Cell(driver, event, rate, say).measure()


def choose_rate(driver: ClusterDriver) -> float:
    """Return the requests a second for this cluster: a lesson's, or 5, which emulated machines bear as well when no
    connection has to be opened for each."""
    return max(5.0, driver.cluster.capacity.load)


class _Cell:
    """A cell that is being measured."""

    def __init__(self, driver: ClusterDriver, event: str, rate: float, say: Say) -> None:
        self._driver, self._event, self._rate, self._say = driver, EVENTS[event], rate, say
        self._host = f"node-app.{driver.edge.domain}"
        self._hits: list[Hit] = []
        self._reports: list[tuple[float, LoadReport]] = []
        driver.journal.read(self._take)

    def _take(self, entry: Entry, _: World) -> None:
        if isinstance(entry.fact, Hit):
            self._hits.append(entry.fact)
        elif isinstance(entry.fact, LoadReport):
            self._reports.append((entry.at, entry.fact))

    def measure(self) -> Figures:
        wait_until("every replica to answer", ANSWER, self._find_silent, pause=IDLE)
        self._begin()
        start = self._cause()
        wait_until(
            f"the {self._event.title} to be over",
            OVER,
            lambda: self._event.lacks(self._driver.journal.world, start),
            say=self._say,
        )
        time.sleep(QUIET)
        wait_until("requests to be answered again", LAST, self._find_failing)
        # No more requests, until the last one has its answer or has waited for its full time.
        self._driver.load(self._load(0.0))
        patience = self._driver.cluster.capacity.patience
        wait_until("the last requests to end", patience + 10.0, self._find_unanswered)
        self._driver.load(None)
        return read_figures(self._reports, self._rate)

    def _load(self, rate: float) -> LoadSpec:
        return LoadSpec(rate=rate, host=self._host, node=ENTRY, fresh=False)

    def _find_silent(self) -> str:
        """Return which of the replicas no request has reached. Each is sent when no connection is left from before."""
        self._driver.ask(Request(443, "/", self._host, "https"), nodes=(ENTRY,))
        service = self._driver.journal.world.swarm.service(SERVICE)
        wanted = 0 if service is None else service.desired
        answered = {hit.replica for hit in self._hits if hit.status == 200 and hit.replica}
        return "" if wanted and len(answered) >= wanted else f"{len(answered)} of {wanted} replicas answer"

    def _begin(self) -> None:
        """Make load, and begin anew until some seconds went without a failed request."""
        end = time.monotonic() + BEGIN
        while True:
            self._reports.clear()
            self._driver.load(self._load(self._rate))
            time.sleep(CLEAN)
            if not any(report.bad for _, report in self._reports) and any(report.good for _, report in self._reports):
                return
            why = [failure.error or f"status {failure.status}" for _, one in self._reports for failure in one.failures]
            self._driver.load(None)
            if time.monotonic() > end:
                raise Unmeasured(f"requests failed before it began ({', '.join(dict.fromkeys(why)) or 'no answer'})")

    def _cause(self) -> Start:
        """Let it happen, to the replica that answers now."""
        self._driver.ask(Request(443, "/", self._host, "https"), nodes=(ENTRY,))
        self._driver.look()
        start = see_start(self._driver.journal.world, self._hits[-1].replica)
        self._say(f"{self._event.title}, {start.node}")
        if self._event.act:
            self._driver.act(self._event.act, start.node)
            return start
        ended = self._driver.run(self._event.run.format(node=start.node))
        if ended.status != 0:
            raise Unmeasured(f"the command for it ended with {ended.status}")
        return start

    def _find_failing(self) -> str:
        """Return whether a request has failed within the last seconds."""
        failed = max((at - failure.ago for at, report in self._reports for failure in report.failures), default=None)
        return "requests still fail" if failed is not None and self._driver.journal.now() - failed < QUIET else ""

    def _find_unanswered(self) -> str:
        last = self._reports[-1][1]
        return "requests wait for their answers" if last.in_flight or last.rate else ""
