"""Commands that are killed at a random moment: the next one finds the old world whole, or the new one.

More by hand: SWARMLAB_KILLS=30, and SWARMLAB_SEED to see the same ones again.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from lab.cluster import api, lab_paths
from lab.cluster.model import Cluster
from lab.cluster.vm import state
from lab.cluster.vm.snapshot import store
from lab.lesson import progress
from lab.lesson.course import load_course
from lab.session.run import open_driver
from lab.session.save_snapshot import save
from lab.session.step_snapshots import name_before
from tests.live.conftest import Say, swarmlab, until
from tests.live.saved_service import NAME, Tasks, running, saved_service

pytestmark = pytest.mark.timeout(6000)

KILLS = int(os.environ.get("SWARMLAB_KILLS", "2"))
SECOND = "live-killed"
LESSON = next(each for each in load_course() if each.id == "scaling")
STEP = LESSON.steps[0].id
#: Commands, and the seconds within which they are killed: about as long as they take on a fast machine.
COMMANDS = (
    (("snapshot", f"{NAME}-killed"), 3.0),
    (("restore", NAME), 4.0),
    (("reset", "--to", "scaling", "--by", "snapshot"), 6.0),
    (("undo",), 4.0),
    (("up", "--name", SECOND, "--nodes", "1", "--yes"), 4.0),
)


@pytest.fixture(scope="module")
def saved(cluster: Cluster) -> Iterator[Tasks]:
    """A snapshot to go back to, another of a lesson's start, one before a step, and a template for the second lab."""
    assert swarmlab("prepare", "scaling", "--name", cluster.name).code == 0
    for again in (False, True):
        up = swarmlab("up", "--name", SECOND, "--nodes", "1", "--yes", "--json", bound=900)
        assert (up.code, up.json.get("whole")) == (0, True), up.err
        assert not again or "starting the machines from the template" in up.err, up.err
        assert swarmlab("down", "--name", SECOND).code == 0
    with saved_service(cluster) as tasks:
        with open_driver(cluster.name) as driver:
            save(driver, name_before(LESSON.id, STEP), "step", about={"lesson": LESSON.id, "step": STEP})
        progress.record_opened(cluster.name, LESSON.id)
        yield tasks
    progress.forget_step(cluster.name, LESSON)
    store.delete_of_steps(cluster.name)
    swarmlab("down", "--name", SECOND)


def test_a_command_that_is_killed_leaves_the_old_world_or_the_new_one(cluster: Cluster, saved: Tasks, say: Say) -> None:
    seed = int(os.environ.get("SWARMLAB_SEED", random.SystemRandom().randrange(10**6)))
    say(f"SWARMLAB_SEED={seed}")
    chance = random.Random(seed)
    for number in range(KILLS):
        what, longest = COMMANDS[(number + 1) % len(COMMANDS)]
        after = chance.uniform(0.3, longest)
        progress.pass_step(cluster.name, LESSON, STEP)
        machine = chance.random() < 0.25 and what[0] == "restore"
        ended = _kill(what if "--name" in what else (*what, "--name", cluster.name), after, cluster, machine=machine)
        say(f"kill {number}: {' '.join(what)} after {after:.1f} s{' and one machine' if machine else ''}, {ended}")
        if what[0] == "up":
            done = swarmlab("up", "--name", SECOND, "--nodes", "1", "--yes", "--json", bound=900)
            assert done.code == 0, done.err
            assert done.json["whole"]
            assert swarmlab("down", "--name", SECOND).code == 0
            continue
        api.find(cluster.name)
        if machine:
            assert swarmlab("up", "--name", cluster.name).code == 0
        until(lambda: cluster.status().whole, "the cluster is whole after the next command")
        assert not state.is_interrupted(cluster.name)
        if machine:  # it booted: its task is another
            until(lambda: len(running(cluster)) == 3, "three tasks run")
        else:
            allowed = (saved, {}) if what[0] == "reset" else (saved,)
            _await_tasks(cluster, *allowed)
        if what[0] == "reset" or machine:
            assert swarmlab("restore", NAME, "--name", cluster.name).code == 0
            _await_tasks(cluster, saved)
        swarmlab("snapshot", f"{NAME}-killed", "--remove", "--name", cluster.name)


def _await_tasks(cluster: Cluster, *allowed: Tasks) -> None:
    until(lambda: running(cluster) in allowed, "the very same tasks")


def _kill(what: tuple[str, ...], after: float, cluster: Cluster, *, machine: bool) -> str:
    """Kill a command after some seconds, and with it perhaps one machine; return how it ended."""
    argv = [sys.executable, "-m", "lab.cli", *what]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True) as one:
        with suppress(subprocess.TimeoutExpired):
            one.wait(after)
        if machine:
            with suppress(OSError, ValueError, psutil.Error):
                psutil.Process(int((Path(lab_paths.lab_folder(cluster.name)) / "node3" / "pid").read_text())).kill()
        early = one.poll() is not None
        with suppress(ProcessLookupError):
            os.killpg(one.pid, signal.SIGKILL)
    return "which had ended" if early else "killed"
