"""What may reach a screen from a program, a tape or a lesson: text, colours, the cursor, erasing, the other screen.

A terminal does more than print: it sets the clipboard, answers questions on the keyboard's line, prints, resizes,
loads macros. Nothing of that is let through, in its seven-bit forms or its eight-bit ones (ECMA-48, xterm's ctlseqs).
"""

from __future__ import annotations

import re

LONGEST = 4096
"""How many characters a control sequence may take. One that is longer is taken for text that lost its way."""

_MODES = frozenset({"1", "7", "12", "25", "47", "1047", "1048", "1049", "2004"})
"""Private modes that are let through: cursor keys, wrapping, the cursor's looks, the other screen, bracketed paste."""

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<control>[\x08-\x0d])"
    r"|(?:\x1b\[|\x9b)(?P<csi>[0-?]*[ -/]*[@-~])"
    r"|(?P<string>(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x18\x1a]*(?:[\x07\x9c\x18\x1a]|\x1b\\|(?=\x1b(?!\\))))"
    r"|\x1b(?P<escape>[ -/]*[0-~])"
    r"|(?P<rest>[\x00-\x1f\x7f-\x9f])"
)
_HALF = re.compile(
    r"(?:(?:\x1b\[|\x9b)[0-?]*[ -/]*|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c\x18\x1a]*\x1b?|\x1b[ -/]*)\Z"
)
_COLOUR = re.compile(r"[0-9;:]*m\Z")
_MOVE = re.compile(r"[0-9;]*[@ABCDEFGHIJKLMPSTXZ`abdefr]\Z|[su]\Z")
_MODE = re.compile(r"\?([0-9;]+)([hl])\Z")
_ESCAPES = frozenset({"7", "8", "D", "E", "M", "=", ">", "(B", "(0"})


class SafeScreen:
    """Lets through what only draws. One for each stream: a sequence may be cut by a chunk's end."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str) -> str:
        """The next chunk, made safe. A sequence that has no end yet waits for the next one."""
        text = self._half + text
        half = _HALF.search(text, max(0, len(text) - LONGEST))
        self._half = half[0] if half else ""
        whole = len(text) - len(self._half)
        return "".join(_let(token) for token in _TOKEN.finditer(text) if token.start() < whole)


def safe_for_screen(text: str) -> str:
    """A whole text, made safe; a sequence without an end at its end is dropped."""
    return SafeScreen().feed(text)


def _let(token: re.Match[str]) -> str:
    match token.lastgroup:
        case "text" | "control":
            return "\n" if token[0] in "\x0b\x0c" else token[0]
        case "csi":
            return _csi(token["csi"])
        case "escape":
            return f"\x1b{token['escape']}" if token["escape"] in _ESCAPES else ""
        case _:
            return ""


def _csi(body: str) -> str:
    if _COLOUR.match(body) or _MOVE.match(body):
        return f"\x1b[{body}"
    if mode := _MODE.match(body):
        kept = [number for number in mode[1].split(";") if number in _MODES]
        return f"\x1b[?{';'.join(kept)}{mode[2]}" if kept else ""
    return ""
