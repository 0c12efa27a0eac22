"""Stack files, block by block: a block's own lines, what they mean, and what they have become."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rich.cells import cell_len

from lab.lesson.applied import describe_applied
from lab.tui import chrome
from lab.tui.lesson.markdown import WIDEST
from lab.tui.lesson.markdown import render_markdown as prose
from lab.tui.spans import Line, Tone, break_at_blank, clean, clip, wrap
from lab.tui.ui_state import UiState

_PROSE = re.compile(r"(?P<own> *)# (?=\S)(?P<opens>-|[\w.-]+:(?!\S))?")
"""A line of prose in a comment; an item of a list, or what looks like a key, opens a paragraph."""
_INDENT = 4
"""Cells of extra indentation for the rest of a line that was too long."""


def readings(s: UiState, room: int) -> Iterator[Line]:
    """Yield the blocks of the current step."""
    wide = max(12, min(room, WIDEST))
    for each in getattr(s.step, "reads", ()):
        yield ()
        yield _head(f"stacks/{each.file}", each.block.partition("#")[0], wide)
        for line in _flow(each.excerpt.expandtabs(4).split("\n"), wide):
            yield from _code(line, wide)
        yield from prose(chrome.fill_text(s, each.says), room)
        if each.became is not None and s.world is not None:
            text, there = describe_applied(each.became, s.world, s.world.lesson.captured)
            tone: Tone = "turned" if there else "quiet"
            yield from wrap([(text, tone)], room, (("→ " if there else "◌ ", tone),))


def _head(file: str, block: str, wide: int) -> Line:
    """Return the file and the path of the block in it, without the first parts of the path if they do not fit."""
    space, parts = wide - cell_len(file) - 2, block.split("/")
    ways = [f"  {' › '.join((*('…' for _ in parts[:1] if cut), *parts[cut:]))}" for cut in range(len(parts))]
    where = next((way for way in ways if cell_len(way) <= space), "")
    return _fill_line(((f" {file}", "fact"), (where, "remark")), wide)


def _flow(lines: list[str], wide: int) -> Iterator[str]:
    """Yield the lines, a paragraph of comments as one if any of its lines is too long to stay as it is."""
    told: list[str] = []
    for line in lines:
        found = _PROSE.match(line)
        if told and (found is None or found["opens"] or not told[0].startswith(f"{found['own']}#")):
            yield from _join(told, wide)
            told = []
        if found is None:
            yield line
        else:
            told.append(line)
    yield from _join(told, wide)


def _join(told: list[str], wide: int) -> Iterator[str]:
    if all(cell_len(line) + 2 <= wide for line in told):
        yield from told
    else:
        yield " ".join((told[0], *(line.lstrip(" #") for line in told[1:])))


def _code(line: str, wide: int) -> Iterator[Line]:
    """Yield a line of the file, broken between words where it is too long; a comment is dimmer than the rest, and each
    of its lines is one."""
    comment = line.lstrip().startswith("#")
    tone: Tone = "remark" if comment else "file"
    line = clean(line)
    own = len(line) - len(line.lstrip())
    more = f"{' ' * own}# " if comment else " " * (own + _INDENT)
    rest, lead = line, ""
    while True:
        part, rest = break_at_blank(rest, max(8, wide - 2 - len(lead)))
        yield _fill_line(((f" {lead}{part}", tone),), wide)
        if not rest:
            return
        lead = more if len(more) <= wide // 2 else " " * (wide // 2)


def _fill_line(line: Line, wide: int) -> Line:
    """Return the line on the background that sets a file apart from the text around it."""
    line = clip(line, wide)
    return (*line, (" " * (wide - sum(cell_len(text) for text, _ in line)), "remark"))
