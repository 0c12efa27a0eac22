"""A lesson's Markdown as lines: headings, paragraphs, lists, quotes and code, wrapped for reading."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from lab.tui.spans import Line, Span, Tone, break_at_blank, wrap

if TYPE_CHECKING:
    from markdown_it.token import Token

WIDEST = 84


@lru_cache(maxsize=32)
def render_markdown(markdown: str, room: int) -> tuple[Line, ...]:
    """Return the text in lines of at most `room` cells, and never wider than is comfortable to read."""
    from markdown_it import MarkdownIt  # not needed for the first paint

    found = list(_blocks(iter(MarkdownIt().parse(markdown)), min(room, WIDEST), (), ()))
    while found and not found[-1]:
        found.pop()
    return tuple(found)


def _blocks(tokens: Iterator[Token], room: int, first: Line, rest: Line) -> Iterator[Line]:
    """Yield the lines of a run of blocks; `first` begins its first line, `rest` all others."""
    lead, tight = first, False
    for token in tokens:
        if token.type == "inline":
            tone: Tone = "head" if token.level == 1 and tight else ""
            yield from wrap(_spans(token.children or (), tone), room, lead, rest)
            lead = rest
        elif token.type == "heading_open":
            tight = True
        elif token.type in ("heading_close", "paragraph_close"):
            tight = False
            if not token.hidden:
                yield rest
        elif token.type in ("fence", "code_block"):
            for line in token.content.rstrip("\n").split("\n"):
                left, indent = line, "  "
                while left or indent == "  ":
                    part, left = break_at_blank(left, max(8, room - 6))
                    yield (*lead, (indent, ""), (part, "code"))
                    lead, indent = rest, "    "
            yield rest
        elif token.type in ("bullet_list_open", "ordered_list_open"):
            yield from _list(tokens, room, rest, token.type.replace("open", "close"))
            if not rest:
                yield rest
        elif token.type == "blockquote_open":
            inner = _take_until(tokens, "blockquote_open", "blockquote_close")
            bar: Line = (*rest, ("▎ ", "quiet"))
            said = list(_blocks(iter(inner), room, (*lead, ("▎ ", "quiet")), bar))
            yield from said[:-1] if said and said[-1] == bar else said
            yield rest
        elif token.type == "hr":
            yield (*rest, ("─" * (room // 2), "quiet"))


def _list(tokens: Iterator[Token], room: int, rest: Line, end: str) -> Iterator[Line]:
    for token in tokens:
        if token.type == end:
            return
        if token.type == "list_item_open":
            sign = f"{token.info}. " if token.info else "• "
            item = _take_until(tokens, "list_item_open", "list_item_close")
            inside = (*rest, (" " * len(sign), ""))
            yield from _blocks(iter(item), room, (*rest, (sign, "lab")), inside)


def _take_until(tokens: Iterator[Token], opens: str, closes: str) -> list[Token]:
    """Return the tokens before the matching closing token."""
    found, depth = [], 1
    for token in tokens:
        depth += (token.type == opens) - (token.type == closes)
        if not depth:
            break
        found.append(token)
    return found


def _spans(tokens: Iterable[Token], tone: Tone) -> Iterator[Span]:
    marks: list[Tone] = [tone]
    for token in tokens:
        if token.type in ("strong_open", "em_open"):
            marks.append("strong" if token.type == "strong_open" else "em")
        elif token.type in ("strong_close", "em_close"):
            marks.pop()
        elif token.type == "code_inline":
            yield token.content, "code"
        elif token.type == "softbreak":
            yield " ", marks[-1]
        elif token.type == "hardbreak":
            yield "\n", marks[-1]
        elif token.type in ("text", "html_inline"):
            yield "".join(c if c.isprintable() else " " for c in token.content), marks[-1]
        elif token.type == "image":
            yield f"[{token.content}]", marks[-1]
        elif token.type == "link_close":
            pass
