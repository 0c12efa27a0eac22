"""A shell's output on its way to the journal."""

from __future__ import annotations

from lab.shell.output import FLOOD, Output
from lab.terminal.redact import Redactor


def test_of_a_flood_only_the_end_is_written_and_it_says_so() -> None:
    written: list[str] = []
    output = Output("word", Redactor(), written.append)
    line = b"0123456789 " * 9 + b"\r\n"
    for _ in range(100):
        for piece in output.pieces(line * 1000):
            output.take(piece)
    output.flush()
    (text,) = written
    assert len(text) < FLOOD and "characters are not shown" in text and text.endswith(line.decode())


def test_modes_that_a_flood_switched_are_as_the_whole_would_set_them() -> None:
    written: list[str] = []
    output = Output("word", Redactor(), written.append)
    for piece in output.pieces(b"\x1b[?1049h\x1b[?25l" + b"x\r\n" * FLOOD):
        output.take(piece)
    output.flush()
    assert "\x1b[?1049h" in written[0] and "\x1b[?25l" in written[0]
    output.tidy()
    output.flush()
    assert "\x1b[?1049l" in written[1]


def test_what_a_program_left_switched_is_put_back() -> None:
    written: list[str] = []
    output = Output("word", Redactor(), written.append)
    for piece in output.pieces(b"\x1b[?25l\x1b[?1000h\x1b[31mred"):
        output.take(piece)
    output.tidy()
    output.flush()
    assert written == ["\x1b[?25l\x1b[?1000h\x1b[31mred\x1b[?25h\x1b[?1000l\x1b[0m"]
