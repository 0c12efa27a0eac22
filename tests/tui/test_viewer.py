"""Looking at a terminal: its history, a search in it, the mouse, what is copied and what is pasted."""

from __future__ import annotations

import base64

import pytest
from textual import events

from lab.tui.widgets import ranges
from lab.tui.widgets.emulator import Emulator
from lab.tui.widgets.ranges import Range
from lab.tui.widgets.terminal import Terminal
from lab.world.entries import Printed
from tests.tui.conftest import Desk, desk


def screen(text: str, columns: int = 20, rows: int = 4) -> Emulator:
    it = Emulator(columns, rows)
    it.feed(text.replace("\n", "\r\n"))
    return it


async def printed(it: Desk, text: str, *words: str) -> Terminal:
    """The terminal, once it has printed this and shows these words."""
    it.stage.journal.write(Printed("node1", text.replace("\n", "\r\n")))
    await it.see(*words)
    return it.app.query_one(Terminal)


def lines(count: int) -> str:
    return "".join(f"line {n} of many\n" for n in range(count))


def test_at_least_five_thousand_wide_lines_are_kept_and_no_more_than_the_bound() -> None:
    it = Emulator(240, 10)
    for n in range(12_000):
        it.feed(f"{n:06}{'x' * 234}\r\n")
    assert ranges.find(it, f"{12_000 - 5_000:06}x") and not ranges.find(it, "000001x")


def test_a_row_keeps_its_number_while_it_scrolls_away() -> None:
    it = screen(lines(3))
    row = it.top + 1
    assert ranges.find(it, "line 1 ") == (Range((row, 0), (row, 7)),)
    it.feed(lines(50).replace("line 1 ", "other"))
    assert ranges.find(it, "line 1 ") == (Range((row, 0), (row, 7)),)
    it.bring(row)
    assert it.top <= row < it.top + 4


@pytest.mark.parametrize("after", ["", lines(1), lines(2), lines(9)])
def test_a_search_goes_across_the_rows_of_a_wrapped_line_and_a_selection_joins_them(after: str) -> None:
    it = screen(f"before\n{'x' * 17}needle{'y' * 30}\n{after}")
    (found,) = ranges.find(it, "NEEDLE".lower())
    assert (found.start[1], found.end[0] - found.start[0], found.end[1]) == (17, 1, 3)
    assert ranges.text_in(it, found) == "needle"
    assert ranges.text_in(it, Range((found.start[0] - 1, 2), (found.start[0] + 2, 20))) == (
        f"fore\n{'x' * 17}needle{'y' * 30}"
    )


def test_case_counts_only_when_the_text_has_capitals() -> None:
    it = screen("Docker docker DOCKER\n")
    assert [len(ranges.find(it, text)) for text in ("docker", "Docker", "podman", "")] == [3, 1, 0, 0]


def test_wide_characters_are_found_and_selected_whole() -> None:
    it = screen("ab漢字cd e\u0301 x\n")
    row = it.top
    assert ranges.find(it, "字") == (Range((row, 4), (row, 6)),)
    assert ranges.text_in(it, Range((row, 3), (row, 5))) == "漢字"
    assert Range((row, 3), (row, 5)).columns(row, it.rows()[0]) == (2, 6)
    assert ranges.text_in(it, ranges.find(it, "e\u0301")[0]) == "e\u0301"


def test_a_word_and_a_line_are_found_at_a_place() -> None:
    it = screen(f"one two  three\n\n{'z' * 25}\n", rows=8)
    word, line = ranges.word_at(it, (it.top, 5)), ranges.line_at(it, (it.top + 3, 2))
    assert word and ranges.text_in(it, word) == "two"
    assert line and ranges.text_in(it, line) == "z" * 25
    assert ranges.word_at(it, (it.top, 8)) is ranges.line_at(it, (it.top + 1, 0)) is None


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_the_view_says_how_far_up_it_is_and_a_typed_key_ends_that(size: tuple[int, int]) -> None:
    async with desk(size=size) as it:
        await it.press("t")
        terminal = await printed(it, lines(400), "line 399 of many")
        await it.press("shift+pageup")
        page = terminal.size.height - 1
        await it.see(f"{page} lines up")
        terminal.post_message(_wheel(terminal, up=True))
        await it.see(f"{page + 3} lines up")
        it.stage.journal.write(Printed("node1", "more\r\n"))
        await it.see(f"{page + 4} lines up")
        assert "more" not in it.text
        await it.press("x")
        await it.see("more")
        assert "lines up" not in it.text and it.stage.typed == ["x"]


async def test_a_search_shows_the_last_place_and_goes_up_and_down_from_there() -> None:
    async with desk() as it:
        await printed(it, lines(400), "line 399 of many")
        await it.press("4", "slash", *"line 9", "enter")
        await it.see("11 of 11: n above, N below, Esc ends", "line 99 of many", "lines up")
        await it.press("n", "n")
        await it.see("9 of 11", "line 97 of many")
        await it.press("N")
        await it.see("10 of 11")
        await it.press("N", "N")
        await it.see("none below")
        await it.press("escape")
        await it.see("line 399 of many")
        assert "of 11" not in it.text and it.app.ui.page == -1
        await it.press("n")
        await it.be(lambda: it.app.ui.page == 0, "n is the lesson's again")


async def test_a_search_for_what_is_not_there_says_so() -> None:
    async with desk() as it:
        await printed(it, lines(4), "line 3 of many")
        await it.press("4", "slash", *"nothing", "enter")
        await it.see("“nothing” is not there")
        await it.press("slash")
        await it.see("Search the terminal", "nothing")
        await it.press("escape")
        assert it.app.ui.region == "terminal"


def _wheel(terminal: Terminal, *, up: bool, shift: bool = False) -> events.MouseEvent:
    kind = events.MouseScrollUp if up else events.MouseScrollDown
    at = terminal.content_region
    return kind(terminal, 3, 3, 0, 0, 0, shift, False, False, screen_x=at.x + 2, screen_y=at.y + 1)


def copied(it: Desk, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written to the terminal's clipboard from now on."""
    found: list[str] = []
    driver = it.app._driver
    assert driver is not None

    def write(data: str) -> None:
        if data.startswith("\x1b]52;c;"):
            found.append(base64.b64decode(data[7:-1]).decode())

    monkeypatch.setattr(driver, "write", write)
    return found


async def drag(it: Desk, start: tuple[int, int], end: tuple[int, int], *, shift: bool = False) -> None:
    at = it.app.query_one(Terminal).content_region
    begin, stop = ((at.x + x, at.y + y) for x, y in (start, end))
    await it.pilot.mouse_down(offset=begin, shift=shift)
    await it.pilot.hover(offset=stop)
    await it.pilot.mouse_up(offset=stop, shift=shift)
    await it.pilot.pause()


async def test_a_click_types_and_a_drag_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as it:
        await printed(it, "one 漢字 two\nthree\n", "three")
        clipboard = copied(it, monkeypatch)
        await drag(it, (5, 0), (2, 1))
        assert clipboard == ["漢字 two\nthr"] and not it.app.ui.typing and it.app.ui.region == "terminal"
        await it.see("2 lines copied")
        await it.press("y")
        assert clipboard == ["漢字 two\nthr"] * 2
        await it.pilot.click(Terminal, offset=(5, 5))
        await it.be(lambda: it.app.ui.typing, "typing")
        assert len(clipboard) == 2
        await it.press("y")
        await it.be(lambda: it.stage.typed == ["y"], "typed")


async def test_two_clicks_copy_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as it:
        await printed(it, "one two_and.three four\n", "four")
        clipboard = copied(it, monkeypatch)
        await it.pilot.click(Terminal, offset=(8, 1), times=2)
        await it.be(lambda: clipboard == ["two_and.three"], f"copied: {clipboard}")


async def test_a_selection_moves_with_its_text_and_goes_with_the_next_key(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as it:
        await it.press("t")
        terminal = await printed(it, "mark me\n", "mark me")
        clipboard = copied(it, monkeypatch)
        await drag(it, (0, 0), (3, 0))
        await printed(it, lines(30), "line 29 of many")
        assert terminal.copy() and clipboard == ["mark", "mark"]
        await it.press("x")
        assert not terminal.copy()


async def test_a_program_that_asks_for_the_mouse_gets_it_unless_shift_is_held(monkeypatch: pytest.MonkeyPatch) -> None:
    async with desk() as it:
        await it.press("t")
        terminal = await printed(it, "\x1b[?1002h\x1b[?1006hhere it is\n", "here it is")
        clipboard = copied(it, monkeypatch)
        await drag(it, (2, 0), (4, 0))
        terminal.post_message(_wheel(terminal, up=True))
        await it.be(lambda: len(it.stage.typed) == 4, "sent")
        assert it.stage.typed == ["\x1b[<0;3;1M", "\x1b[<32;5;1M", "\x1b[<0;5;1m", "\x1b[<64;2;3M"]
        assert clipboard == []
        await drag(it, (0, 0), (3, 0), shift=True)
        assert clipboard == ["here"] and len(it.stage.typed) == 4


async def test_the_wheel_is_the_arrow_keys_on_the_alternate_screen() -> None:
    async with desk() as it:
        await it.press("t")
        terminal = await printed(it, f"{lines(40)}\x1b[?1049h\x1b[Hpager", "pager")
        terminal.post_message(_wheel(terminal, up=False))
        await it.be(lambda: it.stage.typed == ["\x1b[B\x1b[B\x1b[B"], "sent")


async def test_nobody_who_only_reads_gives_the_mouse_to_a_program() -> None:
    async with desk() as it:
        await printed(it, f"{lines(40)}\x1b[?1002h\x1b[?1006h", "line 39 of many")
        terminal = it.app.query_one(Terminal)
        terminal.post_message(_wheel(terminal, up=True))
        await it.see("3 lines up")
        assert it.stage.typed == []


async def test_several_lines_are_pasted_only_after_a_yes() -> None:
    async with desk() as it:
        await it.press("t")
        await printed(it, "\x1b[?2004h$ ", "$ ")
        it.app.post_message(events.Paste("echo one\n  rm -r two\n"))
        await it.see("Paste 2 lines?", "┃ echo one", "┃   rm -r two", "as one text: in the shell, nothing runs until")
        await it.press("escape")
        await it.be(lambda: it.stage.typed == [] and it.app.ui.typing, "nothing was pasted")
        it.app.post_message(events.Paste("echo one\n  rm -r two\n"))
        await it.see("Paste 2 lines?")
        await it.press("enter")
        await it.be(lambda: it.stage.typed == ["\x1b[200~echo one\r  rm -r two\r\x1b[201~"], "pasted")
        await it.press("x")
        await it.be(lambda: it.stage.typed[1:] == ["x"], "typing goes on")


async def test_one_line_is_pasted_at_once_and_without_brackets_each_line_counts() -> None:
    async with desk() as it:
        await it.press("t")
        await printed(it, "$ ", "$ ")
        it.app.post_message(events.Paste("echo one"))
        await it.be(lambda: it.stage.typed == ["echo one"], "pasted")
        it.app.post_message(events.Paste("a\r\nb"))
        await it.see("Paste 2 lines?", "as if you had typed it")
        await it.press("enter")
        await it.be(lambda: it.stage.typed == ["echo one", "a\rb"], "pasted")
