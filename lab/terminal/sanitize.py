"""Filters for text that goes to a terminal other than its own: drawing only, plain text, or text with nothing hidden.

A terminal does more than display text: it sets the clipboard, answers queries as if typed, prints, resizes, loads
macros. None of that passes, in its 7-bit or its 8-bit forms (ECMA-48, xterm's ctlseqs).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lab.terminal import escapes

DRAWING = frozenset({"7", "12", "25", "47", "1047", "1048", "1049"})
"""Private modes that change the display: wrapping, the cursor's appearance, the alternate screen."""

KEYBOARD = frozenset({"1", "2004"})
"""Private modes that set how keys are sent: cursor keys, bracketed paste."""

MOUSE = frozenset({"9", "1000", "1002", "1003", "1005", "1006", "1015"})
"""Private modes that ask for the mouse, and in which form."""

_TOKEN = re.compile(
    rf"(?P<text>[^{escapes.CONTROLS}\ud800-\udfff]+)"
    r"|(?P<control>[\x08-\x0d])"
    rf"|(?P<csi>{escapes.CSI})"
    rf"|(?P<string>{escapes.STRING_OPENER})"
    rf"|(?P<escape>{escapes.ESCAPE})"
    r"|(?P<lone>[\ud800-\udfff])"
    rf"|(?P<rest>[{escapes.CONTROLS}])"
)
_MOVES = "@ABCDEFGHIJKLMPSTXZ`abdefr"
_DRAWN = re.compile(
    rf"(?P<drawn>(?:[^{escapes.CONTROLS}\ud800-\udfff]|[\x08-\x0a\x0d]"
    rf"|\x1b\[(?:[0-9;]{{0,256}}+[m{_MOVES}]|[0-9;:]{{0,256}}+m))++)"
)
"""Text, moves and colours, which pass as they are: most of what a program prints, in one go."""
_HALF = re.compile(rf"(?:{escapes.CSI_BEGUN}|{escapes.ESCAPE_BEGUN})\Z")
_STRING_END = re.compile(escapes.STRING_END)
_COLOUR = re.compile(r"[0-9;:]*m\Z")
_MOVE = re.compile(rf"[0-9;]*[{_MOVES}]\Z|[su]\Z")
_MODE = re.compile(r"\?([0-9;]+)([hl])\Z")
_ESCAPES = frozenset({"7", "8", "D", "E", "M", "(B", "(0"})
_KEYPAD = frozenset({"=", ">"})

_AT_REST = {"7": "h", "12": "l", "25": "h", **dict.fromkeys(("47", "1047", "1049"), "l")} | dict.fromkeys(
    ("1", "1004", *MOUSE), "l"
)
"""The default state of the modes that a program may leave changed (the alternate screen, the cursor, mouse
reporting)."""

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class ScreenFilter:
    """A filter that passes only what draws. Use one for each stream: a sequence may be cut by a chunk's end.

    With `keyboard`, it also passes the modes that set how keys are sent, for a screen that somebody types into; with
    `mouse`, those that ask for the mouse, for a screen that keeps them to itself.
    """

    _whole: re.Pattern[str] | None = _DRAWN

    def __init__(self, *, keyboard: bool = True, mouse: bool = False) -> None:
        self._modes = DRAWING | (KEYBOARD if keyboard else frozenset()) | (MOUSE if mouse else frozenset())
        self._escapes = _ESCAPES | _KEYPAD if keyboard else _ESCAPES
        self._half = ""
        self._swallow = 0  # how many more characters may belong to the string that has begun

    def feed(self, text: str) -> str:
        """Return the next chunk, made safe. An incomplete sequence is held back until the next chunk."""
        return "".join(self._let(token) for token in self._tokens(text))

    def _tokens(self, text: str) -> Iterator[re.Match[str]]:
        text, self._half = self._half + text, ""
        at = 0
        while at < len(text):
            if self._swallow:
                at = self._string(text, at)
            elif self._whole and (token := self._whole.match(text, at)):
                at = token.end()
                yield token
            elif text[at] in "\x1b\x9b" and (half := _HALF.match(text, at)):
                self._half, at = half[0], len(text)
            elif token := _TOKEN.match(text, at):
                at = token.end()
                self._swallow = escapes.LONGEST_STRING * (token.lastgroup == "string")
                yield token

    def _string(self, text: str, at: int) -> int:
        """Skip a string, and return where to go on. A string's text is not kept: it is never shown."""
        bound = min(len(text), at + self._swallow)
        end = _STRING_END.search(text, at, bound)
        if end is None:
            self._swallow -= bound - at
            return bound
        if end[0] == "\x1b" and end.end() == len(text):  # perhaps the first half of the string's end
            self._swallow -= end.start() - at
            self._half = "\x1b"
            return len(text)
        self._swallow = 0
        return end.start() if end[0] == "\x1b" else end.end()

    def _let(self, token: re.Match[str]) -> str:
        match token.lastgroup:
            case "drawn":
                return token[0]
            case "text" | "control":
                return "\n" if token[0] in "\x0b\x0c" else token[0]
            case "csi":
                return self._sequence(token[0].removeprefix("\x9b").removeprefix("\x1b["))
            case "escape":
                return token[0] if token[0][1:] in self._escapes else ""
            case "lone":
                return "\ufffd"
            case _:
                return ""

    def _sequence(self, body: str) -> str:
        if _COLOUR.match(body) or _MOVE.match(body):
            return f"\x1b[{body}"
        if mode := _MODE.match(body):
            kept = [number for number in mode[1].split(";") if number in self._modes]
            return f"\x1b[?{';'.join(kept)}{mode[2]}" if kept else ""
        return ""


class _TextOnly(ScreenFilter):
    _whole = None

    def _let(self, token: re.Match[str]) -> str:
        kept = token.lastgroup in ("text", "lone") or token[0] in "\t\n"
        return super()._let(token) if kept else ""


def safe_for_screen(text: str) -> str:
    """Return a whole text, made safe; an incomplete sequence at its end is dropped."""
    return ScreenFilter().feed(text)


def text_only(text: str) -> str:
    """Return a text without its escape sequences and control characters; tabs and line ends stay."""
    return _TextOnly().feed(text.replace("\r\n", "\n"))


def visible(text: str) -> str:
    """Return a text in which nothing acts on a terminal or is hidden: control characters, bidirectional controls and
    lone surrogates are written as in a program's source (`\\x1b`). Tabs and line ends stay."""
    return _HIDDEN.sub(_write_out, text.replace("\r\n", "\n"))


def at_rest(text: str) -> str:
    """Return what must follow `text`, already safe or a terminal's own, to restore the screen: default modes, no
    colour, no margins, the normal character set. Empty when there is nothing to undo."""
    modes = escapes.private_modes(text)
    undo = "".join(f"\x1b[?{mode}{_AT_REST[mode]}" for mode, now in modes.items() if _AT_REST.get(mode, now) != now)
    if _last(r"\x1b\[([0-9;]*)r", text) not in ("", ";"):
        undo += "\x1b7\x1b[r\x1b8"  # taking margins away moves the cursor
    if _last(r"\x1b\(([B0])", text) == "0":
        undo += "\x1b(B"
    if _last(r"\x1b\[([0-9;:]*)m", text) not in ("", "0"):
        undo += "\x1b[0m"
    return undo


def _last(pattern: str, text: str) -> str:
    found = re.findall(pattern, text)
    return str(found[-1]) if found else ""


def _write_out(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
