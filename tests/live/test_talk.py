"""A talk on a real cluster, in a real terminal, driven by its speaker's notes: whatever is done to the cluster, the
terminal or the app, the talk goes on, says REPLAY where it is one, and comes back live.

More by hand: SWARMLAB_TALKS=10 (how often each), SWARMLAB_TALK=talk-25, SWARMLAB_SEED.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pexpect
import psutil
import pytest

from lab.cluster import lab_paths
from lab.cluster.model import Cluster
from lab.errors import LabError
from lab.session.talk.talk_client import TalkClient
from lab.session.talk.talk_views import NotesView
from tests.live.conftest import Say, swarmlab, until

pytestmark = pytest.mark.timeout(6000)

TALKS = int(os.environ.get("SWARMLAB_TALKS", "1"))
#: What is talked about: two steps that follow each other, and one of another lesson.
TALK = os.environ.get("SWARMLAB_TALK", "first-service:run first-service:ask reconciliation:declare").split()
#: Seconds within which a step ends, live or not, on a slow machine.
STEP = 300.0
#: Seconds within which the cluster is used again.
BACK = 400.0


class Speaker:
    """One who gives a talk: a terminal, and the notes in another one."""

    def __init__(self, cluster: Cluster, *more: str) -> None:
        argv = ["-m", "lab.cli", "present", *TALK, "--auto", "--typing", "at-once", "--name", cluster.name, *more]
        env = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.child: Any = pexpect.spawn(sys.executable, argv, env=env, dimensions=(30, 100), timeout=STEP)
        self._lab, self.drawn = cluster.name, 0
        self._views: NotesView | None = None
        self._client: TalkClient[NotesView] | None = None
        self._ended = threading.Event()
        for listen in (self._read, self._listen):
            threading.Thread(target=listen, daemon=True).start()
        until(lambda: self._views is not None, "the talk's notes", STEP)

    def _read(self) -> None:
        while not self._ended.is_set():
            try:
                self.drawn += len(self.child.read_nonblocking(65536, 1))
            except pexpect.TIMEOUT:
                continue
            except (pexpect.EOF, OSError, ValueError):
                return

    def _listen(self) -> None:
        """Follow the notes, of the next app too when this one was killed."""
        while not self._ended.is_set():
            try:
                self._client = TalkClient(self._lab, NotesView)
            except LabError:
                time.sleep(0.1)
                continue
            for view in self._client.views():
                self._views = view
            self._client = None

    @property
    def notes(self) -> NotesView:
        assert self._views is not None
        return self._views

    def press(self, action: str) -> None:
        until(lambda: self._client is not None, "a talk that listens", STEP)
        assert self._client is not None
        self._client.ask(action)

    def until(self, holds: Callable[[NotesView], bool], what: str, bound: float = STEP) -> None:
        until(lambda: holds(self.notes), f"{what}; the notes are: {self.notes}", bound)

    def run(self) -> None:
        """Have the slide's step run, until it has passed."""
        self.begin()
        self.until(lambda view: view.phase == "passed", "the step passes")

    def begin(self) -> None:
        """Have the slide's step run."""
        self.prefill()
        self.run_prefilled()

    def prefill(self) -> None:
        """Have the slide's command shown; a step without one runs at once."""
        self.press("next")
        self.until(lambda view: view.phase != "read", "the command is shown")

    def run_prefilled(self) -> None:
        """Run the command that is shown; a step without one runs already."""
        if self.notes.phase == "typed":
            self.press("next")

    def go_on(self) -> None:
        """Go to the next slide."""
        place = self.notes.place
        self.press("next")
        self.until(lambda view: view.place > place and view.phase == "read", "the next slide")

    def app(self) -> psutil.Process:
        """The process that shows the talk, a child of the one that watches it."""
        until(lambda: bool(psutil.Process(self.child.pid).children()), "an app", STEP)
        return psutil.Process(self.child.pid).children()[0]

    def close(self) -> None:
        self._ended.set()
        if self._client is not None:
            self._client.close()
        for process in (*psutil.Process(self.child.pid).children(recursive=True), self.child):
            process.terminate()
        self.child.close(force=True)


@contextmanager
def speaking(cluster: Cluster, *more: str) -> Iterator[Speaker]:
    speaker = Speaker(cluster, *more)
    try:
        yield speaker
    finally:
        speaker.close()


def kill_all(cluster: Cluster, _: Speaker, __: random.Random) -> None:
    for node in ("node1", "node2", "node3", "node4"):
        _kill(cluster, node)


def kill_one(cluster: Cluster, _: Speaker, chance: random.Random) -> None:
    _kill(cluster, chance.choice(["node1", "node2", "node3", "node4"]))


def cut_one(cluster: Cluster, _: Speaker, chance: random.Random) -> None:
    cluster.cut(chance.choice(["node2", "node3"]))


def resize(_: Cluster, speaker: Speaker, __: random.Random) -> None:
    for size in ((24, 80), (30, 100)):
        drawn = speaker.drawn
        speaker.child.setwinsize(*size)
        until(lambda drawn=drawn: speaker.drawn > drawn, f"the talk at {size[1]}x{size[0]}", STEP)  # type: ignore[misc]


def kill_app(_: Cluster, speaker: Speaker, __: random.Random) -> None:
    speaker.app().send_signal(signal.SIGKILL)


def _kill(cluster: Cluster, node: str) -> None:
    machine = psutil.Process(int((lab_paths.lab_folder(cluster.name) / node / "pid").read_text()))
    machine.kill()
    machine.wait(60)


MISHAPS: Mapping[str, Callable[[Cluster, Speaker, random.Random], None]] = {
    each.__name__: each for each in (kill_all, kill_one, cut_one, resize, kill_app)
}
TRIED = tuple(MISHAPS) if TALKS > 1 else ("kill_all", "kill_app")


@pytest.fixture(scope="module", autouse=True)
def prepared(cluster: Cluster) -> None:
    names = dict.fromkeys(name.partition(":")[0] for name in TALK)
    done = swarmlab("prepare", *(names if ":" in TALK[0] else TALK), "--name", cluster.name)
    assert done.code == 0, done.err


def test_preflight_says_that_all_is_there(cluster: Cluster) -> None:
    done = swarmlab("preflight", *TALK, "--name", cluster.name, "--json")
    assert done.json["ready"], done.out


@pytest.mark.parametrize("number", range(TALKS))
@pytest.mark.parametrize("mishap", TRIED)
def test_the_talk_goes_on(cluster: Cluster, mishap: str, number: int, say: Say) -> None:
    seed = int(os.environ.get("SWARMLAB_SEED", random.SystemRandom().randrange(10**6)))
    chance = random.Random(f"{seed} {number}")
    up = swarmlab("up", "--yes", "--name", cluster.name)
    assert up.code == 0, up.err
    with speaking(cluster) as speaker:
        speaker.until(lambda view: view.live, "the talk is live", BACK)
        count = speaker.notes.count
        hit = chance.randrange(count - 1)
        told: list[str] = []
        for place in range(count):
            if place == hit:
                # A quick step has passed before four machines are killed: they are before it runs.
                early = mishap == "kill_all"
                speaker.prefill()
                if early:
                    MISHAPS[mishap](cluster, speaker, chance)
                speaker.run_prefilled()
                if not early:
                    MISHAPS[mishap](cluster, speaker, chance)
                began = time.monotonic()
                if mishap == "kill_app":
                    speaker.until(lambda view: view.phase == "read", "the app again", 60)
                    told.append(f"the app is back after {time.monotonic() - began:.1f} s")
                    assert speaker.notes.place == hit
                    speaker.run()
                else:
                    speaker.until(lambda view: view.phase == "passed", "the step passes all the same")
                    how = "live" if speaker.notes.live else "REPLAY"
                    told.append(f"passed {how} after {time.monotonic() - began:.1f} s")
                    assert mishap not in ("kill_all",) or not speaker.notes.live
            else:
                if place == hit + 1:
                    began = time.monotonic()
                    speaker.until(lambda view: view.live, "live again", BACK)
                    told.append(f"live again after {time.monotonic() - began:.1f} s")
                speaker.run()
            if place < count - 1:
                speaker.go_on()
        say(f"SWARMLAB_SEED={seed} {mishap} at slide {hit + 1} of {count}: {'; '.join(told)}")
