"""What is read of a command's output afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.terminal.plain_text import LONGEST, TAIL, Capture, to_plain_text


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("one\r\ntwo\r\n", "one\ntwo"),
        ("\x1b[1;31mred\x1b[0m and \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\r\n", "red and link"),
        ("10%\r50%\r100%\r\ndone\r\n", "100%\ndone"),
        ("1/3 [=> ]\x1b[K\r\x1b[2K3/3 [===]\r\n", "3/3 [===]"),
        ("a: wait\r\nb: wait\r\n\x1b[2A\x1b[Ka: ready\r\n\x1b[Kb: ready\r\n", "a: ready\nb: ready"),
        ("x" * 100 + "\r\n" + "y" * 5, "x" * 100 + "\n" + "y" * 5),
        ("\x1b[?1049h\x1b[2J\x1b[Heditor\x1b[?1049lafter\r\n", "after"),
        ("before\r\n\x1b[?1049heditor that was killed", "before"),
        ("ab\bc\r\n", "ac"),
        ("a\tb\r\n", "a       b"),
        ("日本語\r\n", "日本語"),
        ("", ""),
        ("\r\n\r\nlate\r\n\r\n", "\n\nlate"),
    ],
)
def test_the_text_is_what_a_terminal_ends_up_with(raw: str, text: str) -> None:
    assert to_plain_text(raw, 40, 6) == text
    assert to_plain_text(f"\x1b[0m{raw}", 40, 6) == text


def test_more_lines_than_the_screen_are_all_there() -> None:
    raw = "".join(f"\x1b[32mline {n}\x1b[0m\r\n" for n in range(200))
    assert to_plain_text(raw, 40, 6).splitlines() == [f"line {n}" for n in range(200)]


def test_only_the_end_of_a_long_output_is_kept() -> None:
    capture = Capture()
    for _ in range(1000):
        capture.add("0123456789" * 99 + "\r\n")
    assert len(capture.raw) <= TAIL
    text = to_plain_text(capture.raw, 100, 30)
    assert len(text) == LONGEST and text.endswith("0123456789")


def test_a_capture_that_begins_on_the_other_screen_knows_it() -> None:
    capture = Capture()
    capture.add("\x1b[?1049h")
    for _ in range(400):
        capture.add("drawn " * 200 + "\r\n")
    capture.add("\x1b[?1049lafter\r\n")
    assert to_plain_text(capture.raw, 40, 6) == "after"


escapes = st.sampled_from(
    ["\x1b[", "\x1b]", "\x1bP", "\x9b", "?1049h", "2J", "A", "5;3r", "\r\n", "\x1b\\", "m", "\x1bc", "\t"]
)


@given(st.lists(escapes | st.text(max_size=4), max_size=25).map("".join))
def test_any_output_has_a_text(raw: str) -> None:
    assert "\x1b" not in to_plain_text(raw, 20, 5)


@pytest.mark.parametrize("raw", ["\x1b[-100Ax", "a\x1b[-3;-9Hx", "\x1b[1-Ax", "\x1b[99999999999999999999Ax"])
def test_numbers_that_lead_out_of_the_screen_do_not(raw: str) -> None:
    assert to_plain_text(raw, 20, 5).endswith("x")


def test_what_the_emulator_cannot_draw_has_a_text_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise IndexError("list index out of range")

    monkeypatch.setattr("bittty.parser.Parser.feed", broken)
    assert to_plain_text("\x1b[31mred\x1b[0m\r\n\x1b]0;t\x07blue", 20, 5) == "red\nblue"
