"""The player: a tape into a journal, at a learner's pace, and never a live call."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lab.errors import InputError
from lab.tape.player import LONGEST_PAUSE, Player
from lab.tape.tape import Header, Recorder, Tape
from lab.terminal.redact import Redactor
from lab.world.entries import CommandBegan, Entry, LessonOpened, Printed, StepMoved
from lab.world.journal import Journal
from lab.world.world import World, fold_all
from tests.builders import crash, first_look, service, task

HEADER = Header(title="T", lesson="t", recorded=datetime(2026, 11, 22, tzinfo=UTC))
ENTRIES = (
    Entry(0.0, LessonOpened("t")),
    Entry(0.5, first_look()),
    Entry(1.0, StepMoved("t", "one", "begun")),
    Entry(2.0, CommandBegan(1, "node1", "docker service create", "one")),
    Entry(4.0, first_look(service(), tasks=[task(1), task(2), task(3)])),
    Entry(5.0, StepMoved("t", "one", "passed")),
    Entry(5.5, Printed("node1", "$ ")),
    Entry(6.0, StepMoved("t", "two", "begun")),
    Entry(66.0, StepMoved("t", "two", "failed", "nothing came")),
    Entry(67.0, StepMoved("t", "three", "begun")),
    Entry(68.0, Printed("node1", "half")),
)
TAPE = Tape(HEADER, ENTRIES)


class Time:
    """A clock that waiting moves."""

    def __init__(self) -> None:
        self.now, self.waits = 0.0, list[float]()

    def wait(self, seconds: float) -> bool:
        self.waits.append(round(seconds, 3))
        self.now += seconds
        return False


def player(speed: float | None = None) -> tuple[Player, Journal, Time]:
    journal, time = Journal(clock=lambda: 0.0), Time()
    return Player(TAPE, journal, speed=speed, wait=time.wait, clock=lambda: time.now), journal, time


def test_all_of_it_at_once_makes_the_world_that_was_recorded() -> None:
    play, journal, time = player()
    assert play.play_to_end()
    assert journal.world == fold_all(ENTRIES)
    assert time.waits == []
    assert play.steps == ("one", "two", "three")


def test_a_step_plays_to_its_end_and_no_further() -> None:
    play, journal, _ = player()
    assert play.play_step("one")
    assert journal.world == fold_all(ENTRIES[:6])
    assert play.play_step("two")
    assert journal.world == fold_all(ENTRIES[:9])


def test_waits_are_as_recorded_by_the_speed_and_bounded() -> None:
    play, _, time = player(speed=2.0)
    play.play_step("one")
    assert time.waits == [0.5, 1.0, 0.5]
    play.play_step("two")
    assert time.waits[3:] == [LONGEST_PAUSE / 2]


def test_what_lies_before_a_step_passes_at_once() -> None:
    play, journal, time = player(speed=1.0)
    play.play_step("two")
    assert journal.world == fold_all(ENTRIES[:9]) and time.waits == [LONGEST_PAUSE]


def test_a_step_can_be_played_again_and_the_tape_be_wound_back() -> None:
    play, journal, _ = player()
    seen: list[tuple[Entry, World]] = []
    play.play_to_end()
    journal.read(lambda entry, world: seen.append((entry, world)))
    play.play_step("one")
    assert journal.world == fold_all(ENTRIES[:6])
    assert {"service:s-web", ("s-web", "3"), "node:n4"} <= seen[0][1].dirty
    assert not seen[0][1].swarm.nodes and [entry for entry, _ in seen[1:]] == list(ENTRIES[:6])
    play.wind("two")
    assert journal.world == fold_all(ENTRIES[:7])
    play.wind("one")
    assert journal.world == fold_all(ENTRIES[:2])
    play.rewind()
    assert journal.world == fold_all(ENTRIES[:2])


def test_stopping_ends_the_step_and_it_can_be_played_anew() -> None:
    journal = Journal(clock=lambda: 0.0)
    play = Player(TAPE, journal, speed=0.01)
    done: list[bool] = []
    thread = threading.Thread(target=lambda: done.append(play.play_step("one")))
    thread.start()
    assert journal.wait(lambda world: world.lesson.step == "one", 5.0)
    play.stop()
    thread.join(5.0)
    assert done == [False]
    step = journal.world.lesson.steps[("t", "one")]
    assert (step.state, step.why) == ("failed", "stopped")
    play.speed = None
    assert play.play_step("one")
    assert journal.world == fold_all(ENTRIES[:6])


def test_what_is_not_on_the_tape_is_told() -> None:
    play, journal, _ = player()
    with pytest.raises(InputError, match="no step four"):
        play.play_step("four")
    with pytest.raises(InputError, match="in the middle of step three"):
        play.play_step("three")
    assert journal.world.count == len(ENTRIES)
    with pytest.raises(InputError, match="above 0"):
        Player(TAPE, Journal(), speed=0)


def test_a_replay_makes_no_live_call(tmp_path: Path) -> None:
    path, journal = tmp_path / "a.tape", Journal()
    with Recorder(path, HEADER, journal, redact=Redactor()):
        journal.put_all(crash())
    program = """
import json, sys
calls = []
watched = ("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.fork", "os.system", "pty.")
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith(watched) else None)
from pathlib import Path
from lab.tape.player import Player
from lab.tape.render import cast, markdown
from lab.terminal.redact import Redactor
from lab.tape.tape import load
from lab.tape.transcript import Transcript
from lab.world.journal import Journal
tape, journal = load(Path(sys.argv[1])), Journal()
Player(tape, journal, speed=None).play_to_end()
teller = Transcript()
told = sum(len(list(teller.lines(entry))) for entry in tape.entries) + len(cast(tape)) + len(markdown(tape))
foreign = sorted({m.partition(".")[0] for m in sys.modules} & {"docker", "httpx", "pexpect", "textual", "qemu"})
print(json.dumps([journal.world.count, told > 500, calls, foreign]))
"""
    ran = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, timeout=60)
    assert ran.stderr == ""
    assert json.loads(ran.stdout) == [len(crash()), True, [], []]
