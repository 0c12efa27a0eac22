"""What is said, as values that know nothing of the terminal's width, and how they are wrapped to it."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from lab.schema.template import fill, fill_command, placeholders
from lab.tape.wrap_markdown import wrap_markdown
from lab.terminal.sanitize import text_only, visible

Tone = Literal["", "head", "good", "bad"]
Form = Literal["prose", "markdown", "code"]

NARROWEST = 20
INDENT = "    "
"""What a command and its output begin with."""

_EMPHASIS = re.compile(r"(?P<code>(?ms:^```.*?^```)|(?m:^ {4}.*$)|`[^`]*`)|\*{1,3}(?=\S)|(?<=\S)\*{1,3}")
"""What is code, and else the asterisks of emphasis: a list's have a blank after them."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph. `form`: prose is filled anew, Markdown too and keeps its lists, code stays as it is. `lead` stands
    before the first line, and as many blanks before the others. `tone` is seen only where colour was asked for."""

    text: str = ""
    tone: Tone = ""
    form: Form = "prose"
    lead: str = ""


EMPTY = Line()


def wrap(line: Line, width: int) -> Iterator[str]:
    """Yield the lines of the terminal for it, each of at most `width` characters, except those of code."""
    width = max(NARROWEST, width)
    if line.form == "code":
        yield from (f"{line.lead}{each}".rstrip() for each in text_only(line.text).expandtabs(4).split("\n"))
    elif line.form == "markdown":
        yield from wrap_markdown(_without_emphasis(line.text.strip()), width, line.lead)
    else:
        text = visible(" ".join(text_only(line.text).split()))
        found = textwrap.wrap(text, max(NARROWEST, width - len(line.lead)), break_on_hyphens=False) or [""]
        yield f"{line.lead}{found[0]}".rstrip()
        yield from (f"{' ' * len(line.lead)}{each}" for each in found[1:])


def code(text: str) -> Line:
    """Return a command, a file's part or an output as a line, set off from the text around it."""
    return Line("\n".join(f"{INDENT}{each}".rstrip() for each in text.rstrip("\n").split("\n")), form="code")


def fill_text(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its captured values; one that is not known yet appears as `‹name›`."""
    return fill(text, {name: values.get(name, f"‹{name}›") for name in placeholders(text)})


def describe_command(text: str, values: Mapping[str, str]) -> str:
    """Return a command as it will be typed; a value that is not known yet appears as `‹name›`."""
    return fill_text(fill_command(text, values), {})


def _without_emphasis(markdown: str) -> str:
    """Return Markdown without the asterisks of emphasis, which would be read aloud; what is in backquotes stays."""
    return _EMPHASIS.sub(lambda found: found["code"] or "", markdown)
