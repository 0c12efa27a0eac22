"""Lines of spans, which every view is made of: each span is a text with a tone. The theme gives a tone its colours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal

from rich.cells import cell_len, chop_cells

Tone = Literal[
    "", "run", "move", "bad", "why", "quiet", "head", "name", "lab", "strong", "em", "code",
    "live", "replay", "stale", "key", "tab", "note", "file", "remark", "fact", "turned",
]  # fmt: skip
LONGEST = 1e8
"""Seconds, about three years: no time in a journal is that large."""
Span = tuple[str, Tone]
Line = tuple[Span, ...]


def format_stamp(seconds: float, tenths: bool = True) -> str:
    """Return a time as a clock shows it: `02:05.3`, past an hour `1:02:05.3`, or `--:--` if it is out of range."""
    if not abs(seconds) < LONGEST:
        return "--:--"
    whole = int(seconds)
    text = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    text = f"{whole // 3600}:{text}" if whole >= 3600 else text
    return f"{text}.{int(seconds * 10) % 10}" if tenths else text


def clean(text: str) -> str:
    """Return the text with a dot for each character that could move the cursor or change its colours."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "·" for c in text)


def width(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def plain(lines: Iterable[Line]) -> str:
    """Return the lines without their tones."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def fit(left: Line, right: Line, room: int) -> Line:
    """Return a line with one part at each end; if they do not both fit, the left one is cut and ends in `…`."""
    space = room - width(right) - bool(right)
    if width(left) > space:
        left = (*clip(left, max(0, space - 1)), ("…", "quiet")) if space > 1 else ()
    return (*left, (" " * max(0, room - width(left) - width(right)), ""), *right)


def clip(line: Line, room: int) -> Line:
    """Return the first `room` cells of a line."""
    found: list[Span] = []
    for text, tone in line:
        part = chop_cells(text, room)[0] if text and cell_len(text) > room > 0 else text if room > 0 else ""
        if part:
            found.append((part, tone))
        room -= cell_len(part) if part == text else room
    return tuple(found)


def wrap(spans: Iterable[Span], room: int, first: Line = (), rest: Line | None = None) -> list[Line]:
    """Break spans at blanks into lines of at most `room` cells.

    `first` begins the first line and `rest` the others (by default, as many blanks as `first` is wide). A word too long
    for a line is cut.
    """
    rest = ((" " * width(first), ""),) if rest is None and first else rest or ()
    room = max(room, width(first) + 4, width(rest) + 4)
    lines: list[list[Span]] = [list(first)]
    used, empty, blank = width(first), True, False
    for word in _words(spans):
        if word == _BLANK:
            blank = not empty
            continue
        size = width(word)
        if word == _BREAK or used + blank + size > room:
            if word == _BREAK or not empty:
                lines.append(list(rest))
                used, empty, blank = width(rest), True, False
            if word == _BREAK:
                continue
        if blank:
            lines[-1].append((" ", word[0][1] if lines[-1] and lines[-1][-1][1] == word[0][1] else ""))
            used += 1
        while used + size > room:
            part = clip(word, room - used)
            lines[-1].extend(part)
            word = _after(word, part)
            lines.append(list(rest))
            used, size = width(rest), width(word)
        lines[-1].extend(word)
        used, empty, blank = used + size, False, False
    return [join_line(line) for line in lines]


def break_at_blank(text: str, room: int) -> tuple[str, str]:
    """Return the part of a line of a file that fits `room` cells, and the rest. It ends at a blank that has words
    before it. A word that is too long for a line is cut, where there is one after a sign that joins its parts."""
    if cell_len(text) <= room:
        return text, ""
    part = chop_cells(text, room)[0]
    if text[len(part)] != " ":
        begins = len(part) - len(part.lstrip(" #-"))
        half = len(part) // 2
        ends = part.rfind(" ", begins) + 1 or part.rfind("=", half) + 1
        ends = ends or max(part.rfind(".", half), part.rfind("/", half)) + 1
        part = part[: ends or len(part)]
    return part.rstrip(" ") or part, text[len(part) :].lstrip(" ")


def wrap_command(command: str, room: int, first: Line = ()) -> Iterator[Line]:
    """Yield a command's lines, broken at blanks where they are too long for `room` cells; `first` begins the first one.

    A line keeps its indentation, what is broken off is indented like a continued line, and a backslash at a line's end
    stays with the word before it.
    """
    for place, part in enumerate(command.rstrip("\n").split("\n")):
        words = part.lstrip(" ")
        lead = first if place == 0 else ((" " * (width(first) + min(len(part) - len(words), room // 4)), ""),)
        shown = words.removesuffix(_CONTINUES)
        goes_on = shown != words
        rest = " " * max(width(first) + 2, width(lead))
        lines = wrap([(shown, "code")], room - goes_on * len(_CONTINUES), lead, ((rest, ""),))
        if goes_on:
            lines[-1] = join_line((*lines[-1], (_CONTINUES, "code")))
        yield from lines


def _after(word: Line, part: Line) -> Line:
    """Return the rest of a word after its first part."""
    cut, left = sum(len(text) for text, _ in part), []
    for text, tone in word:
        if cut < len(text):
            left.append((text[cut:], tone))
        cut = max(0, cut - len(text))
    return tuple(left)


def join_line(line: Iterable[Span]) -> Line:
    """Return the same line in as few spans as possible."""
    found: list[Span] = []
    for text, tone in line:
        if found and found[-1][1] == tone:
            found[-1] = (found[-1][0] + text, tone)
        else:
            found.append((text, tone))
    return tuple(found)


_BLANK: Line = ((" ", ""),)
_BREAK: Line = (("\n", ""),)
_CONTINUES = " \\"
"""The end of a line that the next one continues."""


def _words(spans: Iterable[Span]) -> Iterator[Line]:
    """Yield words, blanks and breaks; the tone may change within a word."""
    word: list[Span] = []
    for text, tone in spans:
        for piece in re.split(r"([ \n])", text):
            if piece in (" ", "\n"):
                if word:
                    yield tuple(word)
                yield _BLANK if piece == " " else _BREAK
                word = []
            elif piece:
                word.append((piece, tone))
    if word:
        yield tuple(word)
