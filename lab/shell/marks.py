"""How the lab knows where a shell stands: semantic prompt marks (OSC 133) that its own prompt prints.

`A`..`D` follow the convention of terminals: D with the exit status when a command has ended, B when the prompt is
there, C when a command begins (bash's PS0, here with the command's text from bash's memory), P for a prompt that asks
for the rest of a command. Each carries a word that only this shell knows, so that what a program prints is no mark;
D and B carry the prompt's number, since bash prints a prompt again when the window changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LONGEST = 65_536
"""How many characters a mark may take; the text of a command is a part of one."""

_MARK = re.compile(r"\x1b\]133;([^\x07\x1b]*)(?:\x07|\x1b\\|(?=\x1b[^\\]))")
_HALF = re.compile(r"\x1b(?:\](?:1(?:3(?:3(?:;[^\x07\x1b]*\x1b?)?)?)?)?)?\Z")

_BODY = re.compile(r"\x1b\]133;[^\x07\x1b]*\Z")
_END = re.compile(r"[\x07\x1b]")

_RC = """\
command rm -f -- "${{BASH_SOURCE[0]}}"
unset HISTFILE HISTCONTROL HISTIGNORE PROMPT_COMMAND MAILCHECK
set +o histexpand
INPUTRC=/dev/null
bind 'set bell-style none' 'set enable-bracketed-paste on' 2>/dev/null
__lab_began() {{
  local text
  text=$(HISTTIMEFORMAT='' builtin history 1)
  builtin printf '\\e]133;C;{word};%s\\e\\\\' "${{text//[$'\\e\\a']/}}"
}}
PS0='$(__lab_began)'
__lab_prompts=0
PS1='\\[\\e]133;D;{word};$?;$((__lab_prompts+=1))\\e\\\\\\]'
PS1+='\\[\\e[1;36m\\]{node}\\[\\e[0m\\] $ \\[\\e]133;B;{word};$__lab_prompts\\e\\\\\\]'
PS2='\\[\\e]133;P;{word}\\e\\\\\\]> '
"""


@dataclass(frozen=True)
class Mark:
    """`B` the prompt is there, `C` a command begins (`text`), `D` it ended (`status`), `P` it is not complete.
    `number` counts prompts, for B and D."""

    what: Literal["B", "C", "D", "P"]
    number: int = 0
    status: int = 0
    text: str = ""


def rc_file(node: str, word: str) -> str:
    """What bash reads at its start, instead of the user's files: marks in the prompt, no history on disk, keys as
    bash has them, and the prompt `NODE $ `. The file that holds it removes itself."""
    name = re.sub(r"[^A-Za-z0-9._-]", "", node)
    return _RC.format(word=word, node=name)


class Marks:
    """Takes the marks out of a shell's output."""

    def __init__(self, word: str) -> None:
        self._word, self._half, self._inside = word, "", False

    def feed(self, text: str) -> Iterator[str | Mark]:
        """Text and marks in their order. What may be the beginning of a mark waits for the next chunk."""
        if self._inside and len(self._half) + len(text) <= LONGEST and not _END.search(text):
            self._half += text  # looked at once: a mark that never ends costs what it is long, however small the chunks
            return
        text, self._half = self._half + text, ""
        at = 0
        for found in _MARK.finditer(text):
            if found.start() > at:
                yield text[at : found.start()]
            at = found.end()
            if mark := self._mark(found[1]):
                yield mark
        half = _HALF.search(text, max(at, len(text) - LONGEST))
        if half and half.start() >= at:
            self._half = half[0]
        self._inside = _BODY.match(self._half) is not None
        if rest := text[at : len(text) - len(self._half)]:
            yield rest

    @property
    def holds(self) -> bool:
        """Whether something waits that `flush` would let go."""
        return 0 < len(self._half) <= 2

    def flush(self) -> str:
        """What waited, and was no mark. A lone escape is let go; a mark in the making is not."""
        if not self.holds:
            return ""
        text, self._half = self._half, ""
        return text

    def _mark(self, body: str) -> Mark | None:
        what, _, rest = body.partition(";")
        word, _, said = rest.partition(";")
        if word != self._word:
            return None
        match what:
            case "B" if re.fullmatch(r"[0-9]{1,9}", said):
                return Mark("B", int(said))
            case "P":
                return Mark("P")
            case "C":
                return Mark("C", text=re.sub(r"\A\s*\d+\*?\s+", "", said.replace("\r", "")))
            case "D" if re.fullmatch(r"[0-9]{1,9};[0-9]{1,9}", said):
                status, number = said.split(";")
                return Mark("D", int(number), int(status))
            case _:
                return None
