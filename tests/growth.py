"""How the time of a function grows when its input doubles."""

from __future__ import annotations

import time
from collections.abc import Callable


def growth(function: Callable[[str], object], unit: str, size: int, *, lead: str = "") -> float:
    """How many times longer four times the text takes: about 4 where the time is that of the length, 16 where it is
    that of the square. The quickest of several runs each, since other programs use the machine too."""
    short, long = (lead + unit * (size * times // len(unit)) for times in (1, 4))
    return _quickest(function, long) / max(_quickest(function, short), 1e-4)


def _quickest(function: Callable[[str], object], text: str) -> float:
    return min(_time(function, text) for _ in range(3))


def _time(function: Callable[[str], object], text: str) -> float:
    before = time.process_time()
    function(text)
    return time.process_time() - before
