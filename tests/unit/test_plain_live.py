"""The lab line by line on a live stage: a real shell, the real watching of the open step, engines of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.session.live import LiveStage
from lab.wait import wait_until
from tests.doubles.cluster import DoubleCluster
from tests.doubles.engine import InstantSwarm, fake_cluster
from tests.doubles.plain_desk import PlainDesk, plain_desk


@pytest.fixture
def live(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[PlainDesk, InstantSwarm]]:
    """A seat at the lesson on scaling, on a swarm in which six tasks of web run."""
    monkeypatch.setenv("SWARMLAB_STATE", str(tmp_path))
    with fake_cluster() as (swarm, engines):
        swarm.create("web", 6)
        stage = LiveStage(DoubleCluster(swarm, engines), typing=0.0)
        try:
            with plain_desk(stage, lesson="scaling") as desk:
                yield desk, swarm
        finally:
            stage.close()


def test_commands_run_in_the_labs_shell_and_their_output_is_shown(live: tuple[PlainDesk, InstantSwarm]) -> None:
    desk, _ = live
    said = desk.type("echo $((6 * 7)); cd /; false")
    assert "On node1 runs:\n    echo $((6 * 7)); cd /; false\n    42\nExit status 1 after" in said
    assert "    /\n" in desk.type("pwd"), "the shell stays the same"
    desk.type("printf '%s, ' one \\")
    assert "    one, two,\n" in desk.type("  two")
    said = desk.type('echo "not closed')
    assert "this command is not complete" in said and "\nNext: look for a quote or a bracket" in said
    assert "\n    n is a command\n" in desk.type("!echo n is a command")


def test_ctrl_c_ends_a_command_that_runs(live: tuple[PlainDesk, InstantSwarm]) -> None:
    desk, _ = live
    desk.send("echo begun; sleep 600")
    desk.see("On node1 runs:")
    desk.seat.interrupt()
    assert "Exit status 130" in desk.read()
    assert "    still here\n" in desk.type("echo still here")


def test_a_step_that_comes_true_elsewhere_is_told_at_the_prompt(live: tuple[PlainDesk, InstantSwarm]) -> None:
    desk, swarm = live
    for _ in range(8):
        desk.type("n")
    assert desk.prompt == "step 8 of 8, Enter asks, then runs it"
    wait_until(
        "the step is watched", 20, lambda: "" if "1. Does not hold" in desk.type("c") else "no verdict", pause=0.1
    )
    desk.read_on()
    swarm.scale("web", 3)
    desk.see("\nStep 8 of 8: Done, and not by a command typed here.\n", "step 8 of 8, done, Enter goes on > ")
    assert "Service web: 3 of 3 tasks running" in desk.type("w")
    assert "1. Holds: " in desk.type("c")
