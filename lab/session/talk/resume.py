"""Where a talk stands, kept so that an app that ended in the middle of it goes on at the same step."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from lab import json_store
from lab.lesson.talk import Talk

LONGEST = 6 * 3600.0
"""Seconds after which a talk is over, whatever was kept of it."""


@dataclass(frozen=True)
class Standing:
    """Where a talk stands: its slide, the wall clock's time at which it began (seconds since 1970; 0: it has not), and
    the slides that are left out."""

    place: int = 0
    began: float = 0.0
    left_out: tuple[int, ...] = ()


def store_of(lab: str) -> Path:
    """Return the file that keeps where the talk on a lab stands."""
    return json_store.store_path("talk", lab)


def keep_standing(lab: str, talk: Talk) -> Callable[[Standing], None]:
    """Return a function that keeps where this talk stands. It raises LabError when that cannot be written."""

    def keep(standing: Standing) -> None:
        json_store.update_store(store_of(lab), lambda _: {"talk": talk.id, **asdict(standing)})

    return keep


def forget_standing(lab: str) -> None:
    """Forget where a talk stood: it has ended. A file that cannot be removed is no reason to end with an error."""
    with suppress(OSError):
        store_of(lab).unlink(missing_ok=True)


def read_standing(lab: str, talk: Talk, now: float) -> Standing:
    """Return where this talk stood when its app ended; the beginning for another talk, an old or a damaged file. `now`
    is the wall clock's time."""
    kept = json_store.read_store(store_of(lab))
    place, began, left_out = kept.get("place"), kept.get("began"), kept.get("left_out")
    if kept.get("talk") != talk.id or not isinstance(place, int) or not isinstance(began, int | float):
        return Standing()
    if not 0 <= place < len(talk.slides) or not now - LONGEST < began <= now:
        return Standing()
    kept_out = left_out if isinstance(left_out, list) else []
    out = tuple(at for at in kept_out if isinstance(at, int) and 0 <= at < len(talk.slides))
    return replace(Standing(), place=place, began=float(began), left_out=out)
