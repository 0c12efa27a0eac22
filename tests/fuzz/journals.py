"""Journals of well-typed but senseless facts: folded, told, exported, and drawn by every view at three sizes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from random import Random
from typing import Any

from lab.panes import other_panes
from lab.tape.codec import Header
from lab.tape.render import cast, markdown
from lab.tape.tape import Tape
from lab.tui.panes import find_module
from lab.tui.spans import width
from lab.world.world import World, fold_all
from tests.fuzz import typed
from tests.fuzz.surface import Broken, Surface
from tests.transcripts import write_transcript

SIZES = ((38, 8), (98, 24), (198, 54))


def _draw(rng: Random) -> Any:
    return typed.journal(rng)


def _told(value: Any) -> None:
    entries = typed.entries(value)
    tape = Tape(Header(title="t", lesson="certificates", recorded=datetime(2026, 11, 22, tzinfo=UTC)), entries)
    # What of it a person may see is made safe where it is said: the commands on tapes are held to that.
    for _ in write_transcript(entries):
        pass
    markdown(tape)
    for line in cast(tape).splitlines():
        json.loads(line)


def _drawn(value: Any) -> None:
    drawn(fold_all(typed.entries(value)))


def drawn(world: World) -> None:
    """Draw every view of a world."""
    for view in (pane.id for pane in other_panes()):
        for room, height in SIZES:
            lines = find_module(view).lines(world, room, height, world.at)
            if wide := [line for line in lines if width(line) > room]:
                raise Broken(f"a line of the view {view} is wider than its room", f"{room}: {wide[0]!a}")


_STEP = {"kind": "step", "lesson": "a", "step": "b"}
_LOAD = {"kind": "load", "running": True, "rate": 5.0, "target": "t"}

TOLD = Surface(
    "journals",
    _draw,
    _told,
    known=(
        [[3.0, {"kind": "capture", "name": "x" * 90, "value": "[x]"}]],
        [[1e308, {**_STEP, "state": "begun"}], [1e308, {**_STEP, "state": "passed"}]],
    ),
    share=3,
    fast=250,
)
DRAWN = Surface(
    "views",
    _draw,
    _drawn,
    known=(
        [[0.0, {**_LOAD, "seconds": 1.0, "good": 1, "counts": [-5, 1, 0, 10**6]}]],
        [[1.0, {**_LOAD, "failures": [{"ago": 1e999, "node": "n", "status": 0, "error": "e", "ms": -1.0}], "bad": 1}]],
        [[1e300, {**_LOAD, "seconds": 1e300, "sent": 10**400, "good": 10**400, "counts": [10**400]}]],
    ),
    share=3,
    fast=100,
)
