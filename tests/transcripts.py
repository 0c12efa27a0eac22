"""A lesson's transcript as a whole."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lab.tape.transcript import Transcript
from lab.world.entries import Entry


def write_transcript(entries: Iterable[Entry]) -> Iterator[str]:
    """Yield the whole transcript of a lesson."""
    teller = Transcript()
    for entry in entries:
        yield from teller.lines(entry)
    yield from teller.end()
