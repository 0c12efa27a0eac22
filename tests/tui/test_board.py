"""The board of lessons: what it says of each, and what is found in them."""

from __future__ import annotations

import pytest

from lab.lesson.challenge import as_lesson
from lab.lesson.find_challenge import challenges
from lab.lesson.search import search_lessons
from lab.lesson.standing import Attempt, Standing
from lab.tui.lesson.board import Board
from lab.tui.lesson.board_table import lay_out, lesson_row
from lab.tui.widgets.lines import LinesView
from tests.tui.conftest import Desk, desk
from tests.tui.fake import LESSON, NEXT, FakeStage

TERMS = {"slot": "the number of a task in its service", "drift": "a difference from what should be"}
TAUGHT = (LESSON.model_copy(update={"terms": TERMS}), NEXT)
SIZES = [(80, 24), (120, 40), (200, 60)]


def stage_of(*, live: bool = True) -> FakeStage:
    stage = FakeStage(live=live)
    stage.taught = TAUGHT
    done = frozenset({"declare", "crash"})
    stage.stood = {
        "reconciliation": Standing(done, done, hints=3, last=True, instant=True),
        "scaling": Standing(done=frozenset(step.id for step in NEXT.steps), lacks="needs 3 managers"),
    }
    return stage


def about(it: Desk) -> str:
    return " ".join(it.app.screen.query_one("#about", LinesView).text().split())


@pytest.mark.parametrize("size", SIZES)
async def test_it_says_what_is_done_how_long_each_takes_and_where_one_was(size: tuple[int, int]) -> None:
    async with desk(stage_of(), size=size) as it:
        await it.press("l")
        await it.see("Lessons", "◐ Reconciliation", "15 min", "2/3", "here", "✔ Scaling", "3/3")
        assert about(it).startswith(
            "15 minutes, 3 steps, 2 of them done, you are at step 3, 3 hints taken, a reset takes seconds."
        )
        await it.press("down")
        await it.be(lambda: "done, needs 3 managers." in about(it), "the other lesson is described")
        await it.press("escape")
        assert len(it.app.screen_stack) == 1


LONG = "A title of a lesson that is longer than a narrow screen has room for, so that it takes two lines"


async def test_a_title_is_never_cut_and_takes_more_lines_where_it_must() -> None:
    stage = stage_of()
    stage.taught = (LESSON, NEXT.model_copy(update={"title": LONG}))
    async with desk(stage, size=(80, 24)) as it:
        await it.press("l")
        await it.see("◐ Reconciliation", "here")
        words = " ".join(line.strip(" ┃✔").split("  ")[0] for line in it.text.splitlines())
        assert LONG in words


def test_columns_go_by_what_they_are_worth_when_room_is_short() -> None:
    long = NEXT.model_copy(update={"title": "Certificates that look after themselves"})
    rows = [lesson_row(long, Standing(instant=True), here=True)]
    heads = {room: lay_out(rows, room)[0].split() for room in (120, 74, 66, 58, 50, 42)}
    assert heads[120] == ["lesson", "time", "done", "where", "reset"], "nothing needs more than one node"
    counts = [len(heads[room]) for room in (120, 74, 66, 58, 50, 42)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[2] > counts[-1] > 1
    for room in (120, 74, 66, 58, 50, 42):
        assert all(len(line) <= room for text in lay_out(rows, room)[1] for line in text.split("\n"))
        (text,) = lay_out(rows, room)[1]
        assert " ".join(line[2:].split("  ")[0] for line in text.split("\n")) == long.title


def dared(*, begun: bool = False, repaired: bool = False) -> FakeStage:
    stage = stage_of()
    lesson = as_lesson(challenges()["c-404"], 7)
    stage.dared = (Attempt("c-404", 7, lesson, begun=begun, repaired=repaired),)
    return stage


async def test_a_challenge_is_listed_with_what_the_user_says_and_begun_from_the_board() -> None:
    stage = dared()
    async with desk(stage, size=(80, 24)) as it:
        await it.press("l", "end")
        await it.see("Challenges: the lab breaks something", "○ It is deployed, and the answer is 404")
        await it.be(lambda: "404 page not found" in about(it), "what the user says")
        await it.press("enter")
        await it.see("Challenge: It is deployed", "and then broken", "Begin")
        await it.press("escape")
        assert stage.begun == [] and len(it.app.screen_stack) == 1
        await it.press("l", "end", "enter", "enter")
        await it.idle()
        assert stage.begun == [("c-404", False)]
        await it.see("Something is broken.", "It is deployed, and the answer is 404")


async def test_while_the_lab_breaks_something_nothing_is_said_of_the_lesson_that_was_open() -> None:
    stage = dared()
    stage.hold = 1
    async with desk(stage) as it:
        await it.press("n", "l", "end", "enter", "enter")
        await it.see("The lab breaks something, out of sight", "The lesson is being opened.")
        assert "Four replicas, please" not in it.text and "docker service create" not in it.text
        stage.go_on()
        await it.idle()
        await it.see("Something is broken.", "6 minutes, 1 step\u0020")
        assert "out of sight" not in it.text


async def test_a_challenge_that_was_begun_goes_on_or_begins_again_with_other_values() -> None:
    stage = dared(begun=True)
    async with desk(stage) as it:
        await it.press("l", "end")
        await it.see("◐ It is deployed", "begun")
        await it.press("enter", "enter")
        await it.idle()
        await it.see("Something is broken.")
        assert stage.begun == []
        await it.press("l", "end", "enter", "down", "down", "enter")
        await it.idle()
        assert stage.begun == [("c-404", True)]


async def test_a_challenge_is_found_by_its_symptom_and_one_that_is_repaired_says_so() -> None:
    async with desk(dared(begun=True, repaired=True)) as it:
        await it.press("l")
        await it.see("✔ It is deployed", "repaired")
        await it.press("slash", *"copied the labels")
        await it.see("Challenges", "It is deployed, and the answer is 404")
        await it.press("enter")
        await it.see("Begin again, with other values")
        assert "Go on" not in it.text


async def test_what_is_found_is_listed_by_kind_and_opens_its_place() -> None:
    async with desk(stage_of()) as it:
        await it.press("l", "slash", *"crash")
        await it.see("Steps", "Crash one", "Reconciliation")
        await it.press("enter")
        await it.see("Step 2 of 3", "Crash one")
        assert len(it.app.screen_stack) == 1


async def test_a_term_is_explained_and_a_command_is_found_by_any_of_its_words() -> None:
    async with desk(stage_of()) as it:
        await it.press("slash", *"number")
        await it.see("Terms", "slot")
        await it.be(lambda: "the number of a task" in about(it), "the term is explained")
        await it.press(*["backspace"] * 6, *"kill docker")
        await it.see("Commands", "docker kill")
        assert "Terms" not in it.text
        await it.press(*"xyz")
        await it.see("Nothing is found")
        await it.press("enter", "escape")
        await it.see("◐ Reconciliation")
        await it.press("escape")
        assert len(it.app.screen_stack) == 1


async def test_a_place_in_another_lesson_opens_that_lesson_at_its_page() -> None:
    async with desk(stage_of()) as it:
        await it.press("slash", *"crash one", "down", "enter")
        await it.idle()
        await it.be(lambda: it.app.ui.lesson is not None and it.app.ui.lesson.id == "scaling", "the other lesson")
        assert it.app.ui.page == 1


async def test_the_mouse_does_all_of_it() -> None:
    async with desk(stage_of(), size=(200, 60)) as it:
        at = it.footer.index("lessons")
        await it.pilot.click(offset=(at, 59))
        await it.see("✔ Scaling")
        await it.pilot.click("#find")
        await it.pilot.press(*"crash")
        await it.see("Crash one")
        row = next(y for y, line in enumerate(it.text.splitlines()) if "Crash one" in line and "Scaling" in line)
        await it.pilot.click(offset=(100, row))
        await it.idle()
        await it.be(lambda: it.app.ui.lesson is not None and it.app.ui.lesson.id == "scaling", "the other lesson")


async def test_a_slash_in_the_terminal_searches_what_was_printed() -> None:
    async with desk(stage_of()) as it:
        await it.press("4", "slash")
        await it.see("Search the terminal")
        assert not isinstance(it.app.screen, Board)
        await it.press("escape", "1", "slash")
        await it.be(lambda: isinstance(it.app.screen, Board), "the board")


async def test_a_changed_cluster_is_told_until_something_is_done_about_it() -> None:
    stage = stage_of()
    stage.drift = "On this cluster 2 things differ from the start of step 2: r puts them right."
    async with desk(stage) as it:
        await it.see("» On this cluster 2 things differ from the start of step 2")
        await it.press("n")
        await it.see("» On this cluster 2 things differ")
        stage.drift = ""
        await it.press("r", "enter")
        await it.idle()
        assert "2 things differ" not in it.text


def test_every_word_must_be_there_whatever_its_capitals() -> None:
    found = search_lessons(TAUGHT, "RECONCILIATION")
    assert [(each.kind, each.lesson.id, each.page) for each in found] == [("Lessons", "reconciliation", None)]
    assert [each.kind for each in search_lessons(TAUGHT, "service create")] == ["Commands", "Commands"]
    assert search_lessons(TAUGHT, "  ") == []
    assert search_lessons(TAUGHT, "slot nowhere") == []
    (term,) = search_lessons(TAUGHT, "drift")
    assert (term.page, term.meaning) == (3, "a difference from what should be"), "no step's text has it"
