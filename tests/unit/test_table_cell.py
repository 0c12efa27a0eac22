"""How a cell of the table is measured, on a driver that is none: its clock goes on only while somebody waits."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from lab.errors import WaitError
from lab.world.entries import Failure, Hit, LoadReport, SwarmChanged
from lab.world.journal import Journal
from lab.world.load import LoadSpec, step
from lab.world.request import Request
from lab.world.swarm import Service, ServiceSpec, Task, UpdateStatus
from tests.builders import NODES
from tests.table import measure
from tests.table.events import SERVICE
from tests.table.figures import Figures, Unmeasured

RATE = 10.0


def tasks(word: str, state: str = "running", desired: str = "running") -> tuple[Task, ...]:
    return tuple(
        Task(f"{word}{n}", "s", n, f"n{n + 1}", state, desired, 1.0, 2.0, container=f"{word}{n}") for n in (1, 2, 3)
    )


class FakeDriver:
    """The service's old tasks run until `over` seconds after the command, and requests fail from `fails_from` to
    `fails_to` after it. `silent` is the slot of a replica that never answers, `status` how the command ends."""

    def __init__(self, *, fails: tuple[float, float] = (0.0, 0.0), over: float = 20.0, silent: int = 0) -> None:
        self.now = self.sent = 0.0
        self.fails, self.over, self.silent, self.status = fails, over, silent, 0
        self.caused: float | None = None
        self.commands: list[str] = []
        self.spec: LoadSpec | None = None
        self.asked = 0
        self.journal = Journal(lambda: self.now)
        self.edge = SimpleNamespace(domain="localhost")
        self.cluster = SimpleNamespace(capacity=SimpleNamespace(patience=30.0))
        self.show(tasks("old"), "")

    def show(self, these: tuple[Task, ...], status: str) -> None:
        backend = Service("s", SERVICE, ServiceSpec("backend:1", replicas=3), 3, status=UpdateStatus(status))
        self.journal.write(SwarmChanged("node1", NODES, (backend,), these, first=not status))

    def sleep(self, seconds: float) -> None:
        """Let time pass, in steps of a half second; after each the load reports."""
        end = self.now + seconds
        while self.now < end:
            self.now += 0.5
            if self.caused is not None and self.now >= self.caused + self.over:
                self.show((*tasks("old", "shutdown", "shutdown"), *tasks("new")), "completed")
            if self.spec is not None:
                self.report()

    def report(self) -> None:
        assert self.spec is not None
        sent = int(self.spec.rate / 2)
        since = -1.0 if self.caused is None else self.now - self.caused
        bad = sent if self.fails[0] < since <= self.fails[1] else 0
        failures = tuple(Failure(n / self.spec.rate, "node1", 502, "", 1.0) for n in range(bad))
        steps = ((step(50.0), sent - bad),) if sent - bad else ()
        self.journal.write(
            LoadReport(True, self.spec.rate, "x", 0.5, sent, sent - bad, bad, steps=steps, failures=failures)
        )

    def ask(self, request: Request, *, nodes: tuple[str, ...]) -> None:
        assert (request.host, request.protocol, nodes) == ("node-app.localhost", "https", ("node1",))
        self.asked += 1
        slot = self.asked % 3 + 1
        replica = "" if slot == self.silent else f"old{slot}"
        self.journal.write(Hit("node1", 443, "/", 200 if replica else 502, replica, 5.0))

    def look(self) -> None:
        pass

    def load(self, spec: LoadSpec | None) -> None:
        self.spec = spec

    def run(self, text: str) -> SimpleNamespace:
        self.commands.append(text)
        self.caused = self.now
        return SimpleNamespace(status=self.status)


def cell(driver: FakeDriver, monkeypatch: pytest.MonkeyPatch, event: str = "update") -> Figures:
    monkeypatch.setattr(time, "sleep", driver.sleep)
    monkeypatch.setattr(time, "monotonic", lambda: driver.now)
    return measure._Cell(driver, event, RATE, lambda _: None).measure()  # type: ignore[arg-type]


def test_what_fails_is_counted_from_before_the_event_until_all_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver(fails=(2.0, 6.0))
    found = cell(driver, monkeypatch)
    assert (found.failed, found.reasons) == (40, {"status 502": 40})
    assert found.gap == pytest.approx(4.0, abs=0.11)
    seconds = measure.CLEAN + driver.over + measure.QUIET
    assert seconds - 1 <= found.sent / RATE <= seconds + 2
    assert driver.spec is None
    assert driver.commands == ["docker service update --detach --no-resolve-image --image backend:2 app_backend"]


def test_requests_that_still_fail_when_the_swarm_is_whole_again_are_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traefik may learn of it later than the managers."""
    found = cell(FakeDriver(fails=(2.0, 35.0), over=20.0), monkeypatch)
    assert found.failed == 330
    assert found.gap == pytest.approx(33.0, abs=0.11)
    with pytest.raises(WaitError, match="requests to be answered again"):
        cell(FakeDriver(fails=(2.0, 1e6)), monkeypatch)


def test_the_node_that_is_hit_is_that_of_the_replica_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver()
    cell(driver, monkeypatch, "crash")
    assert driver.commands[0].startswith(f"docker --context node{driver.asked % 3 + 2} kill $(docker --context node")


def test_nothing_happens_before_every_replica_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver(silent=2)
    with pytest.raises(WaitError, match="every replica to answer"):
        cell(driver, monkeypatch)
    assert driver.commands == []


def test_requests_that_fail_before_the_event_are_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver(fails=(-2.0, 1e6))
    with pytest.raises(Unmeasured, match=r"requests failed before it began \(status 502\)"):
        cell(driver, monkeypatch)
    assert (driver.commands, driver.spec) == ([], None)


def test_a_command_that_fails_is_no_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    driver = FakeDriver()
    driver.status = 1
    with pytest.raises(Unmeasured, match="the command for it ended with 1"):
        cell(driver, monkeypatch)
