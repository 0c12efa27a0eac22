"""How a command is typed on the stage: as a person types, a little unevenly, and the same in every rehearsal. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterator

FASTEST, SLOWEST = 0.02, 0.075
"""Seconds between two characters of a word."""
BREATH = 0.12
"""Seconds more before an option or a new line."""
LONGEST = 6.0
"""Seconds that a whole command takes at most: a long one is typed faster."""


def typing_delays(text: str) -> Iterator[float]:
    """Yield the seconds before each character of a command; the text itself is the seed."""
    chance = random.Random(text)  # noqa: S311  not for a secret
    delays = [
        chance.uniform(FASTEST, SLOWEST)
        + (BREATH if (text[at - 1 : at] == " " and here == "-") or text[at - 1 : at] == "\n" else 0.0)
        for at, here in enumerate(text)
    ]
    scale = min(1.0, LONGEST / max(LONGEST, sum(delays)))
    yield from (delay * scale for delay in delays)
