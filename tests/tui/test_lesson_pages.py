"""What the lesson pane says of a lesson besides its steps' texts."""

from __future__ import annotations

from typing import Any

import pytest

from lab.lesson.model import Lesson
from lab.world.entries import Captured, Checked, StepMoved
from tests.tui.conftest import desk
from tests.tui.fake import LESSON, FakeStage


def taught(*, live: bool = True, step: dict[str, Any] | None = None, **more: Any) -> FakeStage:
    """A stage with the lesson alone, its first step or itself changed."""
    data = LESSON.model_dump(mode="json", exclude_unset=True)
    data["steps"][0] |= step or {}
    stage = FakeStage(live=live)
    stage.taught = (Lesson.model_validate({**data, **more}, strict=False),)
    return stage


async def test_what_was_to_be_seen_comes_when_the_step_has_passed() -> None:
    async with desk(taught(step={"after": "The tasks went to **four** nodes."})) as it:
        await it.press("n")
        await it.see("Step 1 of 3")
        assert "What you saw" not in it.text
        await it.press("enter")
        await it.idle()
        await it.see("What you saw", "The tasks went to four nodes.", "✔ Done")


async def test_what_was_to_be_seen_is_scrolled_to() -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(40))
    async with desk(taught(step={"text": text, "after": "At the end."})) as it:
        await it.press("n")
        await it.see("Paragraph 1.")
        await it.press("enter")
        await it.idle()
        await it.see("At the end.")


async def test_what_was_to_be_seen_stays_in_sight_whatever_the_card_says_afterwards() -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(40))
    async with desk(taught(step={"text": text, "after": "At the end."})) as it:
        await it.press("n", "enter")
        await it.idle()
        await it.see("At the end.")
        why = " ".join(f"web.{slot} is preparing on node4" for slot in range(3))
        it.stage.journal.write(StepMoved("reconciliation", "declare", "passed", f"Seen.\n{why}"))
        await it.see("web.2 is preparing")
        await it.see("At the end.")
        await it.pilot.resize_terminal(120, 36)
        await it.see("At the end.")
        await it.press("pageup")
        await it.be(lambda: "At the end." not in it.text, "the reader scrolled away")
        it.stage.journal.write(StepMoved("reconciliation", "declare", "passed", "Seen."))
        await it.be(lambda: "web.2 is preparing" not in it.text, "the card is short again")
        assert "At the end." not in it.text, "and the page stays where the reader put it"


CHOICE = {
    "name": "bet",
    "text": "Where will the **four** tasks go?",
    "choices": ["all to node1", "one to each node", "nowhere"],
    "answer": 1,
    "because": "The scheduler spreads them.",
}


async def test_on_a_small_screen_a_passed_step_says_that_it_is_done_and_below_it_what_was_to_be_seen() -> None:
    text = "\n\n".join(f"Paragraph {number}." for number in range(10))
    long = "docker service create --name web --replicas 4 --publish published=8080,target=80 --no-resolve-image nginx"
    step = {"text": text, "run": long, "after": f"{text}\n\nAt the end.", "question": CHOICE}
    async with desk(taught(step=step), size=(100, 30)) as it:
        await it.press("n", "enter", "enter")
        await it.idle()
        await it.see("✔ Done in", "You said: all to node1.", "The scheduler spreads them.")
        lines = it.text.splitlines()
        done = next(y for y, line in enumerate(lines) if "✔ Done in" in line)
        assert "1 Lesson" in lines[done - 1], "it is at the top of the pane"
        assert done < next(y for y, line in enumerate(lines) if "You said" in line)
        await it.press("1", "end")
        await it.see("At the end.")
        await it.press("home")
        await it.see("Paragraph 0.")


@pytest.mark.parametrize("live", [True, False])
async def test_a_choice_is_made_before_its_step_and_judged_after_it(live: bool) -> None:
    async with desk(taught(live=live, step={"question": CHOICE})) as it:
        await it.press("n")
        await it.see("? Where will the four tasks go?", "· one to each node")
        await it.press("enter")
        await it.see("Before the step", "Enter selects, Esc cancels")
        await it.press("escape")
        assert it.stage.answers == [] and not it.app.ui.busy
        await it.press("enter", "enter")
        await it.idle()
        assert it.stage.answers == [("bet", "all to node1")]
        await it.see("✘ all to node1", "✔ one to each node", "You said: all to node1. Right: one to")
        await it.see("The scheduler spreads them.")


async def test_a_right_choice_is_called_right() -> None:
    async with desk(taught(step={"question": CHOICE})) as it:
        await it.press("n", "enter", "down", "enter")
        await it.idle()
        assert it.stage.answers == [("bet", "one to each node")]
        await it.see("You said: one to each node. That is")


async def test_a_choice_that_nobody_made_is_told_when_the_step_has_passed() -> None:
    async with desk(taught(step={"question": CHOICE})) as it:
        await it.press("n")
        it.stage.journal.write(StepMoved("reconciliation", "declare", "passed"))
        await it.see("Right: one to each node.", "The scheduler spreads them.")
        assert "You said" not in it.text


async def test_why_a_number_is_what_it_is_comes_after_the_step() -> None:
    asks = {"name": "guess", "text": "How many?", "because": "Start first."}
    async with desk(taught(step={"question": asks})) as it:
        await it.press("n", "enter")
        await it.see("Before the step")
        assert "Start first." not in it.text
        await it.press("3", "enter")
        await it.idle()
        await it.see("You said 3.", "Start first.")


async def test_the_last_page_says_what_was_measured_under_load() -> None:
    async with desk(taught(step={"question": {"name": "guess", "text": "How many?"}})) as it:
        await it.press("n", "n", "n", "n")
        await it.see("The end of the lesson")
        assert "Requests under load" not in it.text
        it.stage.journal.write(Captured("guess", "7"))
        it.stage.journal.write(StepMoved("reconciliation", "declare", "passed", requests=(60, 3)))
        await it.see("Requests under load", "you said 7, 3 of 60 failed")


QUIZ = [
    {"ask": "Who **decides**?", "choices": ["a worker", "a manager"], "answer": 1, "step": "crash", "because": "M."},
    {"ask": "What stays?", "choices": ["the slot", "the task"], "answer": 0, "step": "node"},
]


async def test_the_opening_page_says_what_kubernetes_calls_it() -> None:
    async with desk(taught(kubernetes="a `Deployment` and its ReplicaSet.")) as it:
        await it.see("In Kubernetes: a Deployment and its")


async def test_the_last_page_has_the_recap_and_the_terms() -> None:
    more: dict[str, Any] = {
        "recap": ["The **manager** decides.", "A slot stays."],
        "terms": {"slot": "A task's number."},
    }
    async with desk(taught(**more)) as it:
        await it.press("n", "n", "n", "n")
        await it.see("In short", "• The manager decides.", "• A slot stays.", "Terms", "slot: A task's number.")
        assert "check yourself" not in it.text
        await it.press("c")
        assert len(it.app.screen_stack) == 1


async def test_the_questions_at_the_end_are_judged_one_by_one() -> None:
    async with desk(taught(quiz=QUIZ)) as it:
        await it.press("c")
        assert len(it.app.screen_stack) == 1, "on the last page alone"
        await it.press("n", "n", "n", "n")
        await it.see("c check yourself: 2 questions.")
        assert "c  check yourself" in it.footer
        await it.press("c")
        await it.see("Check yourself", "Question 1 of 2", "Who decides?", "a worker", "a manager")
        await it.press("down", "enter")
        await it.see("✔ a manager", "That is right.", "M.", "Next question")
        assert "Back to step" not in it.text
        await it.press("enter")
        await it.see("Question 2 of 2", "What stays?")
        await it.press("down", "enter")
        await it.see(
            "✔ the slot", "✘ the task", "Not so.", "1 of 2 right.", "Back to step 3: Lose a whole node", "Done"
        )
        await it.press("down", "enter")
        await it.see("The end of the lesson")
        assert len(it.app.screen_stack) == 1


async def test_a_wrong_answer_leads_back_to_its_step() -> None:
    async with desk(taught(quiz=QUIZ)) as it:
        await it.press("n", "n", "n", "n", "c", "enter")
        await it.see("Not so.", "Back to step 2: Crash one")
        await it.press("enter")
        await it.see("Step 2 of 3")
        assert len(it.app.screen_stack) == 1


async def test_the_questions_can_be_left() -> None:
    async with desk(taught(quiz=QUIZ)) as it:
        await it.press("n", "n", "n", "n", "c", "enter", "escape")
        await it.see("The end of the lesson")
        assert len(it.app.screen_stack) == 1


async def test_other_ways_are_told_when_the_step_has_passed() -> None:
    ways = ["docker service scale web=4", "docker service update \\\n  --replicas 4 web"]
    async with desk(taught(step={"ways": ways})) as it:
        await it.press("n")
        await it.see("Step 1 of 3")
        assert "also:" not in it.text
        await it.press("enter")
        await it.idle()
        await it.see("also: docker service scale web=4", "also: docker service update \\", "  --replicas 4 web")


async def test_a_learners_turn_is_begun_and_awaited() -> None:
    then = {"run": None, "solution": "docker service create web", "ways": ["docker run web"]}
    stage = taught(step=then)
    stage.hold = 3
    async with desk(stage) as it:
        await it.press("n")
        await it.see("you do this", "» Your turn: make it so, in any way you", "○ 4 tasks of web run")
        assert "Enter  your turn" in it.footer and "one way:" not in it.text
        await it.press("enter")
        await it.see("so far, at most 120 s", "t types into the shell.")
        assert "t  type" in it.footer
        stage.go_on()
        await it.idle()
        await it.see("one way: docker service create web", "also: docker run web", "✔ Done")
        assert "Enter  go on" in it.footer


async def test_a_recorded_turn_is_played() -> None:
    async with desk(taught(live=False, step={"run": None})) as it:
        await it.press("n")
        await it.see("» Your turn: the recording shows one way.")
        assert "Enter  run the step" in it.footer


async def test_notes_in_parts_are_shown_in_their_order() -> None:
    notes = {"ask": "Who decides?", "point_at": "the dip", "say": "Now it **breaks**."}
    async with desk(taught(step={"notes": notes})) as it:
        await it.press("n", "s")
        await it.see("Say: Now it breaks.", "Point at: the dip")
        await it.see("Say: Now it breaks.")


async def test_where_one_pane_fits_enter_leads_back_to_what_was_to_be_seen_before_it_goes_on() -> None:
    async with desk(taught(step={"after": "Four nodes."}), size=(80, 24)) as it:
        await it.press("n", "enter")
        await it.idle()
        await it.see("[Terminal]", "verify: Service converged")
        await it.press("enter")
        await it.see("[Lesson]", "What you saw", "Four nodes.")
        await it.press("enter")
        await it.see("Step 2 of 3")


async def test_hints_are_told_one_by_one_when_asked_for() -> None:
    hints = [{"when": r"(?P<count>\d) of 4 run", "say": "Only {{count}} run."}, {"say": "Look at `docker service ps`."}]
    async with desk(taught(step={"hints": hints})) as it:
        await it.press("n")
        await it.see("Step 1 of 3")
        check = Checked("reconciliation", LESSON.steps[0].id, 0, "4 tasks of web run", False, "3 of 4 run", "after")
        it.stage.journal.write(check)
        await it.see("3 of 4 run")
        assert "Hint" not in it.text
        await it.press("h")
        await it.see("Hint 1", "Only 3 run.")
        assert "docker service ps`" not in it.text
        await it.press("h")
        await it.see("Hint 2", "Look at docker service ps.")
        await it.press("n", "p")
        assert "Hint" not in it.text, "another visit begins without"


async def test_a_solution_is_shown_only_when_asked_for_twice() -> None:
    turn: dict[str, Any] = {"run": None, "hints": [], "solution": "docker service scale web=4"}
    async with desk(taught(step=turn)) as it:
        await it.press("n")
        await it.see("Your turn")
        assert "scale web=4" not in it.text
        assert "hint" not in it.text.replace(it.footer, "")
        await it.press("h")
        await it.see("Hint 1", "The command is docker service scale.", "docs.docker.com/reference/cli", "1 hint taken.")
        assert "scale web=4" not in it.text
        await it.press("h")
        await it.see("h once more shows a solution", "1 hint taken.")
        assert "scale web=4" not in it.text
        await it.press("h")
        await it.see("A solution", "$ docker service scale web=4", "2 hints taken, the solution among them.")
        assert "h  hint" not in it.footer
        await it.press("n", "p")
        await it.see("2 hints taken, the solution among them.")
        await it.press("h")
        await it.see("Hint 1", "2 hints taken")


async def test_a_step_that_shows_its_command_points_to_its_reference() -> None:
    async with desk(taught(step={"hints": []})) as it:
        await it.press("n", "h")
        await it.see("The command is docker service create.", "1 hint taken.")
        assert "h  hint" not in it.footer


async def test_what_must_hold_is_kept_back_while_a_choice_is_open() -> None:
    ask = {"name": "how_many", "text": "How many?", "choices": ["three", "four"], "answer": "four"}
    async with desk(taught(step={"question": ask})) as it:
        await it.press("n")
        await it.see("How many?", "What must then be true is shown")
        assert "4 tasks of web run" not in it.text
        await it.press("enter")
        await it.see("three")
        await it.press("enter")
        await it.idle()
        await it.see("✔ 4 tasks of web run")
