"""Lines that a program draws again in place, as docker does with its progress. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_WIDEST = 76
"""Cells: a longer line may be broken by the terminal, and then it is no longer drawn in its place."""
_LINE = rf"\r([^\x00-\x1f\x7f]{{0,{_WIDEST}}})\r?"
_BLOCK = re.compile(rf"\x1b\[(\d{{1,3}})A\x1b\[2K{_LINE}\x1b\[\1B")
_BEGUN = re.compile(rf"\x1b\[\d{{1,3}}A(?:\x1b\[2K(?:{_LINE})?)?")


def drop_repeats(text: str, drawn: Mapping[int, str]) -> tuple[str, Mapping[int, str]]:
    """Return a text without the lines that it draws again as they are in `drawn`, and the lines that stand there after
    it, each by how many lines it is above the cursor.

    Such a text goes up for each line, erases it, writes it, and comes down by as many lines (as printed by docker
    26.1). A text that does anything else is returned whole, and nothing is known after it.
    """
    kept, known, at = "", dict(drawn), 0
    while at < len(text):
        found = _BLOCK.match(text, at)
        if found is None:
            return text, {}
        above, line = int(found[1]), found[2]
        if known.get(above) != line:
            kept += found[0]
        known[above] = line
        at = found.end()
    return kept, known


def begins_redraw(text: str) -> bool:
    """Return whether a text ends within a line that is drawn again, and does nothing else: the rest of it is still to
    come."""
    at = 0
    while (found := _BLOCK.match(text, at)) is not None:
        at = found.end()
    return _BEGUN.fullmatch(text, at) is not None
