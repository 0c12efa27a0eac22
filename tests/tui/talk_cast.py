"""A talk given from its recordings as an asciicast: every slide as it is shown, typed and done, without a terminal."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING

from rich.console import Console

from tests.tui.talk_shown import TURN, open_slide, run_step, talk_app, type_command

if TYPE_CHECKING:
    from textual.pilot import Pilot

    from lab.tui.talk.app import TalkApp

SIZE = (100, 30)
READ, LETTER, TYPED, DONE = 3.0, 0.06, 1.0, 5.0
"""Seconds for which the cast stays on a slide before its command is typed, on a letter, when typed, and at the end."""
LETTERS = 4
"""Letters of a command that appear at once."""


@dataclass(frozen=True)
class Frame:
    """The screen's lines with their colours, and for how many seconds it stays."""

    lines: tuple[str, ...]
    seconds: float


def cast_talk(talk: str, slides: Sequence[str]) -> str:
    """Return these slides of a talk, in this order, as an asciicast (version 2). It is the same every time."""
    frames = [frame for slide in slides for frame in asyncio.run(_give(talk, slide))]
    header = {"version": 2, "width": SIZE[0], "height": SIZE[1], "title": f"swarmlab present {talk}, from recordings"}
    return "".join(f"{json.dumps(line)}\n" for line in (header, *_events(frames)))


def _events(frames: Sequence[Frame]) -> Iterator[tuple[float, str, str]]:
    """Yield when what is printed; of each frame only the lines that changed."""
    at, shown = 0.0, ("",) * SIZE[1]
    for place, frame in enumerate(frames):
        changed = [
            f"\x1b[{row}H{line}"
            for row, (line, before) in enumerate(zip(frame.lines, shown, strict=True), 1)
            if line != before
        ]
        yield round(at, 2), "o", ("" if place else "\x1b[?25l\x1b[2J") + "".join(changed)
        at, shown = at + frame.seconds, frame.lines
    yield round(at, 2), "o", "\x1b[0m\x1b[?25h"


async def _give(name: str, slide: str) -> list[Frame]:
    app = talk_app(name, slide, "dark")
    frames: list[Frame] = []
    async with app.run_test(size=SIZE) as pilot:
        await open_slide(app, pilot)
        frames.append(await _frame(app, pilot, READ))
        if await type_command(app, pilot):
            whole = app.state.typed
            for typed in (*range(LETTERS, whole, LETTERS), whole):
                app.see(phase="typing", typed=typed)
                frames.append(await _frame(app, pilot, LETTER * LETTERS))
            app.see(phase="typed")
            frames.append(await _frame(app, pilot, TYPED))
        await run_step(app, pilot)
        frames.append(await _frame(app, pilot, DONE))
    return frames


async def _frame(app: TalkApp, pilot: Pilot[int], seconds: float) -> Frame:
    """The screen once it no longer changes."""
    lines = _lines(app)
    while True:
        await pilot.pause(TURN)
        before, lines = lines, _lines(app)
        if lines == before:
            return Frame(lines, seconds)


def _lines(app: TalkApp) -> tuple[str, ...]:
    width, height = SIZE
    console = Console(file=StringIO(), width=width, force_terminal=True, color_system="truecolor", legacy_windows=False)
    lines = [strip.crop(0, width).render(console) for strip in app.screen._compositor.render_strips()]
    return tuple([*lines, *[""] * height][:height])
