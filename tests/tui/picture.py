"""Pictures of the app as SVG, taken without a terminal. `python -m tests.tui.picture` makes the README's anew."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import paths
from lab.errors import WaitError
from lab.session.replay import ReplayStage
from lab.tape.find import find_tape
from lab.tui.app import LabApp
from lab.tui.appearance import Appearance
from tests.tui.talk_cast import cast_talk
from tests.tui.talk_shown import BOUND, TURN, open_slide, run_step, talk_app, type_command

if TYPE_CHECKING:
    from textual.app import App
    from textual.pilot import Pilot

    from lab.lesson.model import Lesson
    from lab.session import Stage


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


CAST = "talk.cast"
CAST_SLIDES = (
    "first-service:run",
    "reconciliation:crash",
    "reconciliation:power-off",
    "routes-by-labels:expose",
    "rolling-update:update",
    "failed-update:by-itself",
)
"""The slides of talk-25 that the README's cast shows."""


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
    for _ in range(int(BOUND / TURN)):
        await pilot.pause(TURN)
        if app.ui.ready and not app.ui.busy and not app._frame_due and not app._main.terminal.frame():
            await pilot.pause(TURN * 2)
            return
    raise WaitError("the picture", BOUND, f"the end of {app.ui.busy or 'the opening'}")


async def _take(stage: Stage, keys: Sequence[str], lesson: str, size: tuple[int, int], theme: str) -> str:
    app = LabApp(stage, lesson=lesson, appearance=Appearance(theme, motion=False), clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot:
        await _idle(app, pilot)
        for key in keys:
            await pilot.press(key)
            await _idle(app, pilot)
        return _export(app)


async def _show(shown: Shown) -> str:
    app = talk_app(shown.talk, shown.slide, shown.theme)
    async with app.run_test(size=shown.size) as pilot:
        await open_slide(app, pilot)
        await type_command(app, pilot)
        await run_step(app, pilot)
        return _export(app)


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
    """Make all of the README's pictures, and its cast."""
    os.environ.pop("NO_COLOR", None)
    for name, played in PICTURES.items():
        path = paths.recordings() / name
        path.write_text(play(played), encoding="utf-8")
        print(f"made: {path}")
    path = paths.recordings() / CAST
    path.write_text(cast_talk("talk-25", CAST_SLIDES), encoding="utf-8")
    print(f"made: {path}")


if __name__ == "__main__":
    main()
