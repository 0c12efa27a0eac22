"""Marks from which the lab knows a shell's state: semantic prompt marks (OSC 133) that its own prompt prints.

`A`..`D` follow the convention of terminals: D with the exit status when a command has ended, B when the prompt is
shown, C when a command begins (bash's PS0, here with the command's text from bash's history), P for a prompt that asks
for the rest of a command. Each carries a word that only this shell knows, so that programs cannot print marks; D and B
carry the prompt's number, since bash prints a prompt again when the window is resized.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

LONGEST = 65_536
"""The most characters of a mark; the text of a command is part of one."""

_MARK = re.compile(r"\x1b\]133;([^\x07\x1b]*)(?:\x07|\x1b\\|(?=\x1b[^\\]))")
_HALF = re.compile(r"\x1b(?:\](?:1(?:3(?:3(?:;[^\x07\x1b]*\x1b?)?)?)?)?)?\Z")

_BODY = re.compile(r"\x1b\]133;[^\x07\x1b]*\Z")
_END = re.compile(r"[\x07\x1b]")

_RC = """\
command rm -f -- "${{BASH_SOURCE[0]}}"
unset HISTFILE HISTCONTROL HISTIGNORE PROMPT_COMMAND MAILCHECK
set +o histexpand
INPUTRC=/dev/null
bind 'set bell-style none' 'set enable-bracketed-paste on' 'set enable-active-region off' 2>/dev/null
__lab_began() {{
  local text
  text=$(HISTTIMEFORMAT='' builtin history 1)
  builtin printf '\\e]133;C;{word};%s\\e\\\\' "${{text//[$'\\e\\a']/}}"
}}
PS0='$(__lab_began)'
__lab_prompts=0
PS1='\\[\\e]133;D;{word};$?;$((__lab_prompts+=1))\\e\\\\\\]'
PS1+='(docker: \\[\\e[1;36m\\]{node}\\[\\e[0m\\]) $ \\[\\e]133;B;{word};$__lab_prompts\\e\\\\\\]'
PS2='\\[\\e]133;P;{word}\\e\\\\\\]> '
"""


@dataclass(frozen=True)
class Mark:
    """A mark: `B` the prompt is shown, `C` a command begins (`text`), `D` it ended (`status`), `P` it is not complete.
    `number` counts prompts, for B and D."""

    what: Literal["B", "C", "D", "P"]
    number: int = 0
    status: int = 0
    text: str = ""


def rc_file(node: str, word: str) -> str:
    """Return the start-up file that bash reads instead of the user's files: marks in the prompt, no history on disk,
    bash's default keys, and the prompt `(docker: NODE) $ `, since the shell is not on the node. The file deletes
    itself."""
    name = re.sub(r"[^A-Za-z0-9._-]", "", node)
    return _RC.format(word=word, node=name)


class Marks:
    """A parser that separates the marks from a shell's output."""

    def __init__(self, word: str) -> None:
        self._word, self._half, self._inside = word, "", False

    def feed(self, text: str) -> Iterator[str | Mark]:
        """Yield text and marks in order. What may be the beginning of a mark is held back until the next chunk."""
        if self._inside and len(self._half) + len(text) <= LONGEST and not _END.search(text):
            self._half += text  # searched once: a mark that never ends takes linear time, however small the chunks
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
        """Whether `flush` would release anything."""
        return 0 < len(self._half) <= 2

    def flush(self) -> str:
        """Return what was held back and was no mark. A lone escape is released; an incomplete mark is not."""
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
