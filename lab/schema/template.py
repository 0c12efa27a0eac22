"""Placeholders: `{{name}}` in a lesson's texts, and the captured values that replace it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping

#: Names that every lesson may use: the domain of its host names, the ports of this machine that lead to ports 80, 443,
#: 9000 and 15000 of node1, that of the lab's name server, and the load that the cluster can carry, in requests per
#: second. Each is a plain word, so in a command they may stand inside quotes.
GIVEN = ("domain", "http_port", "https_port", "tcp_port", "acme_port", "dns_port", "rate")
#: Where a port that a service publishes is reached on one node from this machine: `{{node4_8080}}`.
_ADDRESS = re.compile(r"node\d+_\d+")

_HOLE = re.compile(r"\{\{\s*([a-z][a-z0-9_]*)\s*\}\}")


_COMMENT = re.compile(r"#[^\n]*")
#: Characters after which # begins a comment.
_BEFORE_A_COMMENT = frozenset(" \t\n;&|()<>")
_QUOTE = re.compile(r"""\$?["']""")
#: Openers of a part of a command in which quotes mean something else: a here-document, arithmetic, a command in
#: backquotes; and what may be one, since bash joins lines before it looks for them.
_LOST = re.compile(r"<<|\(\(|\$\[|`|[<($]\\\n")
_HERE_STRING = "<<<"
#: The same inside double quotes, where every substitution but ${name} has quoting of its own.
_LOST_IN_QUOTES = re.compile(r"\$\(|\$\[|`|\$\{(?!\w+\})|\$\\\n")


def is_given(name: str) -> bool:
    """Return whether every lesson may use this name: one of `GIVEN`, or a published port of a node (`node4_8080`)."""
    return name in GIVEN or _ADDRESS.fullmatch(name) is not None


def placeholders(text: str) -> Iterator[str]:
    """Yield the captured names that a text uses, in order. Go templates (`{{.Node}}`) are not among them."""
    for found in _HOLE.finditer(text):
        yield found.group(1)


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with every known name replaced by its unquoted value, for the screen, checks and node names."""
    return _HOLE.sub(lambda hole: values.get(hole.group(1), hole.group(0)), text)


def fill_command(text: str, values: Mapping[str, str]) -> str:
    """Return a shell command with every known name replaced by its quoted value: a value is one word, never syntax.

    A name inside quotes would be quoted twice; `misplaced_placeholders` finds those when a lesson is loaded, and those
    that bash would not read as one word for other reasons. Quoting changes nothing in the `GIVEN` values.
    """
    return _HOLE.sub(
        lambda hole: shlex.quote(values[hole.group(1)]) if hole.group(1) in values else hole.group(0), text
    )


def misplaced_placeholders(text: str) -> Iterator[tuple[str, str]]:
    """Yield the names in a shell command that appear where a quoted value would not be one word, and where that is.

    This parses no more of bash than it must. After a construct that it cannot follow (a here-document, a command or an
    expression inside quotes, arithmetic) no name is safe.
    """
    quote, lost, at, fresh = "", "", 0, True
    while at < len(text):
        was_fresh, fresh = fresh, False  # fresh: a # here begins a comment
        if hole := _HOLE.match(text, at):
            if where := lost or (quote and "inside quotes"):
                yield hole.group(1), where
            at = hole.end()
        elif quote == "'":
            quote = "" if text[at] == "'" else quote
            at += 1
        elif text[at] in "\\$" and (hole := _HOLE.match(text, at + 1)):
            yield hole.group(1), f"right after a {text[at]}"
            at = hole.end()
        elif text[at] == "\\":
            fresh = was_fresh and text.startswith("\\\n", at)  # bash joins the lines
            at += 2
        elif quote == "$'":
            quote = "" if text[at] == "'" else quote
            at += 1
        elif not quote and was_fresh and (comment := _COMMENT.match(text, at)):
            for name in placeholders(comment.group()):
                yield name, "in a comment"
            at = comment.end()
        elif not quote and text.startswith(_HERE_STRING, at):
            at, fresh = at + len(_HERE_STRING), True
        elif found := (_LOST_IN_QUOTES if quote else _LOST).match(text, at):
            lost = lost or f"after {found.group().strip()}"
            at = found.end()
        elif quote:
            quote = "" if text[at] == '"' else quote
            at += 1
        elif opener := _QUOTE.match(text, at):
            quote, at = opener.group().replace('$"', '"'), opener.end()
        else:
            at, fresh = at + 1, text[at] in _BEFORE_A_COMMENT


def map_strings(value: object, change: Callable[[str], str]) -> object:
    """Return the plain value with `change` applied to every string in it; keys are left unchanged."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: map_strings(item, change) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [map_strings(item, change) for item in value]
    return value


def iter_strings(value: object) -> Iterator[str]:
    """Yield every string in the plain value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from iter_strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from iter_strings(item)
