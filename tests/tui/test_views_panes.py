"""The views in the cluster's place, the load's keys and a step's question, through keys and what is seen."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from lab import panes, paths
from lab.errors import EngineError
from lab.lesson.model import Lesson
from lab.lesson.pane_id import PaneId
from lab.lesson.question import Question
from lab.panes import PANES, Pane, other_panes
from lab.tui import keys
from lab.tui.panes import find_module
from lab.tui.panes.load import load_keys
from lab.tui.ui_state import UiState
from lab.world.entries import Entry, Fact, Failure, LoadReport, ManagerLink, Printed
from lab.world.world import World, fold
from tests.tui.conftest import Desk, desk
from tests.tui.fake import LESSON, FakeStage, mesh_hits, with_containers

README = paths.lessons().parent / "README.md"
SIZES = [(80, 24), (60, 15), (120, 40), (200, 60)]
FAILURES = (Failure(0.2, "node2", 0, "ConnectError: refused", 3.0), Failure(0.1, "node3", 502, "", 41.0))


def taught(lesson: Lesson, **more: Any) -> FakeStage:
    """A stage with this lesson alone."""
    stage = FakeStage(**more)
    stage.taught = (lesson,)
    return stage


def lesson(place: int = 0, *, first: str = "cluster", **step: Any) -> Lesson:
    """The lesson with its first pane, and one step changed."""
    steps = [s.model_copy(update=step) if i == place else s for i, s in enumerate(LESSON.steps)]
    return LESSON.model_copy(update={"panes": (first,), "steps": tuple(steps)})


def loaded(running: bool = True, rate: float = 50.0, *, failures: tuple[Failure, ...] = ()) -> LoadReport:
    return LoadReport(running, rate, "port 8080 /", 1.0, 50, 50 - len(failures), len(failures), failures=failures)


def tell(it: Desk, *facts: Fact) -> None:
    for fact in facts:
        it.stage.journal.put(Entry(it.stage.journal.now() + 0.1, fact))


def asked() -> FakeStage:
    """A stage on which every node was asked."""
    stage = FakeStage(desired=4)
    for place, fact in enumerate((with_containers(), *mesh_hits())):
        stage.journal.put(Entry(2.0 + place / 10, fact))
    return stage


@pytest.mark.parametrize("size", SIZES)
async def test_a_key_shows_each_view_in_the_clusters_place_and_focuses_it(size: tuple[int, int]) -> None:
    async with desk(asked(), size=size) as it:
        for pane in (*(each for each in other_panes() if each.key), PANES[0]):
            key, name, view = pane.key, pane.title, pane.id
            await it.press(key)
            await it.see(f"{key} [{name}]" if it.app.ui.single else f"{key} {name}")
            assert it.app.ui.view == view and it.app.ui.region == "cluster"
            assert it.app.focused is not None and it.app.focused.id == ("cluster" if pane is PANES[0] else "view")
        await it.see("desired 4")


def test_every_pane_is_explained() -> None:
    assert all(len(find_module(pane.id).HELP) > 40 for pane in other_panes())


def test_the_readme_lists_every_view_in_the_order_of_the_keys() -> None:
    table = (
        README.read_text(encoding="utf-8")
        .partition("| view | what it shows |\n| --- | --- |\n")[2]
        .partition("\n\n")[0]
    )
    assert [row.split(" | ")[0].strip("| ") for row in table.splitlines()] == [pane.title for pane in PANES]


@pytest.mark.parametrize("key", ["f6", ""])
async def test_a_new_pane_is_a_module_and_a_line(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the lessons' schema and their check, among the keys, in the list, in the help and on the screen."""
    made_up = Pane("volumes", "Volumes", key, "The volumes, by node", ("routes",))
    module = SimpleNamespace(HELP="A row is a volume.", lines=lambda *_: ((("none yet", ""),),))
    monkeypatch.setattr(panes, "PANES", (*PANES, made_up))
    monkeypatch.setitem(sys.modules, "lab.tui.panes.volumes.view", module)
    lesson = TypeAdapter(PaneId)
    assert lesson.validate_python("volumes") == "volumes"
    assert "volumes" in lesson.json_schema()["enum"]
    with pytest.raises(ValidationError, match="did you mean 'volumes'"):
        lesson.validate_python("volume")
    async with desk(asked()) as it:
        if key:
            await it.press(key)
        else:
            await it.press("v")
            await it.see("Volumes: The volumes, by node")
            await it.press("end", "enter")
        await it.see("Volumes", "none yet")
        await it.press("question_mark")
        await it.see("Help: Volumes", "A row is a volume.")
        if key:
            await it.see("The volumes, by node")


async def test_another_view_takes_the_focus_with_it_and_leaves_the_rest_as_it_was() -> None:
    async with desk(asked()) as it:
        await it.press("2", "5")
        await it.see("5 Mesh", "Routing mesh")
        await it.press("3", "1")
        await it.see("Routing mesh", "1 Lesson", "3 Timeline", "4 Terminal")
        assert it.app.ui.view == "mesh" and it.app.ui.region == "lesson"
        await it.press("2")
        await it.see("2 Cluster", "desired 4")
        assert "Routing mesh" not in it.text


async def test_there_is_a_hint_of_the_other_views() -> None:
    async with desk(asked()) as it:
        assert "5-0  views" in it.footer
        await it.press("5")
        await it.see("2 cluster  6 load  7 certificates  8 routes  9 map  0 rollout")
    async with desk(asked(), size=(80, 24)) as it:
        assert "5-0 views" in it.text


async def test_zoom_and_small_screens_show_the_view_alone() -> None:
    async with desk(asked()) as it:
        await it.press("5", "z")
        await it.see("5 [Mesh]", "Through Traefik", "┃ even: 25 %")
        assert "3 Timeline ─" not in it.text
        await it.press("2")
        await it.see("2 [Cluster]", "desired 4")
        await it.press("z")
        await it.see("3 Timeline ─", "2 Cluster")


async def test_the_view_moves_with_the_world_and_scrolls() -> None:
    async with desk(asked()) as it:
        await it.press("5")
        await it.see("25 in 60 s")
        tell(it, mesh_hits()[0])
        await it.see("26 in 60 s")
        await it.press("end")
        await it.see("Through Traefik", "✘ node2: status 502")
        await it.press("home")
        await it.see("Routing mesh")


async def test_a_view_is_grey_while_nothing_is_heard() -> None:
    async with desk(asked()) as it:
        await it.press("5")
        await it.see("✘ node4")
        view = it.app.screen.query_one("#view")
        assert len({segment.style for y in range(8) for segment in view.render_line(y)}) > 3
        tell(it, ManagerLink("stale", "node1", "no answer"))
        await it.see("STALE")
        assert len({segment.style for y in range(8) for segment in view.render_line(y)}) <= 2
        tell(it, ManagerLink("live", "node1"), Printed("node1", ""))
        await it.see("● LIVE")
        assert len({segment.style for y in range(8) for segment in view.render_line(y)}) > 3


async def test_the_help_and_the_palette_know_the_views() -> None:
    async with desk(asked()) as it:
        await it.press("5", "question_mark")
        await it.see("Help: Mesh", "Every row is a node that was asked")
        await it.press("escape", "2", "ctrl+p")
        await it.pilot.press(*"view: mesh")
        await it.see("View: Mesh")
        await it.pilot.pause(0.1)
        await it.press("down", "enter")
        await it.see("5 Mesh", "Routing mesh")


async def test_the_stage_is_told_which_view_is_in_sight() -> None:
    async with desk(asked()) as it:
        await it.be(lambda: it.stage.shown == ["cluster"], "told at the opening")
        await it.press("5", "5", "1", "2")
        await it.be(lambda: it.stage.shown == ["cluster", "mesh", "cluster"], "told of each other view")


async def test_a_lesson_opens_on_its_own_view_and_a_step_may_want_another() -> None:
    async with desk(taught(lesson(1, first="mesh", pane="cluster"))) as it:
        await it.see("5 Mesh", "No service publishes a port yet")
        await it.be(lambda: it.stage.shown == ["mesh"], "told")
        await it.press("n")
        await it.see("Step 1 of 3", "5 Mesh")
        await it.press("n")
        await it.see("Step 2 of 3", "2 Cluster")
        assert it.app.ui.region == "lesson", "the focus stays"
        await it.press("n")
        await it.see("Step 3 of 3", "2 Cluster")


async def test_a_view_that_is_not_known_is_the_cluster() -> None:
    async with desk(taught(lesson(first="no-such-view"))) as it:
        await it.see("2 Cluster", "No services yet")


async def test_a_page_that_turns_while_the_cluster_has_the_focus_keeps_it_there() -> None:
    async with desk(taught(lesson(0, pane="mesh"))) as it:
        await it.press("2", "n")
        await it.see("Step 1 of 3", "5 Mesh")
        await it.be(lambda: it.app.focused is not None and it.app.focused.id == "view", "the view has the focus")
        assert it.app.ui.region == "cluster"


async def test_load_is_made_and_changed_by_keys_where_it_is_in_sight() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("g", "plus", "f")
        assert it.stage.loads == []
        await it.press("6")
        await it.see("g  start load")
        await it.press("plus", "g")
        await it.be(lambda: it.stage.loads == [100.0], "load is asked for at the rate that was set before")
        await it.see("g  end load")
        await it.press("plus", "plus", "plus", "minus")
        await it.be(lambda: it.stage.loads == [100.0, 200.0, 500.0, 200.0], "each rate")
        await it.press("g")
        await it.be(lambda: it.stage.loads[-1] is None, "ended")
        await it.press("1", "g")
        await it.be(lambda: it.stage.loads[-1] == 200.0, "in sight is enough, it need not have the focus")


async def test_the_load_keys_follow_what_a_step_does() -> None:
    async with desk(FakeStage(desired=4)) as it:
        await it.press("6")
        tell(it, loaded(rate=200.0))
        await it.see("g  end load")
        await it.press("plus")
        await it.be(lambda: it.stage.loads == [500.0], "from its rate on")
        tell(it, loaded(rate=500.0), loaded(False, 0.0))
        await it.see("g  start load")


async def test_load_that_cannot_be_made_says_why() -> None:
    class Unable(FakeStage):
        def load(self, rate: float | None) -> None:
            raise EngineError("no service publishes a port", remedy="deploy one first")

    async with desk(Unable(desired=4)) as it:
        await it.press("6", "g")
        await it.see("no service publishes a port", "deploy one first", "g  start load")


async def test_a_small_screen_on_another_pane_makes_no_load() -> None:
    async with desk(FakeStage(desired=4), size=(80, 24)) as it:
        await it.press("6", "3", "g")
        assert it.stage.loads == []


@pytest.mark.parametrize("live", [True, False])
async def test_a_failed_request_is_opened_beside_what_the_swarm_did(live: bool) -> None:
    async with desk(FakeStage(desired=4, live=live)) as it:
        await it.press("6")
        assert "f  failures" not in it.footer
        tell(it, loaded(failures=FAILURES))
        await it.see("f  failures")
        assert ("start load" in it.footer or "end load" in it.footer) == live
        await it.press("f")
        await it.see(
            "Failed requests", "1  00:01.0  node3    41 ms  status 502", "node2     3 ms  ConnectError: refused"
        )
        await it.press("down", "enter")
        await it.see("A failed request, and what the swarm did", "ConnectError: refused")
        await it.press("escape")
        assert len(it.app.screen_stack) == 1


def test_rates_go_along_their_steps_and_end_there() -> None:
    s, seen = UiState(live=True, ready=True, view="load"), []
    for how in ("less", "less", "less", *["more"] * 6):
        s = UiState(live=True, ready=True, view="load", rate=load_keys.change_rate(s, how)["rate"])
        seen.append(s.rate)
    assert seen == [20, 10, 10, 20, 50, 100, 200, 500, 500]
    assert load_keys.change_rate(UiState(rate=70.0), "more") == {"rate": 100}
    assert load_keys.change_rate(UiState(rate=70.0), "less") == {"rate": 50}


def test_only_a_turn_that_is_told_changes_what_was_asked_for() -> None:
    before = World()
    after = fold(before, Entry(1.0, loaded(rate=20.0)))
    assert load_keys.follow_load(before, after) == {"loading": True, "rate": 20.0}
    assert load_keys.follow_load(after, after) == {}
    assert load_keys.follow_load(None, before) == {"loading": False}


QUESTION = Question(name="guess", text="How many requests will **fail**?", usual=3)


async def test_a_question_is_asked_before_its_step() -> None:
    async with desk(taught(lesson(question=QUESTION))) as it:
        await it.press("n")
        await it.see("? How many requests will fail?")
        await it.press("enter")
        await it.see("Before the step", "Enter selects, Esc cancels")
        await it.press("escape")
        assert it.stage.answers == [] and not it.app.ui.busy
        await it.press("enter", "1", "x", "7", "enter")
        await it.idle()
        assert it.stage.answers == [("guess", "17")]
        await it.see("✔ Done")


async def test_enter_alone_gives_the_usual_answer() -> None:
    async with desk(taught(lesson(question=QUESTION))) as it:
        await it.press("n", "enter", "enter")
        await it.idle()
        assert it.stage.answers == [("guess", "3")]
        await it.see("✔ Done")


async def test_a_replay_asks_nothing() -> None:
    async with desk(taught(lesson(question=QUESTION), live=False)) as it:
        await it.press("n", "enter")
        await it.idle()
        assert it.stage.answers == []
        await it.see("✔ Done", "How many requests")


def test_no_two_keys_that_work_at_once_are_the_same() -> None:
    world = fold(World(), Entry(1.0, loaded(failures=FAILURES)))
    for live in (True, False):
        s = UiState(ready=True, live=live, lesson=LESSON, lessons=(LESSON,), view="load", world=world)
        found = [name for key in keys.working_keys(s) for name in key.keys.split(",")]
        assert len(found) == len(set(found))
