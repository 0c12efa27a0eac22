"""Breaking something out of sight for a challenge: the commands, the faults after them, and the load that follows."""

from __future__ import annotations

from typing import Any

import pytest

from lab.cluster.faults import FAULTS
from lab.cluster.link_faults import LinkFault
from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.session.break_silently import begin_load, break_silently
from lab.session.run import go_through, open_driver
from lab.world.entries import ManagerLink
from lab.world.journal import Journal
from tests.doubles.cluster import DoubleCluster

DOWN = {"node": {"name": "node4", "state": "down"}}


def lesson(**broken: Any) -> Lesson:
    return Lesson.model_validate(
        {
            "id": "c-off-1",
            "title": "Off",
            "topics": ["any"],
            "minutes": 1,
            "about": "A node is gone.",
            "broken": {"by": "true", "acts": [{"stop": "node4"}], "shows": [DOWN], "bound": 60, **broken},
            "steps": [
                {
                    "id": "repair",
                    "title": "Repair it",
                    "text": "It is gone.",
                    "act": {"start": "node4"},
                    "then": [{"node": {"name": "node4", "state": "ready"}}],
                }
            ],
        },
        strict=False,
    )


def test_faults_follow_the_commands_and_are_there_when_the_lesson_begins(cluster: DoubleCluster) -> None:
    result = go_through("default", lesson(), lambda _: None)
    assert result.passed, result.why


def test_nothing_of_it_is_told(cluster: DoubleCluster) -> None:
    with open_driver("default", Journal(), events=False) as driver:
        break_silently(driver, lesson())
        driver.look()
        world = driver.journal.world
        assert {node.state for node in world.swarm.nodes.values() if node.name == "node4"} == {"down"}
        assert [line.text for line in world.changes if line.kind == "act"] == ["something was broken out of sight"]
        assert not world.commands


def test_that_a_manager_answered_before_is_not_taken_for_what_is_so_now(cluster: DoubleCluster) -> None:
    with open_driver("default", Journal(), events=False) as driver:
        links: list[ManagerLink] = []
        driver.journal.read(lambda entry, _: links.extend([entry.fact] if isinstance(entry.fact, ManagerLink) else []))
        break_silently(driver, lesson())
        assert links[0].state == "none"
        driver.look()
        assert driver.journal.world.link.state == "live"


def test_after_commands_that_fail_there_is_no_fault(cluster: DoubleCluster) -> None:
    with open_driver("default", Journal(), events=False) as driver:
        with pytest.raises(LabError, match="was not broken as it should be"):
            break_silently(driver, lesson(by="false", bound=3))
        driver.look()
        assert all(node.state == "ready" for node in driver.journal.world.swarm.nodes.values())


@pytest.mark.parametrize("held", [True, False])
def test_a_fault_of_the_network_ends_with_the_process_where_that_stays(
    cluster: DoubleCluster, monkeypatch: pytest.MonkeyPatch, held: bool
) -> None:
    made: list[tuple[LinkFault, bool]] = []

    def break_link(fault: LinkFault, *, held: bool = False) -> None:
        made.append((fault, held))
        cluster.swarm.turn("node4", "down")

    monkeypatch.setattr(type(cluster), "faults", frozenset(FAULTS))
    monkeypatch.setattr(cluster, "break_link", break_link)
    with open_driver("default", Journal(), events=False) as driver:
        break_silently(driver, lesson(acts=[{"block": "node4 4789"}]), held=held)
    assert made == [(LinkFault("node4", lost=1, port=4789), held)]


def test_its_load_begins_for_whoever_repairs_it(cluster: DoubleCluster) -> None:
    with open_driver("default", Journal(), events=False) as driver:
        begin_load(driver, lesson())
        assert driver.load_spec is None
        begin_load(driver, lesson(load={"port": 8081, "rate": 3}))
        assert driver.load_spec is not None
        assert (driver.load_spec.port, driver.load_spec.rate) == (8081, 3)
        driver.load(None)
