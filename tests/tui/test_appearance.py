"""Themes, motion, and colours that are never alone."""

from __future__ import annotations

import math
import re
from itertools import combinations
from pathlib import Path

import pytest
from textual.theme import Theme
from textual.widgets import Input

from lab import paths
from lab.errors import InputError, LabError
from lab.panes import other_panes
from lab.tui import launch
from lab.tui.appearance import THEMES, Appearance, keep_choice, read_appearance
from lab.tui.cluster import grid
from lab.tui.panes import find_module
from lab.tui.spans import Line, Tone
from lab.tui.theme import COLOUR_BLIND, ansi_colours
from lab.tui.theme import THEMES as KNOWN
from lab.world.world import fold_all
from tests.tui import demo
from tests.tui.conftest import Desk, desk
from tests.tui.fake import FakeStage

VISION = {
    "usual": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
"""How linear RGB looks to people with each colour vision: Machado, Oliveira and Fernandes (2009), severity 1."""


def linear(colour: str) -> list[float]:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [p / 12.92 if p <= 0.04045 else math.pow((p + 0.055) / 1.055, 2.4) for p in parts]


def contrast(a: str, b: str) -> float:
    """By WCAG 2: 1 to 21."""
    low, high = sorted(sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear(x), strict=True)) for x in (a, b))
    return (high + 0.05) / (low + 0.05)


def seen_as(colour: str, vision: str) -> tuple[float, float, float]:
    """The colour in CIELAB (D65) as seen with that vision."""
    rgb = [min(1.0, max(0.0, sum(m * v for m, v in zip(row, linear(colour), strict=True)))) for row in VISION[vision]]
    to_xyz = ((0.4339, 0.3762, 0.1899), (0.2127, 0.7152, 0.0722), (0.0178, 0.1095, 0.8727))  # over the white point
    x, y, z = (
        t ** (1 / 3) if t > 216 / 24389 else (24389 / 27 * t + 16) / 116
        for t in (sum(m * v for m, v in zip(row, rgb, strict=True)) for row in to_xyz)
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("theme", KNOWN, ids=lambda theme: theme.name)
def test_every_theme_can_be_read_across_a_room(theme: Theme) -> None:
    colours = {**vars(theme), **theme.variables}
    for ground in ("background", "surface", "panel"):
        assert contrast(colours["foreground"], colours[ground]) >= 12
        for ink in ("primary", "success", "warning", "error", "accent", "muted", "code"):
            assert contrast(colours[ink], colours[ground]) >= 5.5, (ink, ground)
    for badge in ("success", "error", "replay", "primary"):
        assert contrast(colours["background"], colours[badge]) >= 5.5
    for number, colour in enumerate(ansi_colours(theme.name)):
        black = 0 if theme.dark else 15  # a colour for grounds
        assert number == black or contrast(colour, colours["background"]) >= 4.5, colour


@pytest.mark.parametrize("vision", VISION)
def test_good_under_way_and_bad_are_three_colours_to_everybody(vision: str) -> None:
    theme = COLOUR_BLIND
    states = [theme.success, theme.warning, theme.error, theme.foreground]
    for a, b in combinations(states, 2):
        assert a and b and math.dist(seen_as(a, vision), seen_as(b, vision)) >= 20, (a, b)


def test_an_option_comes_before_a_variable_and_that_before_what_was_chosen_last() -> None:
    assert read_appearance(env={}) == Appearance("dark", None)
    keep_choice(theme="light")
    keep_choice(motion=False)
    assert read_appearance(env={}) == Appearance("light", False)
    env = {"SWARMLAB_THEME": "colour-blind", "SWARMLAB_MOTION": "on"}
    assert read_appearance(env=env) == Appearance("colour-blind", True)
    assert read_appearance("dark", "off", env) == Appearance("dark", False)


def test_a_variable_with_another_value_is_wrong() -> None:
    with pytest.raises(InputError, match="SWARMLAB_THEME is 'blue'; it is one of dark, light, colour-blind"):
        read_appearance(env={"SWARMLAB_THEME": "blue"})
    with pytest.raises(InputError, match="SWARMLAB_MOTION is 'no'"):
        read_appearance(env={"SWARMLAB_MOTION": "no"})


def test_a_damaged_choice_is_none() -> None:
    keep_choice(theme="blue", motion="maybe")
    assert read_appearance(env={}) == Appearance()


def test_without_a_folder_for_the_state_it_is_shown_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "state").write_text("a file", encoding="utf-8")
    monkeypatch.setenv(paths.STATE, str(tmp_path / "state"))
    assert read_appearance("light", env={}) == Appearance("light")


async def test_a_key_and_the_palette_choose_a_theme_which_is_kept() -> None:
    async with desk(keep=keep_choice) as it:
        for name in ("light", "colour-blind", "dark", "light"):
            await it.press("d")
            assert it.app.theme == f"lab-{name}"
            assert read_appearance(env={}).theme == name
        await choose(it, "theme: colour")
        assert it.app.theme == "lab-colour-blind" and read_appearance(env={}).theme == "colour-blind"


async def choose(it: Desk, words: str) -> None:
    """Run the command of the palette that these words find."""
    await it.press("ctrl+p", *(("space" if c == " " else c) for c in words))
    await it.be(lambda: bool(it.app.screen.query("CommandList").first().option_count == 1), f"one command: {words}")  # type: ignore[attr-defined]
    await it.press("down", "enter")
    await it.be(lambda: len(it.app.screen_stack) == 1, "the palette has closed")
    await it.pilot.pause()


async def test_what_cannot_be_kept_is_chosen_all_the_same() -> None:
    def refuse(**_: object) -> None:
        raise LabError("the disk is full")

    async with desk(keep=refuse) as it:
        await it.press("d")
        assert it.app.theme == "lab-light"
        await it.see("✘ This is not remembered: the disk is full")


async def test_without_motion_a_slot_on_its_way_stands_still_and_is_seen() -> None:
    async with desk(FakeStage(desired=4, hold=7), appearance=Appearance(motion=True), keep=keep_choice) as it:
        await it.press("n", "n", "enter")
        await it.see("▸", "▶ ◑ preparing", "running 3 ▮▮▮▯")
        row = next(line for line in it.text.splitlines() if "◑ preparing" in line)
        await it.be(lambda: row not in it.text, "the arrow moves")
        await choose(it, "motion:")
        assert it.app.animation_level == "none" and read_appearance(env={}).motion is False
        pane = it.app.screen.query_one("#cluster")
        await it.be(lambda: not pane._march._active.is_set(), "the arrow's timer is paused")  # type: ignore[attr-defined]
        await it.see("▸", "▶ ◑ preparing", "running 3 ▮▮▮▯")


@pytest.mark.parametrize("motion", [True, False])
async def test_without_motion_no_cursor_blinks(motion: bool) -> None:
    async with desk(appearance=Appearance(motion=motion)) as it:
        for key in ("slash", "ctrl+p"):
            await it.press(key)
            field = it.app.screen.query_one(Input)
            await it.be(lambda field=field: field.has_focus and field.cursor_blink is motion, "as asked")  # type: ignore[misc]
            assert field._cursor_visible or motion
            await it.press("escape")
            await it.pilot.pause()


@pytest.mark.parametrize(("value", "monochrome"), [("1", True), ("", False)])
def test_an_empty_no_color_asks_for_nothing(value: str, monochrome: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", value)
    found: list[bool] = []
    monkeypatch.setattr("lab.tui.app.LabApp.run", lambda app: found.append(app.no_color))
    launch(FakeStage())
    assert found == [monochrome]


_SAYS = re.compile(r"[^\W\d_]|[✘▲■◑◍◔◕◌◀▶▸▼▽?★◦✔●…+]")


def bare(lines: tuple[Line, ...], tones: tuple[Tone, ...]) -> list[str]:
    """The lines in which a colour is all that says something: no sign and no word stands in it."""
    found = []
    for line in lines:
        told = "".join(text for text, tone in line if tone in tones).strip(" ─│╌┆╭╮╰╯┌┐└┘├┤┬┴┼")
        row = "".join(text for text, _ in line)
        if told and not _SAYS.search(row):
            found.append(row)
    return found


@pytest.mark.parametrize("at", [30.0, 96.0, 101.0, 119.0])
@pytest.mark.parametrize("room", [36, 76, 116, 190])
def test_no_pane_says_by_colour_alone_that_something_is_wrong(at: float, room: int) -> None:
    world = fold_all(entry for entry in demo.entries() if entry.at <= at)
    for pane in other_panes():
        drawn = find_module(pane.id).lines(world, room, 40, at)
        assert not bare(drawn, ("bad", "why", "move")), pane.id


def test_no_two_states_of_a_task_have_the_same_sign_and_word() -> None:
    assert len(set(grid.MARKS.values())) == len({word for _, word in grid.MARKS.values()})
    bad = {glyph for state, (glyph, _) in grid.MARKS.items() if state in ("failed", "rejected")}
    assert not bad & {glyph for state, (glyph, _) in grid.MARKS.items() if state not in ("failed", "rejected")}


def test_the_themes_are_those_that_can_be_asked_for() -> None:
    assert tuple(theme.name for theme in KNOWN) == tuple(f"lab-{name}" for name in THEMES)
