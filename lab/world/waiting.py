"""For how long something has been so. A finding holds the moment, not the seconds: it is written once, and whoever
shows it later says how long it is by then."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from lab.world.bounds import Moment, Name


@dataclass(frozen=True, slots=True)
class Waiting:
    """A part of a finding, word for word, that has been so since `since`, in seconds since the journal began (below 0
    for what is older). `of` is the id of what it is about. Two are equal when they say the same of the same thing."""

    text: str
    since: Moment = field(compare=False)
    of: Name = ""


def say_how_long(why: str, waits: Iterable[Waiting], now: float) -> str:
    """Return a finding with the time after each of its waits, from a second on: `web.2 is preparing on node4 for 6 s`.
    `now` is the journal's time, in seconds."""
    for wait in (each for each in waits if now - each.since >= 1):
        why = why.replace(wait.text, f"{wait.text} for {_format(now - wait.since)}", 1)
    return why


def _format(seconds: float) -> str:
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
