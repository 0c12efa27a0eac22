"""What every view is made of: lines of spans, each a text with a tone. The theme gives a tone its colours."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal

from rich.cells import cell_len, chop_cells

Tone = Literal[
    "", "run", "move", "bad", "why", "quiet", "head", "name", "lab", "strong", "em", "code",
    "live", "replay", "stale", "key", "tab", "note",
]  # fmt: skip
Span = tuple[str, Tone]
Line = tuple[Span, ...]


def stamp(seconds: float, tenths: bool = True) -> str:
    """A time as a clock shows it: `02:05.3`, past an hour `1:02:05.3`."""
    whole = int(seconds)
    text = f"{whole // 60 % 60:02d}:{whole % 60:02d}"
    text = f"{whole // 3600}:{text}" if whole >= 3600 else text
    return f"{text}.{int(seconds * 10) % 10}" if tenths else text


def width(line: Iterable[Span]) -> int:
    """How many cells a line takes."""
    return sum(cell_len(text) for text, _ in line)


def plain(lines: Iterable[Line]) -> str:
    """The lines without their tones."""
    return "\n".join("".join(text for text, _ in line).rstrip() for line in lines)


def fit(left: Line, right: Line, room: int) -> Line:
    """A line with one part at each end; the left one gives way, and says so with `…`."""
    space = room - width(right)
    if width(left) > space - 1:
        left = (*clip(left, max(0, space - 2)), ("…", "quiet")) if space > 2 else ()
    return (*left, (" " * max(0, room - width(left) - width(right)), ""), *right)


def clip(line: Line, room: int) -> Line:
    """The first `room` cells of a line."""
    found: list[Span] = []
    for text, tone in line:
        part = chop_cells(text, room)[0] if text and cell_len(text) > room > 0 else text if room > 0 else ""
        if part:
            found.append((part, tone))
        room -= cell_len(part) if part == text else room
    return tuple(found)


def wrap(spans: Iterable[Span], room: int, first: Line = (), rest: Line | None = None) -> list[Line]:
    """Spans broken at blanks into lines of at most `room` cells.

    `first` begins the first line and `rest` (by default as many blanks) the others. A word too long for a line is cut.
    """
    rest = ((" " * width(first), ""),) if rest is None and first else rest or ()
    room = max(room, width(first) + 4)
    lines: list[list[Span]] = [list(first)]
    used, empty, blank = width(first), True, False
    for text, tone in _words(spans):
        if text == " ":
            blank = not empty
            continue
        if text == "\n" or used + blank + cell_len(text) > room:
            if text == "\n" or not empty:
                lines.append(list(rest))
                used, empty, blank = width(rest), True, False
            if text == "\n":
                continue
        pieces = chop_cells(text, max(1, room - width(rest))) if used + cell_len(text) > room else [text]
        for place, piece in enumerate(pieces):
            if place:
                lines.append(list(rest))
                used = width(rest)
            if blank:
                last = lines[-1][-1][1] if lines[-1] else ""
                lines[-1].append((" ", tone if tone == last else ""))
            lines[-1].append((piece, tone))
            used, empty, blank = used + blank + cell_len(piece), False, False
    return [joined(line) for line in lines]


def joined(line: Iterable[Span]) -> Line:
    """The same line in as few spans as it needs."""
    found: list[Span] = []
    for text, tone in line:
        if found and found[-1][1] == tone:
            found[-1] = (found[-1][0] + text, tone)
        else:
            found.append((text, tone))
    return tuple(found)


def _words(spans: Iterable[Span]) -> Iterator[Span]:
    for text, tone in spans:
        word = ""
        for char in text:
            if char in " \n":
                if word:
                    yield word, tone
                yield char, tone
                word = ""
            else:
                word += char
        if word:
            yield word, tone
