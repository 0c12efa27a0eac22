"""When a talk will end, as it stands: from what each step took before, and the words that go with it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lab.lesson.talk import Talk

UNKNOWN = 20.0
"""Seconds that a step of which there is neither a recording nor a rehearsal is taken to run."""


@dataclass(frozen=True)
class SlideTime:
    """Seconds that one slide takes: `machine` for the step to run, `words` for what the speaker says beside it."""

    machine: float
    words: float

    @property
    def total(self) -> float:
        """Both: the words that are said while the step runs are not counted twice."""
        return self.machine + self.words


@dataclass(frozen=True)
class Forecast:
    """`gone` seconds have passed, and `left` are still needed of a slot of `slot` seconds."""

    gone: float
    left: float
    slot: float

    @property
    def end(self) -> float:
        """Seconds from the beginning at which the talk will end."""
        return self.gone + self.left

    @property
    def late(self) -> float:
        """Seconds by which it will be late; negative: early."""
        return self.end - self.slot


@dataclass(frozen=True)
class Omission:
    """A slide that could be left out: its place, the seconds it saves, and by how much the talk is late then."""

    place: int
    saves: float
    late: float


def find_times(talk: Talk, recorded: Mapping[str, float], rehearsed: Mapping[str, SlideTime]) -> tuple[SlideTime, ...]:
    """Return what each slide takes: as rehearsed, else as recorded with an estimate of the words."""
    return tuple(
        rehearsed.get(slide.id) or SlideTime(recorded.get(slide.id, UNKNOWN), slide.words) for slide in talk.slides
    )


def forecast(
    times: tuple[SlideTime, ...], place: int, *, gone: float, here: float, slot: float, left_out: Collection[int] = ()
) -> Forecast:
    """Return the forecast at the slide `place`, on which the speaker has been for `here` seconds of the `gone`."""
    rest = sum(time.total for at, time in enumerate(times) if at > place and at not in left_out)
    current = max(0.0, times[place].total - here) if 0 <= place < len(times) else 0.0
    return Forecast(gone, current + rest, slot)


def suggest_omission(
    times: tuple[SlideTime, ...], place: int, at_present: Forecast, *, left_out: Collection[int] = ()
) -> Omission | None:
    """Return the slide to leave out so that the talk ends in its slot: the shortest that is enough, or the longest when
    none is. The slide in sight and the last one stay. None while the talk is in time, and when nothing is left."""
    if at_present.late <= 0:
        return None
    open = [at for at in range(place + 1, len(times) - 1) if at not in left_out]
    if not open:
        return None
    enough = [at for at in open if times[at].total >= at_present.late]
    chosen = min(enough, key=lambda at: times[at].total) if enough else max(open, key=lambda at: times[at].total)
    return Omission(chosen, times[chosen].total, at_present.late - times[chosen].total)
