"""Pictures of the app as SVG, taken without a terminal. `python -m tests.tui.picture` makes the README's anew."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab import paths
from lab.errors import WaitError
from lab.session.replay import ReplayStage
from lab.tape.find import find_tape
from lab.tui.app import LabApp
from lab.tui.appearance import Appearance

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from lab.lesson.model import Lesson
    from lab.session import Stage

_BOUND, _TURN = 600.0, 0.05


@dataclass(frozen=True)
class Played:
    """A lesson's recording, played without waiting to the end of a step; `size` in cells."""

    lesson: str
    step: str
    size: tuple[int, int] = (140, 42)
    theme: str = "dark"


PICTURES: Mapping[str, Played] = {"screen.svg": Played("rolling-update", "careless")}
"""The README's pictures, by their names in `recordings`."""


def play(played: Played) -> str:
    """Return the picture of a recording. It is the same every time. Raises ValueError for a step that is not in the
    lesson."""
    stage = ReplayStage(find_tape(played.lesson), speed=None)
    (lesson,) = stage.lessons()
    keys = list(_keys(lesson, played.step))
    return picture(stage, keys, lesson=lesson.id, size=played.size, theme=played.theme)


def _keys(lesson: Lesson, step: str) -> Iterator[str]:
    """Yield the keys from a lesson's first page to the end of a step."""
    place = [each.id for each in lesson.steps].index(step)
    yield from ["n"] * (place + 1)
    yield "enter"
    question = getattr(lesson.steps[place], "question", None)
    if question is not None and question.choices:
        yield "enter"


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
        return app.export_screenshot(title=" ")


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
