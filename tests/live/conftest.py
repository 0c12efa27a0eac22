"""One real cluster for all live tests: made once, as a user would, and removed at the end.

What a machine lacks for it is a failure here, with its reason. `SWARMLAB_LIVE=NAME` takes a lab that is up already
(for work on the tests themselves) and leaves it there.

The files run in the order of their names, which spares the cluster work: those that need nothing deployed come before
the lessons, and those that need the demo's stacks after them. Each test puts the cluster where it needs it, and so can
run alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lab.cluster import api
from lab.cluster.model import Cluster
from lab.session.cluster_driver import ClusterDriver
from lab.session.run import open_driver

Say = Callable[[str], None]

#: Generous: a cold start builds the base disk, on a slow and shared machine.
UP, COMMAND, WAIT = 2400.0, 1500.0, 600.0


@dataclass(frozen=True)
class Ran:
    """A finished `swarmlab` command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, which must be one JSON object."""
        return json.loads(self.out)


def swarmlab(*args: str, bound: float = COMMAND, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Ran:
    """Run the command as a user would, without a terminal."""
    argv = [sys.executable, "-m", "lab.cli", *args]
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        timeout=bound,
        env={**os.environ, **(env or {})},
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """A line in the test run's own log, whatever is captured."""
    reporter = request.config.pluginmanager.getplugin("terminalreporter")
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert reporter is not None
    assert capture is not None
    began = time.monotonic()

    def line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            _write(text)

    def _write(text: str) -> None:
        reporter.ensure_newline()
        for part in text.splitlines():
            reporter.write_line(f"  live {time.monotonic() - began:7.1f} s  {part}")

    return line


@pytest.fixture(scope="session")
def lab_name() -> Iterator[str]:
    """The name of the lab that all live tests share, in a state folder of its own."""
    if given := os.environ.get("SWARMLAB_LIVE"):
        yield given
        return
    # A short path: the sockets of the machines' monitors live below it (108 bytes at the most).
    folder = Path(tempfile.mkdtemp(prefix="swl-"))
    before = os.environ.get("SWARMLAB_STATE")
    os.environ["SWARMLAB_STATE"] = str(folder)
    try:
        yield "live"
    finally:
        if before is None:
            del os.environ["SWARMLAB_STATE"]
        else:
            os.environ["SWARMLAB_STATE"] = before
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def cluster(lab_name: str, say: Say) -> Iterator[Cluster]:
    """Four machines: three managers and a worker."""
    say(f"swarmlab up --yes --json --name {lab_name}")
    up = swarmlab("up", "--yes", "--json", "--name", lab_name, bound=UP)
    say("\n".join(up.err.splitlines()[-12:]))
    if up.code != 0:
        pytest.fail(f"the cluster did not come up (exit code {up.code}): {up.out}\n{up.err[-3000:]}", pytrace=False)
    status = up.json
    for node in status["nodes"]:
        role = "leader" if node["leader"] else node["role"]
        say(f"{node['name']}: {role}, {node['swarm']}, engine {'answers' if node['engine'] else 'silent'}")
    say(f"up after {status['seconds']} s, {status['provider']} ({status['acceleration']})")
    yield api.find(lab_name)
    if "SWARMLAB_LIVE" not in os.environ:
        down = swarmlab("down", "--name", lab_name, "--json")
        say(f"swarmlab down: exit code {down.code}")
        assert down.code == 0, down.err


@pytest.fixture
def driver(cluster: Cluster, lab_name: str) -> Iterator[ClusterDriver]:
    """A driver of the cluster, with a journal of its own."""
    with open_driver(lab_name) as driver:
        yield driver


def until(condition: Callable[[], bool], what: str, bound: float = WAIT) -> None:
    """Wait for `condition`; at the bound, fail with `what` was missing."""
    end = time.monotonic() + bound
    while not condition():
        assert time.monotonic() < end, f"after {bound:.0f} s still missing: {what}"
        time.sleep(0.2)
