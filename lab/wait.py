"""The one way to wait for a condition: poll until it holds, and report what is missing at the bound."""

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
    """Poll every `pause` seconds until nothing is missing, for at most `bound` seconds.

    `missing` returns what is still missing, in words, or "" when nothing is; `say` is called each time that this
    changes. Raises WaitError at the bound, with the last of these words, and anything that `missing` raises.
    """
    end, said = time.monotonic() + bound, ""
    while lacks := missing():
        if lacks != said:
            say(lacks)
            said = lacks
        if time.monotonic() > end:
            raise WaitError(what, bound, lacks, log=log, remedy=remedy)
        time.sleep(pause)
