"""Parts that several views share: durations in words, facts with their names, items laid side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from lab.tui.spans import Line, Span, clean, clip, join_line, width, wrap

LABEL = 13
"""The width of a fact's name in cells, with the blanks around it."""
WIDE = 100


def finish(lines: Iterable[Line], room: int) -> tuple[Line, ...]:
    """Return the lines ready to draw: at most `room` cells wide, without characters that could move the cursor."""
    return tuple(clip(join_line((clean(text), tone) for text, tone in line), room) for line in lines)


def format_duration(seconds: float) -> str:
    """Return a duration in whole units of one kind: `45 s`, `119 min`, `7 h`, `89 days`."""
    seconds = abs(seconds)
    if not seconds < 1e12:
        return "ages"
    for size, word, most in ((1, "s", 90), (60, "min", 300), (3600, "h", 48)):
        if seconds < size * most:
            return f"{int(seconds / size)} {word}"
    return f"{int(seconds / 86400)} days"


def heading(text: str, room: int, right: str = "") -> Line:
    """Return the heading of a section, ruled to the right edge."""
    rule = room - width(((text, ""), (right, ""))) - 1 - bool(right)
    return (text, "head"), (f" {'─' * max(0, rule)}{' ' * bool(right)}", "quiet"), (right, "quiet")


def pack(things: Iterable[Sequence[Span]], room: int, first: Line = (), gap: int = 2) -> Iterator[Line]:
    """Lay items side by side, each whole, `gap` blanks apart, on as many lines as they need; lines after the first are
    indented by the width of `first`. Only an item wider than a line is wrapped."""
    start, line, used = width(first), list(first), width(first)
    empty = True
    for thing in things:
        size = width(thing)
        if start + size > room:
            if not empty:
                yield tuple(line)
            whole = wrap(thing, room, tuple(line) if empty else ((" " * start, ""),), ((" " * start, ""),))
            yield from whole[:-1]
            line, used, empty = list(whole[-1]), width(whole[-1]), False
            continue
        if not empty and used + gap + size > room:
            yield tuple(line)
            line, used, empty = [(" " * start, "")], start, True
        if not empty:
            line.append((" " * gap, ""))
            used += gap
        line.extend(thing)
        used, empty = used + size, False
    if not empty or first:
        yield tuple(line)


Fact = tuple[str, Sequence[Span]]


def facts(given: Sequence[Fact], room: int, indent: int = 2) -> Iterator[Line]:
    """Yield facts, one per line; where there is room, two short ones share a line."""
    left, half = list(given), room // 2
    while left:
        name, spans = left.pop(0)
        first = _label(name, indent)
        if room >= WIDE and left and width((*first, *spans)) < half and LABEL + width(left[0][1]) < room - half:
            other, more = left.pop(0)
            gap = half - width((*first, *spans))
            yield (*first, *spans, (" " * gap, ""), *_label(other, 0), *more)
        else:
            yield from wrap(spans, room, first)


def _label(name: str, indent: int) -> Line:
    return ((" " * indent, ""), (name.ljust(LABEL), "quiet"))
