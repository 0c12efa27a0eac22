"""`run` and `record` through their own wiring: a cluster of doubles, the real driver, journal and recorder."""

from __future__ import annotations

import argparse
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

from lab.cli import lessons as commands
from lab.cli.out import Out
from lab.cluster import docker_env, edge_settings, swarm_init
from lab.errors import LabError
from lab.lesson.model import Lesson
from lab.session.cluster_driver import ClusterDriver
from lab.session.run import go_through
from lab.tape.tape import check_tape
from lab.terminal.redact import MASK
from lab.world.entries import Captured, StepMoved, SwarmChanged
from lab.world.journal import Journal
from tests.doubles.cluster import DoubleCluster

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


def test_a_shell_of_a_lab_means_this_lab_by_swarmlab(cluster: DoubleCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    cluster.name = "two"
    monkeypatch.setattr(docker_env, "docker_folder", lambda: None)
    managers = [swarm_init.EngineState(node=cluster.endpoints()[0].node, control=True)]
    monkeypatch.setattr(swarm_init, "read_engines", lambda endpoints: managers)
    assert docker_env.env(cluster)["SWARMLAB_NAME"] == "two"
    driver = ClusterDriver(cluster, Journal())
    driver.start()
    try:
        driver.look()
        ended = driver.run('echo "$SWARMLAB_NAME" "$SWARMLAB_STATE"')
    finally:
        driver.close()
    assert ended.output.split() == ["two", os.environ["SWARMLAB_STATE"]]


def test_a_recording_of_a_step_that_passes(cluster: DoubleCluster, tmp_path: Path) -> None:
    said: list[str] = []
    result = go_through("default", LESSON, said.append, tape=tmp_path / "deep" / "a.tape")
    assert result.passed, result.why
    tape = check_tape(tmp_path / "deep" / "a.tape")
    assert (tape.header.lesson, tape.header.provider, tape.finished) == ("a-fault", "double", True)
    assert not any("leaves out" in line for line in said)


def test_how_long_the_managers_took_to_miss_a_node_is_told(cluster: DoubleCluster) -> None:
    (step,) = go_through("default", LESSON, lambda line: None).steps
    (said,) = step.took
    assert re.fullmatch(r"node4 was down for the managers \d+\.\d s after the lab powered node4 off", said)


def test_a_lesson_is_told_where_it_reaches_the_ports_that_it_names(
    cluster: DoubleCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = {8080: ("127.0.0.1", 20288), 8081: ("127.0.0.1", 20281)}
    endpoints = tuple(replace(each, published=reached) for each in cluster.endpoints())
    monkeypatch.setattr(cluster, "endpoints", lambda: endpoints)
    step = LESSON.steps[0].model_copy(update={"text": "Ask {{node2_8080}}."})
    go_through("default", LESSON.model_copy(update={"steps": (step,)}), lambda line: None, tape=tmp_path / "a.tape")
    facts = [entry.fact for entry in check_tape(tmp_path / "a.tape").entries]
    values = {fact.name: fact.value for fact in facts if isinstance(fact, Captured)}
    assert values["node2_8080"] == "127.0.0.1:20288"
    assert not {"node1_8080", "node2_8081"} & values.keys()


def test_record_makes_no_folder_before_it_knows_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path / "state"))
    args = argparse.Namespace(lesson="scaling", name="nothere", output=str(tmp_path / "new" / "a.tape"))
    with pytest.raises(LabError, match="nothere"):
        commands.record(args, Out(json=False))
    assert not (tmp_path / "new").exists()
