"""Challenges by name and seed: `c-pending-4711` is the challenge `c-pending` with the values of the seed 4711."""

from __future__ import annotations

import functools
import random
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping

from lab.errors import InputError
from lab.lesson import progress
from lab.lesson.challenge import MOST_SEEDS, STEP, Challenge, as_lesson
from lab.lesson.course import load_challenges
from lab.lesson.model import Lesson
from lab.lesson.standing import Attempt

_SEEDED = re.compile(r"(?P<name>.+)-(?P<seed>[0-9]{1,6})")


def find_challenge(id: str) -> Lesson | None:
    """Return the challenge with the seed that this id says, as a lesson; None when there is none, or when the
    challenges cannot be read."""
    found = _SEEDED.fullmatch(id)
    challenge = challenges().get(found["name"]) if found else None
    return as_lesson(challenge, int(found["seed"])) if found and challenge else None


def challenges() -> Mapping[str, Challenge]:
    """Return the challenges that ship with the program by their ids; none when they cannot be read."""
    return _challenges()


@functools.cache
def _challenges() -> Mapping[str, Challenge]:
    try:
        return {challenge.id: challenge for challenge in load_challenges()}
    except InputError:
        return {}  # Problems with them are reported where they are checked.


def seed_for(lab: str, challenge: str, *, new: bool = False) -> int:
    """Return the seed of a challenge that this lab's learner has; the first time, or with `new`, another one. Raises
    LabError when it cannot be saved."""
    seed = progress.find_seed(lab, challenge)
    if seed is None or new:
        seed = draw_seed()
        progress.record_seed(lab, challenge, seed)
    return seed


def find_attempts(lab: str, every: Iterable[Challenge], drawn: MutableMapping[str, int]) -> Iterator[Attempt]:
    """Yield how these challenges stand for a lab's learner. `drawn` has the seeds, by challenge, of those that are not
    begun; one that it lacks is put into it."""
    for each in every:
        known = progress.find_seed(lab, each.id)
        seed = known if known is not None else drawn.setdefault(each.id, draw_seed())
        lesson = as_lesson(each, seed)
        repaired = known is not None and STEP in progress.passed_steps(lab, lesson)
        yield Attempt(each.id, seed, lesson, begun=known is not None, repaired=repaired)


def draw_seed() -> int:
    """Return a seed by chance."""
    return random.SystemRandom().randrange(MOST_SEEDS)
