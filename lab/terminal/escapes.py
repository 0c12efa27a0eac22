"""The escape sequences that a program writes to a terminal: their one grammar, as pieces of regular expressions.

From ECMA-48 (5.3 to 5.6) and xterm's ctlseqs, in the 7-bit and the 8-bit forms. Whatever hides, masks, drops or looks
for a sequence uses these pieces, so that what one reader takes for a sequence no other takes for text. Every quantifier
is possessive and bounded: no text takes more than linear time, and no sequence is held back for ever.
"""

from __future__ import annotations

import re

LONGEST_STRING = 4096
"""The most characters within which the end of a string (a title, a link) is expected. What follows is text again."""

CSI_BEGUN = r"(?:\x1b\[|\x9b)[0-?]{0,256}+[ -/]{0,16}+"
"""A control sequence up to its last character: parameters and intermediates."""

CSI = rf"{CSI_BEGUN}[@-~]"
"""A control sequence: it moves the cursor, colours, sets modes."""

ESCAPE_BEGUN = r"\x1b[ -/]{0,16}+"
"""Any other escape sequence up to its last character."""

ESCAPE = rf"{ESCAPE_BEGUN}[0-~]"
"""An escape sequence of two characters or a few more."""

STRING_OPENER = r"(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])"
"""What opens a string: OSC, DCS, SOS, PM, APC."""

STRING_TEXT = rf"[^\x07\x1b\x9c\x18\x1a]{{0,{LONGEST_STRING}}}+"
"""A string's text. CAN and SUB abort it, an escape begins something new."""

STRING_END = r"[\x07\x9c\x18\x1a]|\x1b\\?"
"""What ends a string; of an escape that is not followed by a backslash, nothing belongs to the string."""

CONTROLS = r"\x00-\x1f\x7f-\x9f"
"""All control characters, for a character class."""

_PRIVATE_MODES = re.compile(r"\x1b\[\?([0-9;]+)([hl])")


def private_modes(text: str, end: int | None = None) -> dict[str, str]:
    """Return how a text, up to `end`, leaves the private modes that it sets: number to `h` (set) or `l` (reset), in the
    order in which they were last set."""
    modes: dict[str, str] = {}
    for numbers, switch in _PRIVATE_MODES.findall(text, 0, len(text) if end is None else end):
        for number in numbers.split(";"):
            modes.pop(number, None)
            modes[number] = switch
    return modes
