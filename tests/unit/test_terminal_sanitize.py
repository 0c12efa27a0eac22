"""What reaches a screen only draws."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.terminal.escapes import LONGEST_STRING
from lab.terminal.sanitize import ScreenFilter, at_rest, safe_for_screen, text_only, visible
from tests.growth import keeps_pace

DRAWN = re.compile(
    r"(?:[^\x00-\x1f\x7f-\x9f]|[\x08-\x0d]"
    r"|\x1b\[[0-9;:]*m|\x1b\[[0-9;]*[@A-MPSTXZ`abdefrsu]|\x1b\[\?[0-9;]+[hl]|\x1b[78DEM=>]|\x1b\([B0])*"
)
PIECES = st.sampled_from(
    ["\x1b", "[", "]", "P", "\\", "\x07", "\x9b", "\x9d", "\x9c", "52;c;", "?1049", "h", "m", "31", "6n", "c", "x", "é"]
)
noise = st.lists(PIECES | st.text(max_size=3), max_size=20).map("".join)


@pytest.mark.parametrize(
    "kept",
    [
        "plain\r\n\ttext",
        "\x1b[1;31mred\x1b[0m",
        "\x1b[38;2;1;2;3mx",
        "\x1b[2J\x1b[H",
        "\x1b[3A\x1b[K",
        "\x1b[?1049h",
        "\x1b7\x1b8",
    ],
)
def test_drawing_is_kept(kept: str) -> None:
    assert safe_for_screen(kept) == kept


@pytest.mark.parametrize(
    "dropped",
    [
        "\x1b]52;c;ZXZpbA==\x07",
        "\x1b]8;;http://evil/\x1b\\",
        "\x1b]0;title\x07",
        "\x9d0;title\x9c",
        '\x1bP$q"p\x1b\\',
        "\x90x\x9c",
        "\x1b_apc\x1b\\",
        "\x1b^pm\x1b\\",
        "\x1bXsos\x1b\\",
        "\x1b[c",
        "\x1b[>c",
        "\x1b[6n",
        "\x1b[?6n",
        "\x1b[?25$p",
        "\x1b[18t",
        "\x1b[5i",
        "\x1b[?1003h",
        "\x1b[?1u",
        "\x1b[!p",
        "\x1b[1;1;5;5$z",
        "\x1bc",
        "\x1bZ",
        "\x05",
        "\x07",
        "\x9b6n",
        "\x0e",
    ],
)
def test_what_does_more_than_draw_is_dropped(dropped: str) -> None:
    assert safe_for_screen(f"a{dropped}b") == "ab"
    filtered = ScreenFilter()
    assert "".join(filtered.feed(char) for char in f"a{dropped}b") == "ab"


def test_of_several_modes_the_harmless_ones_stay() -> None:
    assert safe_for_screen("\x1b[?1049;1003;25h") == "\x1b[?1049;25h"


def test_a_screen_that_keeps_the_mouse_to_itself_hears_who_asks_for_it() -> None:
    asked = "\x1b[?1000;1002;1006h"
    assert safe_for_screen(asked) == ""
    assert ScreenFilter(mouse=True).feed(f"{asked}\x1b[?1016h\x1b[?2048h\x1b[?1004h") == asked


def test_a_string_without_an_end_does_not_swallow_the_rest_for_ever() -> None:
    safe = ScreenFilter()
    assert safe.feed("\x1b]0;" + "x" * 10) == ""
    assert "later" in safe.feed("y" * LONGEST_STRING + "later")


@given(noise)
def test_nothing_else_comes_through(text: str) -> None:
    assert DRAWN.fullmatch(safe_for_screen(text))


@given(noise)
def test_safe_text_stays_as_it_is(text: str) -> None:
    once = safe_for_screen(text)
    assert safe_for_screen(once) == once


@given(noise, st.lists(st.integers(0, 60), max_size=5))
def test_chunks_do_not_matter(text: str, places: list[int]) -> None:
    edges = sorted({0, len(text), *(p % (len(text) + 1) for p in places)})
    safe = ScreenFilter()
    assert "".join(safe.feed(text[a:b]) for a, b in pairwise(edges)) == safe_for_screen(text)


def test_a_screen_that_nobody_types_into_keeps_no_mode_of_the_keyboard() -> None:
    said = "\x1b[?2004h\x1b[?1h\x1b=a\x1b[?25l\x1b[?1;1049h\x1b>"
    assert ScreenFilter(keyboard=False).feed(said) == "a\x1b[?25l\x1b[?1049h"
    assert safe_for_screen(said) == "\x1b[?2004h\x1b[?1h\x1b=a\x1b[?25l\x1b[?1;1049h\x1b>"


def test_half_a_character_is_no_character() -> None:
    assert safe_for_screen("a\ud800b") == text_only("a\ud800b") == "a\ufffdb"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\ttwo\r\nthree\n", "one\ttwo\nthree\n"),
        ("\x1b]52;c;eA==\x07", "\\x1b]52;c;eA==\\x07"),
        ("a\rb\x9bm\x7f", "a\\rb\\x9bm\\x7f".replace("\\r", "\\x0d")),
        ("\u202egnp.exe\u2066\u2028", "\\u202egnp.exe\\u2066\\u2028"),
        ("\udcff日é✔", "\\udcff日é✔"),
    ],
)
def test_nothing_hides_in_a_visible_text(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_text_without_its_escapes() -> None:
    assert text_only("\x1b[31mred\x1b[0m\r\n\x1b]0;title\x07\tb\x1b[2K\bc\x9d0;x\x9c") == "red\n\tbc"


@pytest.mark.parametrize(
    ("left", "undone"),
    [
        ("plain \x1b[1mbold\x1b[0m", ""),
        ("\x1b[?1049h\x1b[?25l\x1b[?7l", "\x1b[?1049l\x1b[?25h\x1b[?7h"),
        ("\x1b[?1049h\x1b[?1049l\x1b[?25l\x1b[?25h", ""),
        ("\x1b[?1000;1006h", "\x1b[?1000l\x1b[?1006l"),
        ("\x1b[31mred", "\x1b[0m"),
        ("\x1b[2;5r\x1b(0", "\x1b7\x1b[r\x1b8\x1b(B"),
        ("\x1b[2;5r\x1b[r\x1b(0\x1b(B", ""),
    ],
)
def test_what_was_left_behind_is_put_back(left: str, undone: str) -> None:
    assert at_rest(left) == undone
    assert at_rest(left + undone) == ""


FLOODS = (
    "\x9d",
    "\x90",
    "\x1b]",
    "\x1b[",
    "\x9b",
    "\x1b[1;",
    "\x1b[?1",
    "\x1b ",
    "\x1b(",
    "\x1b]0;\x1b",
    "\x18\x9d",
    "\r",
)


@pytest.mark.parametrize("unit", FLOODS)
def test_a_flood_takes_the_time_of_its_length(unit: str) -> None:
    assert keeps_pace(lambda text: safe_for_screen(text), unit, 2_000)
    assert keeps_pace(visible, unit, 2_000)
    assert keeps_pace(text_only, unit, 2_000)


@pytest.mark.parametrize("unit", FLOODS)
def test_a_flood_in_single_characters_does_too(unit: str) -> None:
    def fed(text: str) -> None:
        safe = ScreenFilter()
        for char in text:
            safe.feed(char)

    assert keeps_pace(fed, unit, 1_000)
    assert keeps_pace(fed, "x", 1_000, lead=unit)


def test_the_whole_flood_ends() -> None:
    safe = ScreenFilter()
    assert "".join(safe.feed("\x9d" * 16_384) for _ in range(64)) == ""
    assert safe.feed("\x07back") == "back"
