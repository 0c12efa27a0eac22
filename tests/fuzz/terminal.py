"""What a program may print: to the safe screen and the emulator, to plain text, and through the shell's marks."""

from __future__ import annotations

import codecs
import re
from random import Random
from typing import Any

from rich.style import Style

from lab.shell.marks import Mark, Marks
from lab.shell.output import Output
from lab.terminal.plain_text import to_plain_text
from lab.terminal.redact import Redactor
from lab.terminal.sanitize import ScreenFilter
from lab.tui.theme import DARK
from lab.tui.widgets import ranges
from lab.tui.widgets.cells import segments
from lab.tui.widgets.emulator import Emulator
from tests.fuzz.surface import Broken, Surface, readable
from tests.fuzz.values import latin, raw

WORD = "w0rd"
_NUMBERS = (
    *(
        "",
        "?",
        ">",
        "<",
        "=",
        "!",
        "0",
        "1",
        "2",
        "10",
        "80",
        "256",
        "9999",
        "65536",
        "2147483648",
        "9" * 20,
        "00000001",
    ),
    *("-1", "-100", "1.5", "1:2:3"),
)
_TEXTS = (
    *(
        "x",
        "漢",
        "e\u0301",
        "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}",
        "\u200b",
        "\u202e",
        "a" * 200,
        "\t",
        "\r\n",
        "\n",
        "\r",
    ),
    *("\x00", "\x05", "\x07", "\x08", "\x0b", "\x0e", "\x0f", "\x18", "\x1a", "\x1b", "\x7f"),
    *("\x85", "\x90", "\x98", "\x9b", "\x9c", "\x9d"),
)
_DRAWS = re.compile(
    r"(?:[^\x00-\x1f\x7f-\x9f]|[\x08-\x0d]|\x1b\[[0-9;:]*m|\x1b\[[0-9;]*[@A-MPSTXZ`abdefrsu]|\x1b\[\?[0-9;]+[hl]"
    r"|\x1b[78DEM=>]|\x1b\([B0])*"
)


def _sequence(rng: Random) -> str:
    numbers = ";".join(rng.choice(_NUMBERS) for _ in range(rng.choice((0, 1, 1, 2, 3, 20))))
    end = chr(rng.randrange(0x40, 0x7F))
    match rng.randrange(12):
        case 0 | 1 | 2 | 3 | 4:
            between = rng.choice(("", "", "", "?", "!", "$", " ", "'", '"', ">"))
            return (
                rng.choice(("\x1b[", "\x1b[", "\x9b")) + rng.choice(("", "", "?", ">", "=")) + numbers + between + end
            )
        case 5:
            ending = rng.choice(("\x07", "\x1b\\", "\x9c", "", "\x18", "\x1b"))
            return (
                rng.choice(("\x1b]", "\x9d"))
                + rng.choice(("0;", "8;;", "52;c;", "133;A", "104;", ""))
                + numbers
                + ending
            )
        case 6:
            return (
                rng.choice(("\x1bP", "\x90", "\x1b_", "\x1b^", "\x1bX", "\x98"))
                + numbers
                + rng.choice(("\x1b\\", "\x9c", ""))
            )
        case 7:
            return "\x1b" + rng.choice((" ", "#", "(", ")", "%", "")) + chr(rng.randrange(0x30, 0x7F))
        case 8:
            word = rng.choice(("other", WORD[:3], ""))
            return f"\x1b]133;{rng.choice('ABCDP')};{word};{numbers}" + rng.choice(("\x07", "\x1b\\", ""))
        case _:
            return rng.choice(_TEXTS) * rng.choice((1, 1, 1, 3, 100))


def _draw(rng: Random) -> Any:
    data = "".join(_sequence(rng) for _ in range(rng.randint(1, 30))).encode()
    if rng.random() < 0.2:
        cut = bytearray(data)
        for _ in range(rng.randint(1, 5)):
            cut[rng.randrange(len(cut))] = rng.randrange(256)
        data = bytes(cut)
    chunks, at = [], 0
    while at < len(data):
        size = rng.choice((1, 2, 3, 7, 40, 1000))
        chunks.append(latin(data[at : at + size]))
        at += size
    return {"chunks": chunks, "columns": rng.choice((1, 2, 20, 80, 200)), "rows": rng.choice((1, 2, 24, 60))}


def _hold(value: Any) -> None:
    chunks = [raw(chunk) for chunk in value["chunks"]]
    columns, rows = max(1, int(value.get("columns", 80))), max(1, int(value.get("rows", 24)))
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    texts = [decode(chunk) for chunk in chunks]
    _on_a_screen(texts, columns, rows)
    readable(to_plain_text("".join(texts), columns, rows), "plain text")
    _with_marks(texts)
    _to_the_journal(chunks)


def _on_a_screen(texts: list[str], columns: int, rows: int) -> None:
    """The way to the terminal's pane, which is never smaller than 20 by 3."""
    safe, screen = ScreenFilter(mouse=True), Emulator(max(20, columns), max(3, rows))
    for place, text in enumerate(texts):
        drawn = safe.feed(text)
        if not _DRAWS.fullmatch(drawn):
            raise Broken("something that does more than draw is let through to the screen", ascii(drawn))
        screen.feed(drawn)
        if place == len(texts) // 2:
            screen.resize(max(20, rows), max(3, columns // 2))
    screen.scroll(-3)
    for row in screen.rows():
        readable("".join(segment.text for segment in segments(row, Style(), DARK.name)), "a row of the terminal's pane")
    for found in (*ranges.find(screen, "x"), *ranges.find(screen, "漢")):
        if ranges.text_in(screen, found) not in ("x", "X", "漢"):
            raise Broken("what a search found is not what is selected there", ascii(ranges.text_in(screen, found)))
    for at in ((screen.top, 0), (screen.top + 1, 5), (screen.top - 9, 19)):
        for part in (ranges.word_at(screen, at), ranges.line_at(screen, at)):
            readable(ranges.text_in(screen, part) if part else "", "what is copied")
    for kind in ("press", "move", "release"):
        readable(screen.mouse(kind, 3, 2, 0).replace("\x1b", ""), "a report of the mouse")
    readable(screen.text(), "the terminal's screen as a text")


def _with_marks(texts: list[str]) -> None:
    """Only what carries the shell's own word is a mark."""
    marks = Marks(WORD)
    for text in texts:
        for piece in marks.feed(text):
            if isinstance(piece, Mark) and WORD not in "".join(texts):
                raise Broken("a mark that the shell did not print", f"{piece!a}")
    marks.flush()


def _to_the_journal(chunks: list[bytes]) -> None:
    written: list[str] = []
    output = Output(WORD, Redactor(), written.append)
    for chunk in chunks:
        for piece in output.pieces(chunk):
            output.take(piece)
        output.due()
    output.tidy()
    output.flush()
    to_plain_text(output.capture.raw, 80, 24)


def _known(*texts: str, columns: int = 80, rows: int = 24) -> Any:
    return {"chunks": [latin(text.encode()) for text in texts], "columns": columns, "rows": rows}


SURFACE = Surface(
    "terminal",
    _draw,
    _hold,
    known=(
        _known("\x1b[-100Ax"),
        _known("x\n\x1b[-1;10;5;1;0A\x1b]104;\x1b[=2147483648;65535V\x18\x1b[!j\x1b[?80!z\x1b="),
        _known("\x9d" * 30_000),
        _known("\x1b[9999;9999H漢\x1b[2147483648Cx", columns=1, rows=1),
    ),
    share=3,
    fast=150,
)
