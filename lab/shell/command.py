"""A command as it is typed into bash's line editor: its keys, and the rows that it takes on the screen."""

from __future__ import annotations

from lab.errors import InputError

_PROMPT = 40
"""Cells that the prompt takes, at most."""


def encode(text: str) -> list[bytes]:
    """Return the keys that type a text: a line break and a tab are taken literally after Ctrl-V. Raises InputError."""
    text = text.strip()
    if not text:
        raise InputError("there is no command to run")
    if bad := next((c for c in text if (c < " " and c not in "\n\t") or "\x7f" <= c < "\xa0"), ""):
        raise InputError(
            f"a command cannot hold the control character {bad!r}", remedy="write it as $'...' in the shell"
        )
    return [b"\x16" * (c in "\n\t") + c.encode("utf-8", "replace") for c in text]


def count_rows(text: str, columns: int) -> int:
    """Return how many rows of so many columns a command takes at most, with the prompt and the row after it."""
    return 1 + sum(1 + (_PROMPT + 2 * len(line.expandtabs())) // columns for line in text.strip().split("\n"))
