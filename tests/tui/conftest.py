"""What the app's tests share: running it on a fake stage, waiting for what is seen, reading the screen."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot

from lab.tui.app import LabApp
from tests.tui.fake import FakeStage


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No animation, and colours whatever the tester's own terminal asks for."""
    monkeypatch.setattr("textual.constants.TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)


def seen(app: LabApp) -> str:
    """The whole screen as plain text."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


async def until(pilot: Pilot[int], holds: Callable[[], bool], what: str, turns: int = 3000) -> None:
    """Wait until it holds; at the bound, say what is on the screen instead."""
    for _ in range(turns):
        if holds():
            return
        await pilot.pause(0.01)
    raise AssertionError(f"not so in time: {what}\n{seen(pilot.app)}")  # type: ignore[arg-type]


async def settle(pilot: Pilot[Any], rounds: int = 5) -> None:
    """Wait until the screen stays as it is for some rounds: a busy machine lays it out late."""
    last, same = "", 0
    for _ in range(1000):
        await pilot.pause(0.02)
        now = seen(pilot.app)  # type: ignore[arg-type]
        last, same = now, same + 1 if now == last else 0
        if same == rounds:
            return
    raise AssertionError(f"the screen does not come to rest\n{last}")


class Desk:
    """A running app, its pilot and its stage."""

    def __init__(self, app: LabApp, pilot: Pilot[int], stage: FakeStage) -> None:
        self.app, self.pilot, self.stage = app, pilot, stage

    @property
    def text(self) -> str:
        return seen(self.app)

    @property
    def footer(self) -> str:
        return self.text.splitlines()[-1]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)
        await self.pilot.pause()

    async def show(self, pane: str) -> None:
        """Show a pane, whether or not it has a key."""
        self.app.action_view(pane)
        await self.pilot.pause()

    async def see(self, *words: str) -> None:
        """Wait until all of this is on the screen."""
        await until(self.pilot, lambda: all(word in self.text for word in words), f"on the screen: {words}")

    async def be(self, holds: Callable[[], bool], what: str) -> None:
        await until(self.pilot, holds, what)

    async def idle(self) -> None:
        """Wait until nothing is under way and the last frame is painted."""
        await self.be(lambda: self.app.ui.ready and not self.app.ui.busy, "idle")
        await self.pilot.pause(0.06)
        await self.pilot.pause()


@asynccontextmanager
async def desk(
    stage: FakeStage | None = None, *, size: tuple[int, int] = (120, 40), **more: object
) -> AsyncIterator[Desk]:
    """The app on a stage, its lesson opened."""
    stage = stage or FakeStage()
    app = LabApp(stage, clock=lambda: 0.0, **more)  # type: ignore[arg-type]
    async with app.run_test(size=size) as pilot:
        it = Desk(app, pilot, stage)
        await it.idle()
        yield it
        stage.stop()
