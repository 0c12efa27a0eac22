"""The stage as a speaker sees it: one step at a time, live or from its recording, within the slot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from lab import paths
from lab.lesson.course import SYLLABUS, load_syllabus
from lab.lesson.talk import Talk, find_talk
from lab.session.replay import ReplayStage
from lab.session.talk.forecast import SlideTime
from lab.session.talk.resume import Standing
from lab.session.talk.talk_client import TalkClient
from lab.session.talk.talk_socket import MOST, TalkSocket
from lab.session.talk.talk_stage import TalkSource, TalkStage
from lab.session.talk.talk_views import NotesView
from lab.tui.appearance import Appearance
from lab.tui.talk.app import TalkApp
from lab.tui.talk.notes_app import NotesApp
from lab.tui.talk.published import board_view, notes_view
from lab.tui.talk.slide import command_of, first_sentences
from lab.tui.talk.talk_keys import TALK_KEYS, remote_actions
from lab.tui.talk.talk_state import TalkState
from tests.course import LESSONS
from tests.doubles.talk_source import Cluster
from tests.tui.conftest import seen, until

SIZES = [(80, 24), (100, 30), (120, 40), (200, 60)]


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(paths.STATE, str(tmp_path))


def talk_of(*names: str) -> Talk:
    return find_talk(names or ("talk-25",), LESSONS, load_syllabus(paths.lessons() / SYLLABUS).paths)


class Desk:
    """A running talk and its pilot."""

    def __init__(self, app: TalkApp, pilot: Pilot[int], stage: TalkStage, kept: list[Standing]) -> None:
        self.app, self.pilot, self.stage, self.kept = app, pilot, stage, kept

    @property
    def text(self) -> str:
        return seen(self.app)  # type: ignore[arg-type]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def see(self, *words: str) -> None:
        await until(self.pilot, lambda: all(word in self.text for word in words), f"on the screen: {words}", 2000)

    async def be(self, holds: Callable[[], bool], what: str) -> None:
        await until(self.pilot, holds, what, 2000)

    async def phase(self, phase: str) -> None:
        await self.be(lambda: self.app.state.phase == phase, f"the slide is {phase}")

    async def go_through(self) -> None:
        """Type and run the slide in sight, to its end."""
        if self.app.state.slide.step.act is None and command_of(self.app.state):
            await self.press("pagedown")
            await self.phase("typed")
        await self.press("pagedown")
        await self.phase("passed")


@asynccontextmanager
async def on_stage(
    *names: str,
    cluster: Callable[[], TalkSource] | None = None,
    size: tuple[int, int] = (100, 30),
    seconds: float = 10.0,
    **more: Any,
) -> AsyncIterator[Desk]:
    talk = talk_of(*names)
    kept: list[Standing] = []
    auto = more.pop("auto", False)
    stage = TalkStage(talk, ReplayStage(speed=more.pop("speed", None)), cluster, auto=auto)
    more = {"standing": Standing(), "slot": 1500.0, "typing": False, "appearance": Appearance(), **more}
    times = {slide.id: SlideTime(seconds, seconds) for slide in talk.slides}
    app = TalkApp(talk, stage, times, keep=kept.append, **more)
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, pilot, stage, kept)
        await desk.be(lambda: bool(kept) and not app.state.status.doing, "the first slide is there")
        yield desk
    stage.close()


@pytest.mark.parametrize("size", [(120, 40), (200, 60)])
async def test_the_output_has_room_for_the_list_of_nodes_with_its_head(size: tuple[int, int]) -> None:
    async with on_stage("quorum:leads", size=size) as desk:
        await desk.go_through()
        await desk.see("node4      Ready")
        assert "HOSTNAME" in desk.text
        if size[0] < 160:  # A vast screen has the output beside the pane.
            assert "MANAGER STATUS   ENGINE VERSION" in desk.text
        assert desk.app.screen.query_one("#cluster").size.height >= 6


@pytest.mark.parametrize("size", SIZES)
async def test_a_slide_is_read_typed_run_and_left(size: tuple[int, int]) -> None:
    async with on_stage(size=size) as desk:
        slide = desk.app.state.slide
        await desk.see("REPLAY", "1/17", slide.step.title, "PgDn")
        assert slide.step.command is not None
        assert slide.step.command not in desk.text
        await desk.press("pagedown")
        await desk.see(slide.step.command)
        assert desk.app.state.phase == "typed"
        await desk.press("pagedown")
        await desk.phase("passed")
        await desk.see("Done in")
        await desk.press("pagedown")
        await desk.see("2/17", desk.app.state.talk.slides[1].step.title)


async def test_the_whole_talk_is_given_from_its_recordings() -> None:
    async with on_stage() as desk:
        for at, slide in enumerate(desk.app.state.talk.slides):
            await desk.see(f"{at + 1}/17")
            await desk.go_through()
            assert (slide.lesson.id, slide.step.id) in desk.stage.journal.world.lesson.steps
            await desk.press("pagedown")
        await desk.see("That was the last step.")
        assert set(desk.app.taken) == {slide.id for slide in desk.app.state.talk.slides}


async def test_a_long_command_leaves_room_for_the_tasks_once_it_runs() -> None:
    async with on_stage("first-service:create") as desk:
        await desk.press("pagedown")
        await desk.see("$ docker service create \\", "--replicas 3 \\")
        await desk.press("pagedown")
        await desk.phase("passed")
        await desk.see("--name web --replicas 3", "desired 3", "1  ● running")
        rows = [line for line in desk.text.splitlines() if "● running" in line and "on its way" not in line]
        assert len(rows) == 3


async def test_nobody_in_the_room_has_said_the_recordings_number() -> None:
    async with on_stage("reconciliation:crash") as desk:
        await desk.go_through()
        await desk.see("» Measured: ")
        assert "You said" not in desk.text


async def test_live_is_said_live_and_a_failure_offers_the_recording() -> None:
    cluster = Cluster()
    cluster.verdict = lambda step: "web has 2 of 3 tasks" if step == "declare" else ""
    async with on_stage("reconciliation:declare", "reconciliation:load", cluster=lambda: cluster) as desk:
        await desk.see("LIVE")
        await desk.press("pagedown", "pagedown")
        await desk.phase("failed")
        await desk.see("Not done: web has 2 of 3 tasks", "recording")
        await desk.press("r")
        await desk.phase("passed")
        await desk.see("REPLAY")
        await desk.press("pagedown")
        await desk.see("LIVE", "2/2")
        assert cluster.did[-1] == "reset load"


async def test_with_auto_the_talk_goes_on_by_itself() -> None:
    cluster = Cluster()
    cluster.verdict = lambda _: "no"
    async with on_stage("reconciliation:declare", cluster=lambda: cluster) as desk:
        await desk.press("a")
        await desk.press("pagedown", "pagedown")
        await desk.phase("passed")
        await desk.see("REPLAY")


async def test_a_step_that_hangs_is_gone_on_with_by_a_key() -> None:
    cluster = Cluster()
    cluster.hangs.set()
    async with on_stage("reconciliation:declare", cluster=lambda: cluster) as desk:
        await desk.press("pagedown", "pagedown")
        await desk.phase("running")
        await desk.press("pagedown")  # not again
        await desk.press("r")
        await desk.phase("passed")
        await desk.see("REPLAY")
        assert cluster.did.count("play declare") == 1


async def test_back_and_jump_put_the_cluster_back() -> None:
    cluster = Cluster()
    async with on_stage("reconciliation", cluster=lambda: cluster) as desk:
        await desk.go_through()
        await desk.press("pagedown")
        await desk.see("2/")
        await desk.press("pageup")
        await desk.be(
            lambda: desk.app.state.place == 0 and cluster.did.count("reset declare") == 2, "back at the start"
        )
        await desk.press("slash")
        await desk.press("down", "down", "enter")
        await desk.be(lambda: desk.app.state.place == 2, "at the third slide")
        third = desk.app.state.slide.step.id
        await desk.be(lambda: cluster.did[-1] == f"reset {third}", "the cluster is put to its start")


async def test_the_end_is_forecast_and_a_step_can_be_left_out() -> None:
    async with on_stage(slot=300.0, seconds=10.0) as desk:
        await desk.see("late", "o leaves out")
        out = desk.app.state.omission
        assert out is not None
        await desk.press("o")
        assert out.place in desk.app.state.left_out
        assert desk.kept[-1].left_out == (out.place,)
        while desk.app.state.omission is not None:
            await desk.press("o")
        await desk.see("early")
        await desk.go_through()
        await desk.press("pagedown")
        await desk.be(lambda: desk.app.state.place not in desk.app.state.left_out, "a slide that is not left out")
        assert desk.kept[-1].left_out == tuple(sorted(desk.app.state.left_out))


async def test_a_recording_is_not_offered_in_place_of_itself() -> None:
    async with on_stage("first-service:run", speed=1.0) as desk:
        await desk.press("pagedown", "pagedown")
        await desk.phase("running")
        await desk.see("REPLAY", "b black")
        assert "recording" not in desk.text
        await desk.press("ctrl+c")
        await desk.phase("failed")
        await desk.see("Enter tries again; / goes to another step.")
        assert "being stopped" not in desk.text


async def test_a_damaged_recording_is_called_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tape = paths.recordings() / "first-service.tape"
    half = tmp_path / tape.name
    half.write_bytes(tape.read_bytes()[:30_000])
    monkeypatch.setattr(paths, "recordings", lambda: tmp_path)
    async with on_stage("first-service:run") as desk:
        await desk.press("pagedown", "pagedown")
        await desk.phase("failed")
        await desk.see("REPLAY", "Not done:", "is damaged")


async def test_black_is_black_and_comes_back() -> None:
    async with on_stage() as desk:
        await desk.press("b")
        await desk.be(lambda: not desk.text.strip(), "nothing to see")
        await desk.press("full_stop")
        await desk.see("1/17")


async def test_the_talk_ends_only_at_the_second_q() -> None:
    async with on_stage() as desk:
        await desk.press("q")
        await desk.see("Press q again")
        assert desk.app._exit is False
        await desk.be(lambda: "Press q again" not in desk.text, "it is too late for the second one")
        await desk.press("q", "q")
        await desk.be(lambda: desk.app._exit, "the app ends")


async def test_an_app_that_was_killed_goes_on_at_its_step_with_its_clock() -> None:
    standing = Standing(place=4, began=1000.0, left_out=(5,))
    async with on_stage(standing=standing, wall=lambda: 1300.0) as desk:
        await desk.see("5/17", "05:0")
        assert desk.kept[0] == standing
        await desk.go_through()
        await desk.press("pagedown")
        await desk.see("7/17")


async def test_the_shell_takes_the_keys_and_gives_them_back() -> None:
    cluster = Cluster()
    async with on_stage("reconciliation:declare", cluster=lambda: cluster) as desk:
        await desk.see("LIVE")
        await desk.press("exclamation_mark")
        await desk.press("b", "q")
        await desk.be(lambda: cluster.did[-2:] == ["keys b", "keys q"], "the shell has the keys")
        await desk.press("escape", "escape")
        await desk.be(lambda: not desk.app.state.at_shell, "back at the talk")
        await desk.press("b")
        assert desk.app.state.black


async def test_a_pane_that_raises_shows_a_card_and_the_talk_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("lab.tui.cluster.grid.head_row", broken)
    async with on_stage() as desk:
        await desk.see("could not be drawn")
        await desk.go_through()


async def test_notes_follow_the_talk_and_press_its_keys() -> None:
    hub = TalkSocket("default", "notes", remote_actions(), lambda _: None)
    hub.open()
    async with on_stage(hub=hub) as desk:
        notes = NotesApp(TalkClient("default", NotesView), lambda: TalkClient("default", NotesView), Appearance())
        async with notes.run_test(size=(80, 24)) as pilot:
            there = desk.app.state.slide.step

            def shows(*words: str) -> Callable[[], bool]:
                return lambda: all(word in seen(notes) for word in words)  # type: ignore[arg-type]

            await until(pilot, shows(there.title, "1/17", "REPLAY", "Next:"), "the notes of the first slide", 2000)
            await pilot.press("pagedown")
            await desk.phase("typed")
            await pilot.press("b")
            await desk.be(lambda: desk.app.state.black, "black")
            hub.close()
            await until(pilot, shows("The talk has ended"), "the end is told", 2000)
            again = TalkSocket("default", "notes", (), lambda _: None)
            again.open()
            again.publish(NotesView(place=1, count=2, title="Its next app", notes=""))
            await until(pilot, shows("Its next app", "2/2"), "the notes of the talk's next app", 2000)
            again.close()


async def test_one_terminal_more_than_there_may_be_is_not_told_that_the_talk_has_ended() -> None:
    hub = TalkSocket("default", "notes", (), lambda _: None)
    hub.open()
    hub.publish(NotesView(place=0, count=1, title="A step", notes=""))
    connect = partial(TalkClient, "default", NotesView)
    first = [connect() for _ in range(MOST)]
    assert all(next(each.views()).title == "A step" for each in first)
    notes = NotesApp(connect(), connect, Appearance())
    async with notes.run_test(size=(80, 24)) as pilot:

        def shows(*words: str) -> Callable[[], bool]:
            return lambda: all(word in seen(notes) for word in words)  # type: ignore[arg-type]

        await until(pilot, shows("No notes came", "enough terminals"), "it is told why", 2000)
        first[0].close()
        await until(pilot, shows("A step", "1/1"), "a place is free", 2000)
    for each in first[1:]:
        each.close()
    hub.close()


def test_what_is_shown_elsewhere_has_values_in_place_of_their_names() -> None:
    for lesson in ("reconciliation", "routes-by-labels", "talk-25"):
        talk = talk_of(lesson)
        times = tuple(SlideTime(1.0, 1.0) for _ in talk.slides)
        for place in range(len(talk.slides)):
            state = TalkState(talk, times, 1500.0, place=place, phase="passed")
            notes, board = notes_view(state), board_view(state, ())
            assert "{{" not in notes.title + notes.notes + notes.next_title + board.title + board.text, talk.slides[
                place
            ].id


def test_every_key_has_help_and_none_has_two_meanings() -> None:
    keys = [key for each in TALK_KEYS for key in each.keys.split(",") if key]
    assert len(keys) == len(set(keys))
    assert all(each.help for each in TALK_KEYS)
    assert "quit" not in remote_actions()
    assert "shell" not in remote_actions()


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two. Three.", "One. Two."),
        ("One:\n\n```\ncode\n```\n\nMore.", "One."),
        ("- a list\n- more\n\nThen a text. And more. And more.", "Then a text. And more."),
        ("Version 1.26 runs, e.g. here. Next.", "Version 1.26 runs, e.g. here. Next."),
    ],
)
def test_a_slide_shows_the_first_sentences(text: str, first: str) -> None:
    assert first_sentences(text) == first


async def test_a_command_is_typed_unevenly_and_a_key_ends_the_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "full")
    async with on_stage(typing=True) as desk:
        desk.app.animation_level = "full"
        await desk.press("pagedown")
        await desk.be(lambda: desk.app.state.typed >= 3, "it is being typed")
        await desk.press("pagedown")
        await desk.be(lambda: desk.app.state.phase in ("running", "passed"), "it runs")
