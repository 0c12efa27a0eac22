"""Lines that a program draws again in place, as docker does with its progress. Pure."""

from __future__ import annotations

import re

_WIDEST = 76
"""Cells: a longer line may be broken by the terminal, and then it is no longer drawn in its place."""
_BLOCK = re.compile(rf"\x1b\[(\d{{1,3}})A\x1b\[2K\r[^\x00-\x1f\x7f]{{0,{_WIDEST}}}\r?\x1b\[\1B")


def is_redraw(text: str) -> bool:
    """Return whether a text only draws lines above the cursor again, so that a second one changes nothing: each goes
    up, erases the line, writes it, and comes down by as many lines (as printed by docker 26.1)."""
    at = 0
    while at < len(text):
        found = _BLOCK.match(text, at)
        if found is None:
            return False
        at = found.end()
    return at > 0
