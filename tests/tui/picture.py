"""Pictures of the app as SVG, taken without a terminal. `python -m tests.tui.picture` makes the README's anew."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import paths
from lab.errors import WaitError
from lab.lesson.course import SYLLABUS, load_course, load_syllabus
from lab.lesson.talk import find_talk
from lab.session.replay import ReplayStage
from lab.session.talk.forecast import SlideTime
from lab.session.talk.resume import Standing
from lab.session.talk.talk_stage import TalkStage
from lab.tape.find import find_tape
from lab.tui.app import LabApp
from lab.tui.appearance import Appearance
from lab.tui.talk.app import TalkApp

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

    from lab.lesson.model import Lesson
    from lab.session import Stage

_BOUND, _TURN = 600.0, 0.05
_SLIDE = SlideTime(machine=30.0, words=55.0)


@dataclass(frozen=True)
class Played:
    """A lesson's recording, played without waiting to the end of a step; `size` in cells."""

    lesson: str
    step: str
    size: tuple[int, int] = (140, 42)
    theme: str = "dark"


@dataclass(frozen=True)
class Shown:
    """A slide of a talk, given from its recordings to the slide's end; `size` in cells."""

    talk: str
    slide: str
    size: tuple[int, int] = (100, 30)
    theme: str = "dark"


PICTURES: Mapping[str, Played | Shown] = {
    "screen.svg": Played("rolling-update", "all-at-once"),
    "talk.svg": Shown("talk-25", "reconciliation:crash"),
}
"""The README's pictures, by their names in `recordings`."""


def play(played: Played | Shown) -> str:
    """Return the picture of a recording. It is the same every time. Raises ValueError for a step that is not in the
    lesson, or a slide that is not in the talk."""
    if isinstance(played, Shown):
        return asyncio.run(_show(played))
    stage = ReplayStage(find_tape(played.lesson), speed=None)
    (lesson,) = stage.lessons()
    keys = list(_keys(lesson, played.step))
    return picture(stage, keys, lesson=lesson.id, size=played.size, theme=played.theme)


def _keys(lesson: Lesson, step: str) -> Iterator[str]:
    """Yield the keys from a lesson's first page to the end of a step, and back to the top of its page."""
    place = [each.id for each in lesson.steps].index(step)
    yield from ["n"] * (place + 1)
    yield "enter"
    question = getattr(lesson.steps[place], "question", None)
    if question is not None and question.choices:
        yield "enter"
    yield from "np"


async def _idle(app: LabApp, pilot: Pilot[int]) -> None:
    """Until nothing is under way and the last frame is painted."""
    for _ in range(int(_BOUND / _TURN)):
        await pilot.pause(_TURN)
        if app.ui.ready and not app.ui.busy and not app._frame_due and not app._main.terminal.frame():
            await pilot.pause(_TURN * 2)
            return
    raise WaitError("the picture", _BOUND, f"the end of {app.ui.busy or 'the opening'}")


async def _take(stage: Stage, keys: Sequence[str], lesson: str, size: tuple[int, int], theme: str) -> str:
    app = LabApp(stage, lesson=lesson, appearance=Appearance(theme, motion=False), clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await _idle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await _idle(app, pilot)
        return _export(app)


async def _show(shown: Shown) -> str:
    talk = find_talk((shown.talk,), load_course(), load_syllabus(paths.lessons() / SYLLABUS).paths)
    places = [slide.id for slide in talk.slides]
    place = places.index(shown.slide)
    # A speaker who is on time: so the picture depends on no other lesson's recording.
    gone = place * _SLIDE.total
    app = TalkApp(
        talk,
        TalkStage(talk, ReplayStage(speed=None), None),
        dict.fromkeys(places, _SLIDE),
        standing=Standing(place=place, began=1.0),
        keep=lambda _: None,
        slot=talk.minutes * 60,
        appearance=Appearance(shown.theme, motion=False),
        typing=False,
        clock=lambda: gone,
        wall=lambda: 1.0 + gone,
    )
    async with app.run_test(size=shown.size) as pilot:
        await _until(pilot, lambda: app._main.built and app.state.world is not None and not app.state.status.doing)
        await pilot.press("pagedown")
        await _until(pilot, lambda: app.state.phase == "typed")
        await pilot.press("pagedown")
        await _until(pilot, lambda: app.state.phase == "passed" and not app._frame_due)
        await pilot.pause(_TURN * 2)
        return _export(app)


async def _until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    for _ in range(int(_BOUND / _TURN)):
        await pilot.pause(_TURN)
        if holds():
            return
    raise WaitError("the picture of the talk", _BOUND, "the end of the step")


def _export(app: App[int]) -> str:
    # Rich makes the classes' prefix of how the styles are written in memory, which differs from process to process.
    return re.sub(r"terminal-\d+", "terminal-lab", app.export_screenshot(title=" "))


def picture(
    stage: Stage,
    keys: Sequence[str] = (),
    *,
    lesson: str = "",
    size: tuple[int, int] = (120, 40),
    theme: str = "dark",
) -> str:
    """The screen as SVG after these keys ("enter", "n", "2" ...), each obeyed to its end; `size` in cells.

    A replay without waiting (`speed=None`) makes the same picture every time. Raises WaitError when a step does not
    end within ten minutes.
    """
    return asyncio.run(_take(stage, keys, lesson, size, theme))


def main() -> None:
    """Make all of the README's pictures."""
    os.environ.pop("NO_COLOR", None)
    for name, played in PICTURES.items():
        path = paths.recordings() / name
        path.write_text(play(played), encoding="utf-8")
        print(f"made: {path}")


if __name__ == "__main__":
    main()
