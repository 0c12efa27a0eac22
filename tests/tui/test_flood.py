"""Lines that scroll past: the screen and its history are as if each had been drawn."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lab.tui.widgets.emulator import Emulator

_WORDS = ("", "word", "  ", "x" * 19, "y" * 20, "z" * 45, " " * 22, "é", "漢", "\t", "\b")
_COLOURS = ("\x1b[31m", "\x1b[0m", "\x1b[m", "\x1b[1;44m", "\x1b[49m", "\x1b[38;5;208m", "\x1b[0;7m", "\x1b[27m")
_MOVES = ("\x1b[K", "\x1b[A", "\x1b[2;3r", "\x1b[r", "\x1b[?7l", "\x1b[?7h", "\x1b(0", "\x1b(B")
_PARTS = st.sampled_from(_WORDS + _COLOURS + _MOVES)
_ODD = st.lists(st.lists(_PARTS, max_size=4).map("".join), max_size=6)
_USUAL = ("", "a line ", "\x1b[32mgreen\x1b[0m and not  ", "x" * 20, "y" * 41, "漢字 é", "\x1b[4munder\x1b[24m  ")
_LONG = (f"\x1b[31m{'r' * 30}  \x1b[39m", f"\x1b[44m{'b' * 30}\x1b[0m", "  \x1b[44m \x1b[m ", "\x1b[33m", "e\u0301")
_CALM = st.lists(st.sampled_from(_USUAL * 9 + _LONG), min_size=40, max_size=90)


def state(it: Emulator) -> tuple[object, ...]:
    """All that can be seen of it."""
    kept = [(row, line.text, line.styles, line.shape) for row, line in it.lines()]
    return it.rows(), it.cursor, it.size, kept, it.top


def both(texts: Sequence[str], width: int = 20) -> tuple[Emulator, Emulator]:
    """These texts, at once and character by character."""
    fast, slow = Emulator(width, 4), Emulator(width, 4)
    for text in texts:
        fast.feed(text)
        for char in text:
            slow.feed(char)
    return fast, slow


@given(st.lists(_ODD | _CALM, min_size=1, max_size=5))
def test_it_is_all_the_same(parts: list[list[str]]) -> None:
    fast, slow = both(["".join(f"{line}\r\n" for line in part) * (1 + 20 * (len(part) > 6)) for part in parts])
    assert state(fast) == state(slow)
    fast.scroll(-30)
    slow.scroll(-30)
    assert state(fast) == state(slow)
    fast.resize(33, 6)
    slow.resize(33, 6)
    assert fast.rows() == slow.rows()


@given(_CALM, st.integers(200, 700))
def test_it_is_all_the_same_in_pieces_of_any_size(lines: list[str], size: int) -> None:
    text = "".join(f"{line}\r\n" for line in lines) * 5
    fast, slow = both([text[at : at + size] for at in range(0, len(text), size)])
    assert state(fast) == state(slow)


def test_what_was_printed_last_can_be_repeated_and_goes_on_in_its_style() -> None:
    lines = "".join(f"\x1b[3{n % 8}mline {n}\r\n" for n in range(60))
    for rest in ("\x1b[3b|", "more", "\b\b|"):
        fast, slow = both([lines + rest])
        assert state(fast) == state(slow)


def test_a_view_into_the_history_stays_where_it_is() -> None:
    it = Emulator(20, 4)
    it.feed("".join(f"early {n}\r\n" for n in range(20)))
    it.scroll(-10)
    seen = it.rows()
    it.feed("later\r\n" * 2000)
    assert it.rows() == seen and it.back == 2010
