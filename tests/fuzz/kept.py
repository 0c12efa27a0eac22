"""What comes from outside becomes facts of the journal: they must be such as a tape can hold and a world takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from lab.tape.codec import Damaged, from_line, to_entry, to_line
from lab.world.entries import Entry, Fact
from lab.world.journal import Journal
from lab.world.world import World, fold_all
from tests.fuzz.surface import Broken

WAIT = 120.0
"""Seconds in which a source must have looked again: generous, for the machine may be busy."""


def keepable(facts: Iterable[Fact]) -> None:
    """Raise Broken for a fact that no tape can hold, or that is not read again: a recording would end at it."""
    entries = tuple(Entry(0.0, fact) for fact in facts)
    for entry in entries:
        try:
            to_entry(from_line(to_line(entry).encode().decode()))
        except Damaged as error:
            raise Broken(f"a {entry.fact.kind} fact that is not read again", ascii(str(error))) from error
        except ValueError as error:
            raise Broken(f"a {entry.fact.kind} fact that no tape can hold", ascii(str(error))) from error
    fold_all(entries)


def goes_on(
    journal: Journal, until: Callable[[World], bool], raised: list[BaseException], wake: Callable[[], None], what: str
) -> None:
    """Wake a source until the world is so. Raises what a thread raised meanwhile, and Broken at the bound."""
    end = time.monotonic() + WAIT
    pause = 0.01
    while not journal.wait(until, pause):
        if raised:
            raise raised[0]
        if time.monotonic() > end:
            raise Broken(f"the source of {what} does not go on", f"link {journal.world.link!a}")
        wake()
        pause = min(0.2, pause * 2)
