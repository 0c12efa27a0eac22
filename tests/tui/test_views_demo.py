"""The views over the whole demo: wound back in a replay, with hostile texts in it, at every size."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from rich.segment import Segment

from lab.lesson.model import Lesson
from lab.panes import other_panes
from lab.tape.player import Player
from lab.tape.tape import Header, Tape
from lab.tui.panes import find_module
from lab.tui.spans import plain, width
from lab.tui.theme import tones
from lab.world.entries import Entry, LessonOpened, StepMoved
from tests.tui import demo, hostile
from tests.tui.conftest import Desk, desk
from tests.tui.fake import LESSON, FakeStage

SIZES = [(40, 12), (60, 15), (80, 24), (99, 29), (100, 30), (120, 40), (159, 50), (160, 50), (200, 60)]
MOMENTS = {"declare": (15.0, 90.0), "crash": (91.0, 99.0), "node": (99.5, 120.0)}
"""When each step begins and ends on the demo's tape."""


class Taped(FakeStage):
    """A replay of the demo in three steps: before anything fails, a task that dies, an update."""

    def __init__(self) -> None:
        super().__init__(live=False)
        moves = [
            Entry(at, StepMoved(LESSON.id, step, state))  # type: ignore[arg-type]
            for step, times in MOMENTS.items()
            for at, state in zip(times, ("begun", "passed"), strict=True)
        ]
        opened = Entry(14.9, LessonOpened(LESSON.id))
        told = tuple(sorted((opened, *demo.entries(), *moves), key=lambda entry: entry.at))
        header = Header(title="The demo", lesson=LESSON.id, recorded=datetime(2026, 11, 22, tzinfo=UTC), nodes=4)
        self.player = Player(Tape(header, told), self.journal, speed=None)

    def open(self, lesson: str) -> Lesson:
        found = super().open(lesson)
        self.player.rewind()
        return found

    def play(self, step: str) -> None:
        self.player.play_step(step)

    def reset(self, step: str = "") -> str:
        self.player.wind(step) if step else self.player.rewind()
        return "The recording is wound back."


def view_of(it: Desk) -> list[list[Segment]]:
    """The rows of the view in sight, as they are painted."""
    view = it.app.screen.query_one("#view")
    return [list(view.render_line(y)) for y in range(view.size.height)]


def said(rows: list[list[Segment]]) -> str:
    return "\n".join("".join(segment.text for segment in row) for row in rows)


async def test_what_is_wound_back_is_gone_from_every_view() -> None:
    async with desk(Taped(), size=(200, 60)) as it:
        for _ in range(3):
            await it.press("n", "enter")
            await it.idle()
        seen = {
            "5": ("56 in 60 s", "✘ node3: status 502"),
            "6": ("5,050 sent", "✘ 2 failed", "connection refused"),
            "7": ("✔ good on 4 nodes", "▲ default on 4 nodes"),
            "8": ("✔ all routers enabled",),
            "9": ("50/s", "edge_traefik", "updating"),
            "0": ("◑ updating for 20 s", "2 of 3 new"),
        }
        for key, words in seen.items():
            await it.press(key)
            await it.see(*words)
        await it.press("p", "r", "enter")
        await it.idle()
        await it.see("The recording is wound back.")
        then = {
            "5": (("32 in 60 s",), ("✘ node3",)),
            "6": (("0 failed",), ("connection refused", "✘ failed")),
            "7": (("✔ good on 4 nodes", "▲ default on 4 nodes"), ()),
            "8": (("✔ all routers enabled",), ()),
            "9": (("50/s", "edge_traefik"), ("updating",)),
            "0": (("3 of 3 run, no update",), ("updating",)),
        }
        for key, (there, gone) in then.items():
            await it.press(key)
            await it.see(*there)
            assert not [word for word in gone if word in said(view_of(it))], key
        assert it.app.ui.rate == 50.0 and it.app.ui.loading
        await it.press("p", "p", "r", "enter")
        await it.idle()
        for key, word in {"5": "Who answers shows here", "6": "◦ off", "8": "all routers", "0": "no update"}.items():
            await it.press(key)
            await it.see(word)
        assert not it.app.ui.loading


@pytest.mark.parametrize("kind", hostile.TEXTS)
async def test_hostile_texts_stand_as_they_are(kind: str) -> None:
    stage = FakeStage()
    stage.taught = (demo.reading_lesson(),)
    stage.journal.put_all(hostile.entries(hostile.TEXTS[kind]))
    async with desk(stage, size=(200, 60)) as it:
        known = {style.color for style in tones(it.app.theme_variables).values()}
        for view in (pane.id for pane in other_panes() if pane.key or pane.id == "dns"):
            await it.show(view)
            rows = view_of(it)
            known.add(it.app.screen.query_one("#view").rich_style.color)
            assert all(segment.text.isprintable() for row in rows for segment in row), view
            assert {segment.style.color for row in rows for segment in row if segment.style} <= known, view
            assert kind != "markup" or "[red]" in said(rows), view
        await it.press("6", "f")
        await it.see("Failed requests")
        await it.press("enter")
        await it.see("what the swarm did")
        assert it.text.replace("\n", "").isprintable()
        await it.press("escape")
        assert len(it.app.screen_stack) == 1 and it.app.ui.view == "load"
        await it.press("2", "z")
        assert it.text.replace("\n", "").isprintable()


async def test_every_view_is_drawn_at_every_size() -> None:
    async with desk(demo.stage()) as it:
        for size in SIZES:
            await it.pilot.resize_terminal(*size)
            await it.idle()
            for view in (pane.id for pane in other_panes()):
                await it.show(view)
                there = it.app.screen.query_one("#view")
                assert there.size.height > 0, (size, view)
                for y in range(there.size.height):
                    assert there.render_line(y).cell_length == there.size.width, (size, view)
                room, now = there.size.width - 2, it.stage.journal.world
                lines = find_module(view).lines(now, room, there.size.height, now.at)
                assert all(width(line) <= room for line in lines), (size, view)
                assert said(view_of(it)).partition("\n")[0].rstrip() == plain(lines).partition("\n")[0], (size, view)
