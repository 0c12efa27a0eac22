"""Waiting for a condition, in one way: it is looked at until it holds, and at the bound what is missing is said."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from lab.errors import WaitError


def wait_until(
    what: str,
    bound: float,
    missing: Callable[[], str],
    *,
    pause: float = 0.2,
    say: Callable[[str], None] = lambda _: None,
    log: Path | None = None,
    remedy: str = "",
) -> None:
    """Look every `pause` seconds until nothing is missing, at most `bound` seconds.

    `missing` says in words what is still missing, "" when nothing is; `say` is told each time that this changes. Raises
    WaitError at the bound, with the last of these words, and what `missing` raises.
    """
    end, said = time.monotonic() + bound, ""
    while lacks := missing():
        if lacks != said:
            say(lacks)
            said = lacks
        if time.monotonic() > end:
            raise WaitError(what, bound, lacks, log=log, remedy=remedy)
        time.sleep(pause)
