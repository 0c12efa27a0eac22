"""Markdown as plain lines: still Markdown, but wrapped to a width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from itertools import pairwise

from lab.terminal.sanitize import text_only

_ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s+")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_VERBATIM = re.compile(r" {4}|\s*[|#>]")


def wrap_markdown(text: str, width: int, lead: str = "") -> Iterator[str]:
    """Yield the lines of a Markdown text, each of at most `width` characters and beginning with `lead`. Paragraphs and
    list items are filled anew; the lines of code stay as they are, and may be longer."""
    for block in _blocks(text_only(text).expandtabs(4).splitlines()):
        first = block[0] if block else ""
        if _FENCE.match(first) or _VERBATIM.match(first):
            yield from (f"{lead}{line}".rstrip() for line in block)
            continue
        item = _ITEM.match(first)
        sign = item.group() if item else ""
        words = " ".join(part.strip() for part in (first[len(sign) :], *block[1:]))
        lines = textwrap.wrap(words, max(20, width - len(lead) - len(sign)), break_on_hyphens=False) or [""]
        yield f"{lead}{sign}{lines[0]}".rstrip()
        yield from (f"{lead}{' ' * len(sign)}{line}" for line in lines[1:])


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield paragraphs, list items, fences and blank lines, each as its lines."""
    block: list[str] = []
    fenced = False
    for before, line in pairwise(["", *lines]):
        fence = bool(_FENCE.match(line))
        if fenced:
            block.append(line)
            if fence:
                yield block
                block, fenced = [], False
            continue
        begins = fence or not line.strip() or _ITEM.match(line) or _VERBATIM.match(line) or not before.strip()
        if begins and block:
            yield block
            block = []
        if not line.strip():
            yield [""]
            continue
        block.append(line)
        fenced = fence
    if block:
        yield block
