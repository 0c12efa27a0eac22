"""The terminal's screen under real full-screen programs, where they are installed, and under what was recorded."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from rich.style import Style

from lab.tape.tape import load
from lab.terminal.sanitize import ScreenFilter
from lab.tui.theme import DARK
from lab.tui.widgets.cells import segments
from lab.tui.widgets.emulator import Emulator
from lab.world.entries import Printed

BOUND = 20.0
RECORDINGS = sorted((Path(__file__).parents[2] / "recordings").glob("*.tape"))


class Seat:
    """A person at a program that runs in the lab's terminal, `columns` by `rows`."""

    def __init__(self, argv: list[str], folder: Path, columns: int = 60, rows: int = 12) -> None:
        env = {
            **os.environ,
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "LESSHISTFILE": "-",
            "LESS": "",
            "HOME": "/",
        }
        self.screen, self._clean = Emulator(columns, rows), ScreenFilter(mouse=True)
        self.screen.feed("$ program\r\n")
        self.child: Any = pexpect.spawn(
            argv[0], argv[1:], env=env, cwd=folder, dimensions=(rows, columns), encoding="utf-8", codec_errors="replace"
        )

    def type(self, *keys: str) -> None:
        """Press these keys, named as Textual names them."""
        for key in keys:
            self.child.send(self.screen.key(key, key if len(key) == 1 else None))

    def resize(self, columns: int, rows: int) -> None:
        self.screen.resize(columns, rows)
        self.child.setwinsize(rows, columns)

    def be(self, holds: Callable[[], bool], what: str) -> None:
        """Read what is printed until it holds."""
        until = time.monotonic() + BOUND
        while not holds():
            assert time.monotonic() < until, f"not so in time: {what}\n{self.screen.text()}"
            try:
                self.screen.feed(self._clean.feed(self.child.read_nonblocking(4096, 0.1)))
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                self.child.close()

    def see(self, *words: str) -> None:
        self.be(lambda: all(word in self.screen.text() for word in words), f"seen: {words}")

    def end(self) -> None:
        """Wait for the program's end, after which the screen from before is back."""
        self.be(lambda: self.child.closed, "ended")
        assert not self.screen.alternate and "$ program" in self.screen.text()
        assert self.screen.cursor is not None, "the cursor is visible again"


@pytest.fixture
def seat(tmp_path: Path) -> Iterator[Callable[..., Seat]]:
    seats: list[Seat] = []

    def take(program: str, *arguments: str, **size: int) -> Seat:
        if (found := shutil.which(program)) is None:
            pytest.skip(f"{program} is not installed")
        seats.append(Seat([found, *arguments], tmp_path, **size))
        return seats[-1]

    yield take
    for one in seats:
        one.child.close(force=True)


def test_less_pages_resizes_and_leaves_no_trace(seat: Callable[..., Seat], tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("".join(f"{n} 漢字 {'.' * n}\n" for n in range(1, 200)))
    it = seat("less", "text")
    it.see("1 漢字 .", "11 漢字")
    assert it.screen.alternate and it.screen.back == 0
    it.type(" ")
    it.see("12 漢字 ............")
    it.resize(30, 20)
    it.type("r")  # less misses the signal when it comes just before it waits for a key
    it.see("20 漢字")
    assert it.screen.size == (30, 20)
    it.type("G")
    it.see("(END)")
    it.type("up")
    it.be(lambda: "(END)" not in it.screen.text(), "the arrow keys scroll")
    it.type("q")
    it.end()


def test_vi_edits_and_writes(seat: Callable[..., Seat], tmp_path: Path) -> None:
    text = tmp_path / "text"
    text.write_text("one\ntwo\n")
    it = seat("vi", "-u", "NONE", "text")
    it.see("one", "two", "~")
    it.type("down", "A", *" 漢字", "enter", *"three", "escape")
    it.see("two 漢字", "three")
    it.be(lambda: it.screen.cursor == (4, 2), "the cursor is on the last letter")
    it.resize(80, 24)
    it.see("three")
    it.type(*":wq", "enter")
    it.end()
    assert text.read_text() == "one\ntwo 漢字\nthree\n"


def test_top_draws_its_table_and_fits_every_size(seat: Callable[..., Seat]) -> None:
    it = seat("top", "-d", "0.3", columns=80, rows=15)
    it.see("PID", "%CPU")
    heading = next(y for y, line in enumerate(it.screen.text().splitlines()) if "%CPU" in line)
    drawn = segments(it.screen.rows()[heading], Style(), DARK.name)
    assert any(one.style is not None and one.style.reverse and "PID" in one.text for one in drawn)
    for columns, rows in ((50, 8), (120, 30)):
        it.resize(columns, rows)
        it.be(lambda rows=rows: len(it.screen.text().splitlines()) >= rows - 3, "filled")  # type: ignore[misc]
        assert it.screen.size == (columns, rows)
    it.type("q")
    it.be(lambda: it.child.closed, "ended")
    assert it.screen.cursor is not None


def drawn(text: str, columns: int = 20, rows: int = 3) -> Emulator:
    it = Emulator(columns, rows)
    it.feed(ScreenFilter(mouse=True).feed(text))
    return it


def styles(it: Emulator) -> dict[str, Style]:
    """The first row's words, with how they are drawn."""
    found = segments(it.rows()[0], Style(), DARK.name)
    return {one.text: one.style for one in found if one.text.strip() and one.style is not None}


def test_colours_of_every_kind_and_what_else_a_letter_may_be() -> None:
    found = styles(
        drawn(
            "\x1b[91ma\x1b[0;44mb\x1b[0;38;5;208mc\x1b[0;48;2;1;2;3md\x1b[0;1me\x1b[0;4mf\x1b[0;7mg\x1b[0;3;9mh\x1b[m"
        )
    )
    assert [found[x].color for x in "ac"] == [Color.parse("#ffa3a3"), Color.parse("#ff8700")]
    assert [found[x].bgcolor for x in "bd"] == [Color.parse("#5cb8ff"), Color.parse("#010203")]
    assert found["e"].bold and found["f"].underline and found["g"].reverse
    assert found["h"].italic and found["h"].strike


def test_a_wide_character_never_lies_across_the_edge() -> None:
    it = drawn("x" * 19 + "漢字", 20)
    assert it.text() == f"{'x' * 19}\n漢字"
    assert it.cursor == (4, 1)


def test_the_cursor_can_be_hidden_and_the_screen_changed_and_brought_back() -> None:
    it = drawn("before\r\n")
    it.feed("\x1b[?1049h\x1b[?25l\x1b[2J\x1b[Hpager")
    assert (it.alternate, it.cursor, it.text()) == (True, None, "pager")
    it.feed("\x1b[?1049l\x1b[?25h")
    assert (it.alternate, it.cursor, it.text()) == (False, (0, 1), "before")


@pytest.mark.parametrize("tape", RECORDINGS, ids=lambda tape: tape.stem)
def test_what_was_recorded_ends_at_a_prompt(tape: Path) -> None:
    size = 100, 9
    screens: dict[str, tuple[Emulator, ScreenFilter]] = {}
    for entry in load(tape).entries:
        if isinstance(entry.fact, Printed):
            screen, clean = screens.setdefault(entry.fact.node, (Emulator(*size), ScreenFilter(mouse=True)))
            screen.feed(clean.feed(entry.fact.text))
    for node, (screen, _) in screens.items():
        assert screen.size == size and not screen.alternate
        assert re.search(rf"{node}\)? \$$", screen.text()), screen.text()


@given(
    st.lists(
        st.binary(max_size=60)
        | st.sampled_from(
            [
                b"\x1b[",
                b"\x1b[?1049h",
                b"\xe6\xbc\xa2",
                b"9999",
                b"b",
                b"\x9b",
                b"\r\n",
                b"\x1b[2;3r",
                b"\x1b[38;5;",
                b"\x1b]0;",
            ]
        ),
        max_size=12,
    )
)
def test_no_bytes_raise_hang_or_change_the_size(chunks: list[bytes]) -> None:
    screen, clean = Emulator(30, 6), ScreenFilter(mouse=True)
    for place, chunk in enumerate(chunks):
        screen.feed(clean.feed(chunk.decode("utf-8", "replace")))
        if place == len(chunks) // 2:
            screen.resize(47, 9)
    size = (47, 9) if chunks else (30, 6)
    assert screen.size == size
    for back in (0, -5):
        screen.scroll(back)
        rows = screen.rows()
        assert len(rows) == size[1]
        assert all(sum(one.cell_length for one in segments(row, Style(), DARK.name)) == size[0] for row in rows)
