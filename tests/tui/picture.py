"""A picture of the app as SVG, for the guide: taken without a terminal, from any stage."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from lab.errors import WaitError
from lab.tui.app import LabApp
from lab.tui.appearance import Appearance

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from lab.session import Stage

_BOUND, _TURN = 600.0, 0.05


async def _idle(app: LabApp, pilot: Pilot[int]) -> None:
    """Until nothing is under way and the last frame is painted."""
    for _ in range(int(_BOUND / _TURN)):
        await pilot.pause(_TURN)
        if app.ui.ready and not app.ui.busy:
            await pilot.pause(_TURN * 2)
            return
    raise WaitError("the picture", _BOUND, f"the end of {app.ui.busy or 'the opening'}")


async def _take(stage: Stage, keys: Sequence[str], lesson: str, size: tuple[int, int], theme: str) -> str:
    app = LabApp(stage, lesson=lesson, appearance=Appearance(theme), clock=lambda: 0.0)
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
