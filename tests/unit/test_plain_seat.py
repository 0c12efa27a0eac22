"""The lab line by line: what each key does, what is asked, what is said at once, and what Ctrl-C ends."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping

import pytest

from lab.checks.command import STILL_RUNNING
from lab.errors import EngineError
from lab.lesson.challenge import as_lesson
from lab.lesson.course import load_course
from lab.lesson.find_challenge import challenges
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt
from lab.plain.seat import INTERRUPTED
from lab.session.replay import ReplayStage
from lab.world.entries import Captured, Checked, Entry, LessonOpened, ManagerLink, StepMoved
from lab.world.waiting import Waiting
from tests.doubles.plain_desk import PlainDesk, plain_desk
from tests.tui.fake import LESSON, NEXT, FakeStage

QUIZ = [
    {"ask": "Who decides?", "choices": ["a node", "a manager"], "answer": "a manager", "step": "declare"},
    {
        "ask": "And where?",
        "choices": ["the scheduler", "chance"],
        "answer": 0,
        "step": "crash",
        "because": "It counts.",
    },
]


def changed(step: int = 0, lesson: Mapping[str, object] | None = None, **more: object) -> Lesson:
    """The lesson of the fake stage, with a step or the whole of it changed."""
    data = {**LESSON.model_dump(mode="json", exclude_unset=True), **(lesson or {})}
    data["steps"][step] |= more
    return Lesson.model_validate_json(json.dumps(data))


def stage_of(lesson: Lesson, **how: object) -> FakeStage:
    stage = FakeStage(**how)  # type: ignore[arg-type]
    stage.taught = (lesson, NEXT)
    return stage


def at_first_step(desk: PlainDesk) -> None:
    desk.type("")
    assert desk.prompt.startswith("step 1 of 3")


def test_it_opens_with_the_lesson_and_says_what_enter_does() -> None:
    with plain_desk(FakeStage()) as desk:
        said = desk.read()
        assert said.startswith("swarmlab, line by line: default, 4 nodes, vm (tcg)\nType ? and Enter")
        assert "\nLesson: Reconciliation\n15 minutes, 3 steps.\n" in said
        assert "You say what should be; the managers" in said, "no asterisks are read aloud"
        assert "\n- The slot stays, the task is new.\n\n1. Four replicas, please\n2. Crash one\n3. Lose" in said
        assert desk.prompt == "start of the lesson, Enter begins"


def test_enter_alone_goes_through_the_lesson_and_opens_the_next() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        step = desk.type("")
        assert "\nStep 1 of 3: Four replicas, please\n" in step
        assert "\nThis runs:\n    docker service create --name web" in step
        assert "1. 4 tasks of web run\n2. the command ends with exit status 0\n" in step
        assert desk.prompt == "step 1 of 3, Enter runs it"
        ran = desk.type("")
        assert "On node1 runs:\n    docker service create --name web" in ran
        assert "\n    converged\nExit status 0 after 3.2 s.\n" in ran
        assert "\nweb.3 runs on node3 (2.4 s after it was created)\n" in ran
        assert "\nHolds: 4 tasks of web run (4 of 4 tasks of web run)\n" in ran
        assert "\nStep 1 of 3: Done in " in ran
        assert desk.prompt == "step 1 of 3, done, Enter goes on"
        assert "This runs on node2:" in desk.type("")
        assert "\nweb.2 failed on node2 (exit 137); a new task was assigned to node4\n" in desk.type("")
        assert "The lab does this: " in desk.type("")
        desk.type("")
        end = desk.type("")
        assert "Reconciliation: done. 3 steps, every check true." in end
        assert "The next lesson is Scaling (15 minutes)." in end
        assert desk.prompt == "end of the lesson, Enter opens the next one"
        assert "\nLesson: Scaling\n" in desk.type("")
        assert stage.pages[:2] == ["", "declare"]


def test_n_and_p_turn_pages_and_say_where_they_end() -> None:
    with plain_desk(FakeStage()) as desk:
        assert "This is the lesson's beginning." in desk.type("p")
        assert "Step 1 of 3" in desk.type("n")
        desk.type("n")
        desk.type("n")
        end = desk.type("n")
        assert "The end of the lesson. 3 of 3 steps are not done yet:\n1. Four" in end
        assert "This is the lesson's end." in desk.type("n")
        assert "Step 3 of 3" in desk.type("p")


def test_the_help_names_every_key() -> None:
    with plain_desk(FakeStage()) as desk:
        said = desk.type("?")
        for key in ("Enter alone", "n", "p", "h", "c", "w", "u", "r", "l", "?", "q"):
            assert f"\n{key}: " in said
        assert "!w runs w" in said and "Ctrl-C" in said


def test_hints_begin_with_the_checks_own_words_and_end_with_a_way() -> None:
    lesson = changed(
        0,
        hints=[
            {"when": r"(?P<few>\d) of 4", "say": "Only **{{few}}**."},
            {"when": "never", "say": "Not this."},
            {"say": "Wait."},
        ],
    )
    stage = stage_of(lesson)
    with plain_desk(stage) as desk:
        assert "There is nothing to do on this page" in desk.type("h")
        at_first_step(desk)
        stage.journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, "3 of 4 tasks run"))
        assert desk.type("h").startswith("Missing: 4 tasks of web run (3 of 4 tasks run)\n")
        assert desk.type("h").startswith("Hint:\nOnly 3.\n")
        assert desk.type("h").startswith("Hint:\nWait.\n")
        assert desk.type("h").startswith("Hint:\nThe command is `docker service create`.")
        assert "There are no more hints." in desk.type("h")
        stage.journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, "2 of 4 tasks run"))
        assert "(2 of 4 tasks run)" in desk.type("h"), "the check has other words by now"


def test_a_solution_is_told_only_when_asked_for_twice_and_the_hints_are_counted() -> None:
    stage = stage_of(changed(0, run=None, solution="docker service create web", hints=[]))
    with plain_desk(stage) as desk:
        at_first_step(desk)
        assert desk.type("h").startswith("Hint:\nThe command is `docker service create`.")
        assert desk.type("h").startswith("The solution is next: h once more tells it.")
        assert desk.type("h").startswith("This does it:\n    docker service create web")
        assert "There are no more hints." in desk.type("h")
        assert stage.journal.world.lesson.hints[("reconciliation", "declare")] == {"pointer", "solution"}
        stage.journal.write(StepMoved("reconciliation", "declare", "passed", "Done."))
        desk.see("2 hints taken, the solution among them.")


def test_a_red_check_says_for_how_long_it_has_waited() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        at_first_step(desk)
        waits = (Waiting("web.2 is preparing on node4", stage.journal.now() - 6),)
        why = "3 of 4 tasks run; web.2 is preparing on node4"
        stage.journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, why, "after", waits))
        assert "(3 of 4 tasks run; web.2 is preparing on\n   node4 for 6 s)" in desk.type("c")
        stage.journal.put(Entry(stage.journal.now() + 3, ManagerLink("live", "node1")))
        assert "for 9\ns)" in desk.type("h")


def test_c_says_the_verdicts_now() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        assert "nothing to check on this page" in desk.type("c")
        at_first_step(desk)
        assert "1. 4 tasks of web run: not looked at yet." in desk.type("c")
        stage.journal.write(Checked("reconciliation", "declare", 0, "4 tasks of web run", False, "3 of 4 tasks run"))
        assert "1. Does not hold: 4 tasks of web run (3 of 4 tasks run)" in desk.type("c")
        desk.type("")
        assert "1. Holds: 4 tasks of web run" in desk.type("c")


def test_w_says_what_runs_and_what_has_changed_since() -> None:
    with plain_desk(FakeStage()) as desk:
        said = desk.type("w")
        assert "There is no service.\n4 nodes (3 managers, node1 leads; 1 worker): all are ready.\n" in said
        assert "Nothing has changed since you last asked." in said
        at_first_step(desk)
        desk.type("")
        said = desk.type("w")
        assert "Service web: 4 of 4 tasks running (new); on node1, node2, node3, node4\n" in said
        assert "Since you last asked:\nservice web was created, 4 tasks desired\n" in said
        desk.type("n")
        desk.type("n")
        desk.type("")
        said = desk.type("w")
        assert "3 of them ready and active" in said and "\nNode node4: down\n" in said
        assert "\nnode4 is down (was ready)\n" in said
        assert "Nothing has changed" in desk.type("w")


def test_u_says_what_it_takes_back_and_asks() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        assert "Nothing is taken back: no step has begun: there is nothing to take back" in desk.type("u")
        at_first_step(desk)
        desk.type("")
        assert "Back to the cluster as it was before the step declare?\ny or n > " in desk.type("u")
        assert desk.type("n") == "step 1 of 3, done, Enter goes on > "
        desk.type("u")
        assert "Type y to do it" in desk.type("perhaps")
        assert stage.resets == []
        assert "The cluster is as it was before the step scale.\n\nStep 1 of 3" in desk.type("y")
        assert stage.resets == ["undo"]


def test_where_no_snapshot_reaches_back_u_offers_a_reset() -> None:
    stage = FakeStage(unsaved=True)
    with plain_desk(stage) as desk:
        at_first_step(desk)
        desk.type("")
        assert "No snapshot is from before the step declare; reset to it?" in desk.type("u")
        desk.type("yes")
        assert stage.resets == ["declare"]


def test_r_asks_where_to() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        asked = desk.type("r")
        assert "Put the cluster back:\n1. to the start of the lesson\n1, Enter alone leaves it > " in asked
        desk.type("")
        assert stage.resets == []
        desk.type("n")
        desk.type("n")
        assert "1. to the start of this step\n2. to the start of the lesson\n" in desk.type("r")
        assert "That is not a number from 1 to 2." in desk.type("3")
        said = desk.type("1")
        assert "reset: service web goes\n" in said and "2 things put right in 3 s." in said and "Step 2 of 3" in said
        assert stage.resets == ["crash"]


def test_l_lists_the_lessons_and_opens_one_by_number_or_name() -> None:
    with plain_desk(FakeStage()) as desk:
        said = desk.type("l")
        assert "1. reconciliation: Reconciliation, 15 minutes, 3 steps. You are here.\n2. scaling: Scaling" in said
        assert desk.type("") == "start of the lesson, Enter begins > "
        desk.type("l")
        assert "Lesson: Scaling" in desk.type("2")
        desk.type("l")
        assert "Lesson: Reconciliation" in desk.type("reconciliation")


def test_everything_else_is_a_command_and_an_exclamation_mark_makes_one_of_a_key() -> None:
    stage = FakeStage()
    with plain_desk(stage) as desk:
        said = desk.type("docker ps")
        assert "On node1 runs:\n    docker ps\n    the output of docker ps\nExit status 0 after 0.2 s.\n" in said
        for line in ("!n", "!! false", "  ls  -l ", "!"):
            desk.type(line)
        assert stage.commanded == ["docker ps", "n", "! false", "ls  -l"]
        assert desk.type("docker ps \\") == "the command goes on > "
        desk.type("  --all")
        assert stage.commanded[-1] == "docker ps \\\n  --all"


def test_a_command_that_finds_no_shell_is_a_sentence_with_what_to_do_next() -> None:
    stage = FakeStage(no_shell=EngineError("no manager answers: none", remedy="swarmlab status"))
    with plain_desk(stage) as desk:
        said = desk.type("docker ps")
        assert "The command did not run to its end: no manager answers: none\nNext: swarmlab status\n" in said


def test_a_question_with_choices_is_a_numbered_list() -> None:
    ask = {
        "name": "guess",
        "text": "Who is **it**?",
        "choices": ["node1", "node2"],
        "answer": "node2",
        "because": "Since.",
    }
    stage = stage_of(changed(0, question=ask))
    with plain_desk(stage) as desk:
        at_first_step(desk)
        assert desk.prompt == "step 1 of 3, Enter asks, then runs it"
        asked = desk.type("")
        assert "Before the step:\nWho is it?\n1. node1\n2. node2\na number from 1 to 2" in asked
        assert "That is not a number from 1 to 2." in desk.type("0")
        assert "1. node1" in desk.type("?")
        assert desk.type("p") == "step 1 of 3, Enter asks, then runs it > ", "it can be left"
        assert stage.answers == []
        desk.type("")
        said = desk.type("1")
        assert "You said: node1. Right is: node2.\nSince.\n" in said
        assert stage.answers == [("guess", "node1")]


@pytest.mark.parametrize(("typed", "answer"), [("7", "7"), ("", "3"), ("007", "7")])
def test_a_question_for_a_number_takes_one(typed: str, answer: str) -> None:
    stage = stage_of(changed(0, question={"name": "guess", "text": "How many?", "usual": 3}))
    with plain_desk(stage) as desk:
        at_first_step(desk)
        assert "How many?\na number, Enter says 3, p goes back > " in desk.type("")
        assert "That is not a whole number" in desk.type("many")
        assert "Step 1 of 3: Done" in desk.type(typed)
        assert stage.answers == [("guess", answer)]


def test_the_end_says_what_was_measured_under_load() -> None:
    stage = stage_of(changed(0, question={"name": "guess", "text": "How many?"}))
    with plain_desk(stage) as desk:
        stage.journal.write(Captured("guess", "7"))
        stage.journal.write(StepMoved("reconciliation", "declare", "passed", requests=(60, 3)))
        for _ in range(4):
            end = desk.type("n")
        assert "Requests under load:\nFour replicas, please: you said 7, 3 of 60 failed.\n" in end


def test_the_end_has_recap_terms_and_questions() -> None:
    more = {"recap": ["A *wish* stays."], "terms": {"task": "one attempt"}, "quiz": QUIZ}
    with plain_desk(stage_of(changed(0, lesson=more))) as desk:
        for _ in range(4):
            end = desk.type("n")
        assert "In short:\nA wish stays.\n\nTerms:\ntask: one attempt\n\nCheck yourself: 2 questions.\n" in end
        assert desk.prompt == "end of the lesson, Enter asks its questions"
        assert "Question 1 of 2:\nWho decides?\n1. a node\n2. a manager\n" in desk.type("")
        said = desk.type("1")
        assert "Not so. Right is: a manager.\nStep 1 shows it: Four replicas, please.\n\nQuestion 2 of 2:" in said
        assert "That is right.\nIt counts.\n1 of 2 right.\n" in desk.type("1")
        assert desk.prompt == "end of the lesson, Enter opens the next one"


def at_the_end_of(challenge: str, *, repaired: set[str]) -> tuple[str, str, str]:
    """What the end of this challenge says, its prompt, and what Enter then says; of three that can be begun."""
    stage = FakeStage()
    stage.taught = (as_lesson(challenges()[challenge], 9),)  # Begun by a seed that is not the learner's own.
    stage.dared = tuple(
        Attempt(id, 7, as_lesson(challenges()[id], 7), repaired=id in repaired)
        for id in ("c-404", "c-504", "c-pending")
    )
    with plain_desk(stage, lesson=f"{challenge}-9") as desk:
        opened = desk.read()
        assert "\nChallenge: " in opened and "Lesson: " not in opened
        desk.type("n")
        end = desk.type("n")
        return end, desk.prompt, desk.type("")


@pytest.mark.parametrize(
    ("challenge", "repaired", "following"),
    [
        ("c-404", set[str](), "c-504"),
        ("c-404", {"c-504"}, "c-pending"),
        ("c-pending", {"c-404", "c-pending"}, "c-504"),
    ],
)
def test_after_a_challenge_comes_the_command_of_the_next_that_is_not_repaired(
    challenge: str, repaired: set[str], following: str
) -> None:
    end, prompt, said = at_the_end_of(challenge, repaired=repaired)
    title = challenges()[following].title
    assert prompt == "end of the challenge, l lists all, q ends"
    for text in (" ".join(end.split()), " ".join(said.split())):
        assert f"The next challenge is {title} (" in text
        assert f"this begins it: swarmlab challenge {following} --plain" in text
        assert "last lesson" not in text


def test_after_the_last_challenge_comes_the_command_that_begins_one_with_other_values() -> None:
    end, _, said = at_the_end_of("c-404", repaired={"c-504", "c-pending"})
    for text in (end, said):
        assert "    swarmlab challenge\n    swarmlab challenge NAME --new --plain\n" in text
        assert "next challenge" not in text and "last lesson" not in text


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


def test_a_script_is_taken_line_by_line_to_its_end() -> None:
    stage = FakeStage()
    desk = PlainDesk(stage, patient=False)
    for line in ("", "", "", "c", None):
        desk.typing.lines.put(line)
    assert desk.end() == 0
    assert desk.printed.endswith("step 2 of 3, Enter runs it > \n")
    assert "Step 1 of 3: Done" in desk.printed and "1. web: a task failed" not in desk.printed


def test_a_lesson_that_is_not_there_is_a_sentence_and_l_goes_on() -> None:
    with plain_desk(FakeStage(), lesson="nonsense") as desk:
        said = desk.read()
        assert "The lesson could not be opened: there is no lesson nonsense\nNext: swarmlab lessons\n" in said
        assert desk.prompt == "no lesson is open, l lists them"
        assert "No lesson is open" in desk.type("")
        desk.type("l")
        assert "Lesson: Reconciliation" in desk.type("1")


def test_a_recording_can_be_taken_and_says_that_it_has_no_shell() -> None:
    steps = next(lesson for lesson in load_course() if lesson.id == "first-service").steps
    with plain_desk(ReplayStage(speed=None), lesson="first-service") as desk:
        desk.type("")
        assert "a number from 1 to" in desk.type("")
        assert f"Step 1 of {len(steps)}: Done in" in desk.type("1")
        assert "a recording has no shell\nNext: swarmlab up" in desk.type("docker ps")
        assert f"Back to the recording before the step {steps[0].id}?" in desk.type("u")
        assert f"The recording is wound back to step {steps[0].id}." in desk.type("y")


def test_q_quits() -> None:
    with plain_desk(FakeStage()) as desk:
        desk.send("q")
        assert desk.end() == 0
