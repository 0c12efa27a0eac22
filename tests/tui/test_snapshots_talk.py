"""What the stage looks like: pictures at pinned sizes, with pinned clocks. `pytest --snapshot-update` renews them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from lab.lesson.talk import Slide, Talk
from lab.session.talk.forecast import SlideTime
from lab.session.talk.resume import Standing
from lab.session.talk.talk_stage import TalkStage
from lab.tui.appearance import Appearance
from lab.tui.talk.app import TalkApp
from tests.tui.conftest import seen, settle, until
from tests.tui.fake import LESSON, FakeStage
from tests.tui.pictures import Compare

SIZES = [(80, 24), (100, 30), (200, 60)]


def talk_app(live: FakeStage, *, theme: str = "dark", slot: float = 1500.0, place: int = 1) -> TalkApp:
    talk = Talk("talk", "A talk", 25, tuple(Slide(LESSON, step) for step in LESSON.steps))
    stage = TalkStage(talk, FakeStage(live=False, desired=4), lambda: live)
    times = {slide.id: SlideTime(20.0, 40.0) for slide in talk.slides}
    return TalkApp(
        talk,
        stage,
        times,
        standing=Standing(place=place, began=1000.0),
        keep=lambda _: None,
        slot=slot,
        appearance=Appearance(theme),
        typing=False,
        clock=lambda: 300.0,
        wall=lambda: 1300.0,
    )


def pressing(*keys: str, words: tuple[str, ...]) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def run(pilot: Pilot[Any]) -> None:
        app: Any = pilot.app
        await until(pilot, lambda: app.state.status.live and not app.state.status.doing, "live", 2000)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: all(word in seen(app) for word in words), f"on the screen: {words}", 2000)
        await settle(pilot)

    return run


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
@pytest.mark.parametrize("theme", ["dark", "light", "colour-blind"])
def test_a_step_that_runs(snap_compare: Compare, size: tuple[int, int], theme: str) -> None:
    live = FakeStage(desired=4)
    words = ("✘ exit 137", "◑ preparing") if size[0] > 80 else ("3 of 4 tasks",)

    async def before(pilot: Pilot[Any]) -> None:
        await pressing("pagedown", words=("docker kill",))(pilot)
        live.hold = 7
        await pressing("pagedown", words=words)(pilot)

    assert snap_compare(talk_app(live, theme=theme), terminal_size=size, run_before=before)
    live.go_on()


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_command_before_it_runs_and_a_talk_that_is_late(snap_compare: Compare, size: tuple[int, int]) -> None:
    before = pressing("pagedown", words=("late", "o leaves out"))
    assert snap_compare(talk_app(FakeStage(desired=4), slot=390.0, place=0), terminal_size=size, run_before=before)


@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_a_step_that_failed_and_its_recording(snap_compare: Compare, size: tuple[int, int]) -> None:
    live = FakeStage(desired=4, fail="web.2 did not run again within 90 s.")
    before = pressing("pagedown", "pagedown", words=("Not done", "r goes on with the recording"))
    assert snap_compare(talk_app(live), terminal_size=size, run_before=before)


def test_the_recording_in_its_place(snap_compare: Compare) -> None:
    live = FakeStage(desired=4, fail="web.2 did not run again within 90 s.")

    async def before(pilot: Pilot[Any]) -> None:
        await pressing("pagedown", "pagedown", words=("Not done",))(pilot)
        await pressing_on(pilot, "r", "REPLAY", "Done in")

    assert snap_compare(talk_app(live), terminal_size=(100, 30), run_before=before)


async def pressing_on(pilot: Pilot[Any], key: str, *words: str) -> None:
    await pilot.press(key)
    app: Any = pilot.app
    await until(pilot, lambda: all(word in seen(app) for word in words), f"on the screen: {words}", 2000)
    await settle(pilot)
