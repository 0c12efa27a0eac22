"""The app without a terminal, on odd tapes: every view at three sizes, and a step that is played."""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

from lab.errors import InputError
from lab.panes import PANES
from lab.session.replay import ReplayStage
from lab.tape.tape import load
from lab.tui.app import LabApp
from tests.fuzz import tapes, typed
from tests.fuzz.surface import Broken, Surface, readable
from tests.fuzz.tapes import HEADER, tape_text
from tests.fuzz.values import raw

SIZES = ((100, 30), (40, 12), (200, 60))


def _draw(rng: Random) -> Any:
    if rng.random() < 0.3:
        return tapes.draw(rng)
    told = [(at, fact) for at, fact in typed.journal(rng, 30) if typed.entries([[at, fact]])]
    return tape_text(HEADER, [typed.line(at, fact) for at, fact in told])


def _hold(text: Any) -> None:
    file = Path("app.tape")
    file.write_bytes(raw(text))
    try:
        tape = load(file)
    except InputError:
        return
    asyncio.run(_shown(file, tape.entries))


async def _shown(file: Path, entries: tuple[Any, ...]) -> None:
    stage = ReplayStage(file, speed=None)
    app = LabApp(stage, clock=lambda: 0.0)
    app.animation_level = "none"
    async with app.run_test(size=SIZES[0]) as pilot:
        for _ in range(400):
            if app.ui.ready and not app.ui.busy:
                break
            await pilot.pause(0.01)
        stage.journal.put_all(entries)
        await pilot.pause(0.06)
        for size in SIZES:
            await pilot.resize_terminal(*size)
            for pane in PANES:
                app.action_view(pane.id)
                await pilot.pause()
                _look(app, f"the app's view {pane.id}")
        await pilot.press("1", "n", "enter")
        await pilot.pause(0.06)
        _look(app, "the app's screen")
    stage.close()
    if app.return_code:
        raise Broken("the app ends with an error", f"{app.return_code}")


def _look(app: LabApp, where: str) -> None:
    strips = app.screen._compositor.render_strips()
    readable("\n".join(strip.text for strip in strips), where)
    if wrong := [strip for strip in strips if strip.cell_length != app.size.width]:
        raise Broken(f"a row of {where} is not as wide as the screen", ascii(wrong[0].text))


_LOAD = {"kind": "load", "running": True, "rate": 5.0, "target": "t", "seconds": 1.0}

SURFACE = Surface(
    "app",
    _draw,
    _hold,
    known=(
        tape_text(
            HEADER,
            [
                {**_LOAD, "at": 1.0, "good": 1, "counts": [-5, 1, 0, 10**6], "failures": []},
                {"at": 1e7, "kind": "capture", "name": "\x1b]0;x\x07", "value": "v"},
                {"at": 1e7, "kind": "output", "node": "node1", "text": "\x1b[-100Ax\x9d\x9b2J"},
                {
                    "at": 1e7,
                    "kind": "hit",
                    "node": "\x1b[2J",
                    "port": 1,
                    "path": "/",
                    "status": 0,
                    "replica": "",
                    "ms": -1.0,
                },
            ],
        ),
    ),
    share=0.04,
    fast=1,
    bound=60.0,
)
