"""What pictures of the app are taken with: a pinned clock, keys to press first, words to wait for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from textual.pilot import Pilot

from lab.tui.app import LabApp
from lab.world.entries import Entry
from tests.tui.conftest import Desk, settle
from tests.tui.fake import FakeStage

Compare = Callable[..., bool]
Before = Callable[[Pilot[Any]], Awaitable[None]]


def after(
    stage: FakeStage, *keys: str, words: tuple[str, ...] = (), entries: tuple[Entry, ...] = (), view: str = ""
) -> Before:
    """Press the keys one by one, let each be obeyed, show a view that has no key, and wait for the words."""

    async def run(pilot: Pilot[Any]) -> None:
        it = Desk(pilot.app, pilot, stage)  # type: ignore[arg-type]
        await it.idle()
        for key in keys:
            await it.press(key)
            if not stage.hold:
                await it.idle()
        if view:
            it.app.action_view(view)
        for entry in entries:
            stage.journal.put(entry)
        await it.see(*words)
        await settle(it.pilot)

    return run


def app_on(stage: FakeStage, **more: Any) -> LabApp:
    """The app on a stage, its speaker's clock at rest."""
    return LabApp(stage, clock=lambda: 0.0, **more)
