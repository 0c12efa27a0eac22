"""The lab line by line while something runs or the prompt waits: what is said at once, and what Ctrl-C ends."""

from __future__ import annotations

import time

from lab.checks.command import STILL_RUNNING
from lab.plain.seat import INTERRUPTED
from lab.world.entries import Captured, Checked, LessonOpened, ManagerLink, StepMoved
from tests.doubles.plain_desk import plain_desk
from tests.tui.fake import FakeStage
from tests.unit.plain_stages import at_first_step, changed, stage_of


def test_a_step_that_passes_by_itself_is_told_while_the_prompt_waits() -> None:
    stage = stage_of(changed(0, after="All **four** run."))
    with plain_desk(stage) as desk:
        at_first_step(desk)
        desk.read_on()
        stage.journal.write(StepMoved("reconciliation", "declare", "passed", "Done by `docker service create`."))
        said = desk.see("\nStep 1 of 3: Done by `docker service create`.\n", "Enter goes on > ")
        assert said.startswith("\n"), "it begins below the prompt"
        assert "What you saw:\nAll four run.\n" in said
        assert desk.prompt == "step 1 of 3, done, Enter goes on"
        assert "Step 2 of 3" in desk.type("")


def test_a_command_whose_value_comes_later_is_shown_again() -> None:
    lesson = changed(1, run="docker kill {{box}}", capture={"box": {"service": "web", "take": "container"}})
    stage = stage_of(lesson)
    with plain_desk(stage) as desk:
        desk.type("n")
        assert "docker kill ‹box›" in desk.type("n")
        desk.read_on()
        stage.journal.write(Captured("box", "3f1c"))
        desk.see("This runs on node2:\n    docker kill 3f1c\n", " > ")


def test_a_cluster_that_does_not_answer_is_told_at_once() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        desk.read_on()
        stage.journal.write(ManagerLink("stale", "node1", "timed out"))
        desk.see("The cluster does not answer: timed out.", "swarmlab status")
        stage.journal.write(ManagerLink("live", "node2"))
        desk.see("The cluster answers again.")


def test_what_happens_while_the_prompt_waits_is_left_to_w() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        desk.read_on()
        stage.journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, "3 of 4"))
        stage.journal.write(LessonOpened("reconciliation"))
        assert "4 nodes" in desk.type("w")
        assert "Not yet" not in desk.printed


def test_that_a_command_runs_is_said_once() -> None:
    stage = FakeStage(hold=2)
    with plain_desk(stage) as desk:
        at_first_step(desk)
        desk.send("")
        desk.see("On node1 runs:")
        stage.journal.write(Checked("reconciliation", "declare", 0, "the output shows it", False, STILL_RUNNING))
        stage.journal.write(Checked("reconciliation", "declare", 0, "the output shows it", False, "not in the output"))
        desk.see("Not yet: the output shows it (not in the output)")
        assert STILL_RUNNING not in desk.printed
        stage.go_on()


def test_a_failed_step_says_why_and_what_to_do() -> None:
    with plain_desk(FakeStage(fail="3 of 4 run.\nGive it time.")) as desk:
        at_first_step(desk)
        said = desk.type("")
        assert "Step 1 of 3: not done. 3 of 4 run.\nGive it time.\nEnter tries again; r puts the cluster back" in said
        assert desk.prompt == "step 1 of 3, Enter runs it again"


def test_ctrl_c_stops_the_step_that_runs() -> None:
    stage = FakeStage(hold=2)
    with plain_desk(stage) as desk:
        at_first_step(desk)
        desk.send("")
        desk.see("On node1 runs")
        desk.seat.interrupt()
        said = desk.read()
        assert "Stopping. Ctrl-C again quits without waiting.\nStep 1 of 3: stopped before its end.\n" in said
        assert desk.prompt == "step 1 of 3, Enter runs it again"


def test_ctrl_c_ends_a_command() -> None:
    stage = FakeStage(hold=1)
    with plain_desk(stage) as desk:
        desk.send("docker service logs -f web")
        desk.see("On node1 runs:\n    docker service logs -f web")
        desk.seat.interrupt()
        assert "Exit status 130" in desk.read()


def test_ctrl_c_leaves_a_question_and_at_the_prompt_the_lab() -> None:
    with plain_desk(FakeStage()) as desk:
        desk.type("r")
        desk.read_on()
        desk.seat.interrupt()
        assert desk.see("Left.", "Enter begins > ")
        desk.seat.interrupt()
        assert desk.end() == INTERRUPTED
        assert desk.printed.endswith("Enter begins > \n"), "the shell's own prompt begins a line"


class Stuck(FakeStage):
    """A stage whose steps do not stop when they are asked to."""

    def stop(self) -> None:
        pass


def test_a_second_ctrl_c_does_not_wait() -> None:
    with plain_desk(Stuck(hold=2)) as desk:
        at_first_step(desk)
        desk.send("")
        desk.see("On node1 runs")
        began = time.monotonic()
        desk.seat.interrupt()
        desk.seat.interrupt()
        assert desk.end() == INTERRUPTED
        assert time.monotonic() - began < 10


def test_while_a_step_waits_for_the_learner_commands_are_taken() -> None:
    stage = stage_of(changed(0, run=None, solution="docker service create web"), hold=1)
    with plain_desk(stage) as desk:
        assert "Your turn: make it so, in any way you like." in desk.type("")
        assert desk.prompt == "step 1 of 3, your turn"
        assert "The lab waits until it is so, 120 seconds at most." in desk.type("")
        assert desk.prompt == "waiting for you, Ctrl-C ends it"
        assert "The step waits for you" in desk.type("")
        desk.send("docker ps")
        desk.see("On node1 runs:\n    docker ps")
        stage.go_on()
        said = desk.see("Exit status 0", "Step 1 of 3: Done in")
        assert "One way is:\n    docker service create web\n" in said


def test_what_is_typed_while_something_runs_waits_and_an_enter_too_early_runs_nothing() -> None:
    stage = FakeStage(hold=2)
    with plain_desk(stage) as desk:
        at_first_step(desk)
        desk.send("")
        desk.see("On node1 runs")
        desk.send("")
        desk.send("c")
        time.sleep(0.05)
        assert "Holds" not in desk.printed
        stage.go_on()
        desk.see("Enter goes on > c\n1. Holds: 4 tasks of web run")
        assert desk.prompt == "step 1 of 3, done, Enter goes on"
