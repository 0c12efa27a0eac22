"""Whether the time of a function is that of its input's length."""

from __future__ import annotations

import time
from collections.abc import Callable


def keeps_pace(function: Callable[[str], object], unit: str, size: int, *, lead: str = "") -> bool:
    """Whether a text eight times as long takes about eight times as long, and not sixty-four times.

    A busy machine makes a run longer, never shorter: one good pair of several is proof.
    """
    short, long = (lead + unit * (size * times // len(unit)) for times in (1, 8))
    return any(_time(function, long) < 22 * max(_time(function, short), 1e-4) for _ in range(6))


def _time(function: Callable[[str], object], text: str) -> float:
    before = time.process_time()
    function(text)
    return time.process_time() - before
