"""The board of lessons: what it says of each, and what is found in them."""

from __future__ import annotations

import pytest

from lab.lesson.search import search_lessons
from lab.lesson.standing import Standing
from lab.tui.lesson.board import Board
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
        await it.see("Lessons", "◐ Reconciliation", "15 min", "2/3", "instant", "you are here", "✔ Scaling", "3/3")
        assert about(it).startswith(
            "15 minutes, 3 steps, 2 of them done, you are at step 3, 3 hints taken, a reset takes seconds."
        )
        await it.press("down")
        await it.be(lambda: "done, needs 3 managers." in about(it), "the other lesson is described")
        await it.press("escape")
        assert len(it.app.screen_stack) == 1


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
        await it.press(*["backspace"] * 6, *"kill container")
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
