"""`run` and `record` through their own wiring: a cluster of doubles, the real driver, journal and recorder."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.cli import lessons as commands
from lab.cli.out import Out
from lab.cluster import api, edge_settings
from lab.cluster.links import LinkFault
from lab.cluster.model import Acceleration, Cluster, ClusterStatus, Images, Pace, Report, silent
from lab.engine.endpoint import Endpoint
from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.session.run import go_through
from lab.tape.tape import check_tape
from lab.terminal.redact import MASK
from lab.world.entries import StepMoved, SwarmChanged
from tests.doubles.engine import FakeEngine, FakeSwarm, fake_cluster

LESSON = Lesson.model_validate(
    {
        "id": "a-fault",
        "title": "A fault",
        "topics": ["any"],
        "minutes": 1,
        "about": "a node goes",
        "steps": [
            {
                "id": "off",
                "title": "Off",
                "text": "off",
                "act": {"stop": "node4"},
                "then": [{"node": {"name": "node4", "state": "down"}}],
            }
        ],
    },
    strict=False,
)


@dataclass
class DoubleCluster:
    """`lab.cluster.model.Cluster` over engines in this process; a machine that is powered off says `refuses`."""

    swarm: FakeSwarm
    engines: list[FakeEngine]
    refuses: str = ""
    name: str = "default"
    provider: str = "double"
    made_by_lab: bool = False
    acceleration: Acceleration = "native"
    images: Images = "packages"

    faults = frozenset({"stop", "start"})
    pace = Pace()
    snapshots = None

    def endpoints(self) -> tuple[Endpoint, ...]:
        return tuple(engine.endpoint for engine in self.engines)

    def status(self) -> ClusterStatus:
        return ClusterStatus(
            self.name, self.provider, self.made_by_lab, self.acceleration, datetime.now(UTC), (), whole=True
        )

    def stop(self, node: str) -> None:
        if self.refuses:
            raise LabError(self.refuses)
        self.swarm.turn(node, "down")

    def start(self, node: str, report: Report = silent) -> None:
        self.swarm.turn(node, "ready")

    def powered_off(self) -> tuple[str, ...]:
        return ()

    def cut_off(self) -> tuple[str, ...]:
        return ()

    def broken_links(self) -> tuple[LinkFault, ...]:
        return ()

    def break_link(self, fault: LinkFault, *, held: bool = False) -> None:
        raise NotImplementedError

    def heal_links(self) -> None:
        raise NotImplementedError

    def power_on(self, nodes: Sequence[str], report: Report = silent) -> None:
        raise NotImplementedError

    def cut(self, node: str) -> None:
        raise NotImplementedError

    def heal(self, node: str, report: Report = silent) -> None:
        raise NotImplementedError

    def down(self, report: Report = silent) -> None:
        raise NotImplementedError


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DoubleCluster]:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("SWARMLAB_CACHE", str(tmp_path / "cache"))
    with fake_cluster() as (swarm, engines):
        double = DoubleCluster(swarm, engines)

        def find(name: str = "default", report: Report = silent) -> Cluster:
            return double

        monkeypatch.setattr(api, "find", find)
        yield double


def test_no_secret_that_the_session_knows_reaches_its_tape(cluster: DoubleCluster, tmp_path: Path) -> None:
    password = edge_settings.read_settings(cluster).password
    cluster.swarm.create("app", 1)
    container = cluster.swarm.services["svc-app"]["Spec"]["TaskTemplate"]["ContainerSpec"]
    container["Env"] = [f"LOGIN_AT_THE_EDGE={password}"]
    cluster.refuses = f"node4 wants {password} first"
    result = go_through("default", LESSON, lambda line: None, tape=tmp_path / "a.tape")
    assert not result.passed
    assert password not in (tmp_path / "a.tape").read_text()
    facts = [entry.fact for entry in check_tape(tmp_path / "a.tape").entries]
    hidden = MASK * len(password)
    services = [service for fact in facts if isinstance(fact, SwarmChanged) for service in fact.services]
    assert services[0].spec.env == (f"LOGIN_AT_THE_EDGE={hidden}",)
    assert [fact.why for fact in facts if isinstance(fact, StepMoved)][-1] == f"node4 wants {hidden} first"


def test_a_recording_of_a_step_that_passes(cluster: DoubleCluster, tmp_path: Path) -> None:
    said: list[str] = []
    result = go_through("default", LESSON, said.append, tape=tmp_path / "deep" / "a.tape")
    assert result.passed, result.why
    tape = check_tape(tmp_path / "deep" / "a.tape")
    assert (tape.header.lesson, tape.header.provider, tape.finished) == ("a-fault", "double", True)
    assert not any("leaves out" in line for line in said)


def test_record_makes_no_folder_before_it_knows_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    args = argparse.Namespace(lesson="scaling", name="nothere", output=str(tmp_path / "new" / "a.tape"))
    with pytest.raises(LabError, match="nothere"):
        commands.record(args, Out(json=False))
    assert not (tmp_path / "new").exists()
