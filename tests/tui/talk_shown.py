"""The talk's app on recordings, at a slide, for pictures: a speaker who is on time, and a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from lab import paths
from lab.errors import WaitError
from lab.lesson.course import SYLLABUS, load_course, load_syllabus
from lab.lesson.talk import find_talk
from lab.session.replay import ReplayStage
from lab.session.talk.forecast import SlideTime
from lab.session.talk.resume import Standing
from lab.session.talk.talk_stage import TalkStage
from lab.tui.appearance import Appearance
from lab.tui.talk.app import TalkApp

if TYPE_CHECKING:
    from textual.pilot import Pilot

BOUND, TURN = 600.0, 0.05
"""Seconds for which a picture is waited for, and between two looks."""
_SLIDE = SlideTime(machine=30.0, words=55.0)


def talk_app(name: str, slide: str, theme: str) -> TalkApp:
    """Return the app of a talk at a slide. Raises ValueError for a slide that is not in it."""
    talk = find_talk((name,), load_course(), load_syllabus(paths.lessons() / SYLLABUS).paths)
    places = [each.id for each in talk.slides]
    place = places.index(slide)
    # So the picture depends on no other lesson's recording.
    gone = place * _SLIDE.total
    return TalkApp(
        talk,
        TalkStage(talk, ReplayStage(speed=None), None),
        dict.fromkeys(places, _SLIDE),
        standing=Standing(place=place, began=1.0),
        keep=lambda _: None,
        slot=talk.minutes * 60,
        appearance=Appearance(theme, motion=False),
        typing=False,
        clock=lambda: gone,
        wall=lambda: 1.0 + gone,
    )


async def open_slide(app: TalkApp, pilot: Pilot[int]) -> None:
    """Wait until the slide is shown."""
    await until(pilot, lambda: app._main.built and app.state.world is not None and not app.state.status.doing)


async def type_command(app: TalkApp, pilot: Pilot[int]) -> bool:
    """Press the key that types the slide's command, and wait for it; return False where there is nothing to type."""
    if app.state.slide.step.act is not None:
        return False
    await pilot.press("pagedown")
    await until(pilot, lambda: app.state.phase == "typed")
    return True


async def run_step(app: TalkApp, pilot: Pilot[int]) -> None:
    """Press the key that runs the step, and wait until it has passed and is painted."""
    await pilot.press("pagedown")
    await until(pilot, lambda: app.state.phase == "passed" and not app._frame_due)
    await pilot.pause(TURN * 2)


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    """Wait until `holds`. Raises WaitError after ten minutes."""
    for _ in range(int(BOUND / TURN)):
        await pilot.pause(TURN)
        if holds():
            return
    raise WaitError("the picture of the talk", BOUND, "the end of the step")
