"""Cuts a terminal's input into keys and reports before Textual reads it: only what Textual knows gets through.

Textual 8.2 reads an unknown sequence as the keys of its characters, holds back what is typed after it, and ends at a
byte that is not UTF-8. Terminals do send such input: a late answer to a query, a mouse report in the oldest format
after tmux was reattached, a key release, a Latin-1 letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual.constants import ESCAPE_DELAY

PATIENCE = 1.0
"""Seconds within which the rest of a sequence must arrive; a slow connection may split one."""

PASTE_PATIENCE = 5.0
"""Seconds of silence after which a paste counts as over: its end is lost if the connection breaks in it."""

_LONGEST = 4096
"""Bytes kept of a sequence without an end: no expected report is longer."""

_STRING = rb"\x1b(?:\][\dLl]|P[\d>!=]|_G)[^\x07\x18\x1a\x1b]*"
"""The head and text of an OSC, DCS or APC string, only in the forms that answers have: Alt+] may also be typed."""

_BEGUN = re.compile(
    rb"\x1b|\x1b[\]OP_]|\x1b\[[\x20-\x3f]*|\x1b\[\[|\x1b\[M[^\x1b]{0,2}|" + _STRING + rb"\x1b?", re.DOTALL
)
"""Input that the next bytes may continue."""

_WHOLE = re.compile(
    rb"(?P<text>[^\x1b]+)"
    rb"|(?P<mouse>\x1b\[M[^\x1b]{3})"  # three bytes of any value
    rb"|(?P<csi>\x1b\[(?:\[[A-E]|\d+\$(?!y)|[\x30-\x3f]*[\x20-\x2f]*[\x40-\x7e]))"
    rb"|(?P<string>" + _STRING + rb"(?:[\x07\x18\x1a]|\x1b\\|(?=\x1b)))"
    rb"|(?P<ss3>\x1bO[\x20-\x7e])"
    rb"|(?P<alt>\x1b[\x00-\x1a\x1c-\x5a\x5c-\x7f])"
)

_REPORT = re.compile(
    rb"\x1b\[(?:[IO]|20[01]~|<\d{1,5};-?\d{1,5};-?\d{1,5}[Mm]|\d{1,5};\d{1,5}R|\?\d{1,5};\d\$y|48(?:;\d[\d:]{0,9}){4}t)"
)
"""Focus, paste, mouse, cursor, mode and size, in the formats that Textual requests."""

_KEY = re.compile(
    rb"\x1b\[(?P<code>\d{0,7})(?::[\d:]*)?"
    rb"(?:;(?P<modifiers>\d{0,3})(?::(?P<event>\d?))?(?:;(?P<text>[\d:]*))?)?(?P<end>[u~ABCDEFHPQRS])"
)
_RELEASED = b"3"
_PASTE = b"\x1b[200~"
_PASTED = b"\x1b[201~"


class Incoming:
    """Takes bytes and yields whole pieces: text, or one sequence each. Times are in seconds, of any one clock."""

    def __init__(self) -> None:
        self._held, self._since, self._came, self._pasting = b"", 0.0, 0.0, False

    def feed(self, data: bytes, now: float) -> Iterator[bytes]:
        """Yield the pieces that are complete now. The content of a paste stays text, whatever it looks like."""
        if not self._held:
            self._since = now
        self._came = now
        self._held += data
        while self._held:
            if self._pasting:
                yield from self._take_paste()
                return
            if _BEGUN.fullmatch(self._held):
                if len(self._held) > _LONGEST:  # keep its head, and what may be half of its end
                    self._held = self._held[:3] + (b"\x1b" if self._held.endswith(b"\x1b") else b"")
                return
            piece = self._cut()
            self._since = now
            if piece:
                self._pasting = piece == _PASTE
                yield piece

    def expire(self, now: float) -> Iterator[bytes]:
        """Yield held-back input that is a key on its own, once nothing more arrived in time; drop the beginning of a
        report whose rest never arrived."""
        if self._pasting:
            if now - self._came >= PASTE_PATIENCE:
                self._held, self._pasting = b"", False
                yield _PASTED
            return
        if not self._held or now - self._since < ESCAPE_DELAY:
            return
        if len(self._held) <= 2 or _is_named(self._held):
            held, self._held = self._held, b""
            yield held
        elif now - self._since >= PATIENCE:
            self._held = b""

    @property
    def waits(self) -> bool:
        """Whether input is held back, or a paste has not ended yet."""
        return self._pasting or bool(self._held)

    def _cut(self) -> bytes:
        """Take the next piece off the held input; it is empty when it is to be dropped."""
        found = _WHOLE.match(self._held)
        if found is None:  # Alt+[, a sequence that was cut off, or an Escape before anything
            begun = re.match(rb"\x1b\[[\x20-\x3f]*|", self._held)
            end = max(1, begun.end() if begun else 0)
            piece, self._held = self._held[:end], self._held[end:]
            return piece if end <= 2 else b""
        piece, self._held = found[0], self._held[found.end() :]
        match found.lastgroup:
            case "mouse" | "string":
                return b""
            case "csi":
                return _translate(piece)
            case "ss3":
                return piece if _is_named(piece) else b""
        return piece

    def _take_paste(self) -> Iterator[bytes]:
        text, end, rest = self._held.partition(_PASTED)
        if end:
            self._held, self._pasting = rest, False
        else:
            kept = next((n for n in range(len(_PASTED) - 1, 0, -1) if text.endswith(_PASTED[:n])), 0)
            text, self._held = text[: len(text) - kept], text[len(text) - kept :]
        if text := text.replace(b"\x1b", b""):
            yield text
        if end:
            yield end
            yield from self.feed(b"", self._since)


def _translate(sequence: bytes) -> bytes:
    """Return the sequence in the form that Textual understands, empty if there is none."""
    if _REPORT.fullmatch(sequence) or _is_named(sequence):
        return sequence
    key = _KEY.fullmatch(sequence)
    if key is None or key["event"] == _RELEASED:
        return b""
    numbers = [key["code"], *(key["text"] or b"").split(b":")]
    if not all(_is_character(int(number or 0)) for number in numbers):
        return b""
    parts = [part for part in (key["code"], key["modifiers"], key["text"]) if part is not None]
    return b"\x1b[" + b";".join(parts) + key["end"]


def _is_named(sequence: bytes) -> bool:
    return sequence.decode("latin-1") in ANSI_SEQUENCES_KEYS


def _is_character(code: int) -> bool:
    return code < 0xD800 or 0xDFFF < code < 0x110000
