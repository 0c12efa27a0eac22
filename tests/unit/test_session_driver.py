"""The keyboard's way to a shell: what is typed before the prompt is there arrives, once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from lab.cluster.faults import FAULTS
from lab.cluster.model import Capacity, Cluster
from lab.cluster.wire import Wire
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError
from lab.session.cluster_driver import ClusterDriver
from lab.world.entries import Entry, ManagerLink, Printed
from lab.world.journal import Journal

BOUND = 60.0


class Nodes:
    """A cluster of which nothing is asked but where its engine would be."""

    name, provider, acceleration, images, made_by_lab = "hands", "vm", "kvm", "packages", True
    capacity, faults = Capacity(), frozenset(FAULTS)

    dns_port = 0

    def endpoints(self) -> tuple[Endpoint, ...]:
        return (Endpoint("node1", "manager", "tcp://127.0.0.1:1", None, "10.77.0.11", {}),)

    def powered_off(self) -> tuple[str, ...]:
        return ()

    def cut_off(self) -> tuple[str, ...]:
        return ()

    def reach(self) -> Mapping[str, Mapping[str, float | None]]:
        return {}

    def open_wire(self, marks: Collection[str] = ()) -> Wire:
        raise NotImplementedError


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ClusterDriver]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    driver = ClusterDriver(cast(Cluster, Nodes()), Journal())
    yield driver
    driver.shell("node1").close()


def test_keys_that_come_before_the_prompt_are_echoed_once(driver: ClusterDriver) -> None:
    printed: list[str] = []

    def read(entry: Entry, _: object) -> None:
        if isinstance(entry.fact, Printed):
            printed.append(entry.fact.text)

    driver.journal.read(read)
    driver.journal.write(ManagerLink("live", "node1"))
    driver.keys("echo once-$((6*7))\r")
    assert driver.journal.wait(lambda _: "once-42" in "".join(printed), BOUND), printed
    assert "".join(printed).count("echo once-") == 1


def test_who_looks_finds_a_prompt(driver: ClusterDriver) -> None:
    printed: list[str] = []
    driver.journal.read(lambda entry, _: printed.append(getattr(entry.fact, "text", "")))
    driver.journal.write(ManagerLink("live", "node1"))
    driver.keys("")
    assert driver.journal.wait(lambda _: "node1" in "".join(printed), BOUND)
    assert not driver.journal.world.commands


def test_a_key_without_a_manager_is_refused_at_once(driver: ClusterDriver) -> None:
    driver.journal.write(ManagerLink("none", "", "every manager is powered off"))
    with pytest.raises(EngineError, match="every manager is powered off"):
        driver.keys("x")


def test_no_shell_is_opened_once_the_lab_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    closed = ClusterDriver(cast(Cluster, Nodes()), Journal())
    closed.close()
    with pytest.raises(EngineError, match="the lab is being closed"):
        closed.shell("node1")


def test_when_no_manager_answers_any_more_the_keys_go_to_one_that_is_on(driver: ClusterDriver) -> None:
    driver.journal.write(ManagerLink("stale", "node1", "the swarm has no leader"))
    driver.keys("x")
    assert driver.shell("node1") is driver.shell("", bound=0.0)
