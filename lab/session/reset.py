"""Reset: what differs from a checkpoint's world, and the way there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lab.course import ledger
from lab.course.apply import apply
from lab.course.checkpoint import at
from lab.course.plan import plan
from lab.course.schema import Lesson
from lab.session.hands import LiveHands
from lab.world.entries import Acted


@dataclass(frozen=True)
class Done:
    """What a reset found and did: sentences, in order. `left` could not be touched and says why."""

    to: str
    actions: tuple[str, ...]
    left: tuple[str, ...]
    seconds: float
    dry_run: bool = False


def reset_to(hands: LiveHands, lesson: Lesson, step: str | None = None, *, dry_run: bool = False) -> Done:
    """Put the cluster to the start of a step (None: of the lesson). Looks first, acts, waits until it is so.

    Raises WaitError with what was still missing, EngineError when no manager answers.
    """
    began = time.monotonic()
    hands.look()
    checkpoint = at(lesson, step)
    made = hands.cluster.made_by_lab
    ours = ledger.ours(hands.cluster.name)
    found = plan(hands.journal.world, checkpoint, made_by_lab=made, ours=ours, env=hands.settings())
    to = f"{lesson.id}:{step}" if step else lesson.id
    actions, left = tuple(a.sentence for a in found.actions), tuple(x.sentence for x in found.left)
    if dry_run:
        return Done(to, actions, left, round(time.monotonic() - began, 2), dry_run)
    if actions:
        hands.journal.write(Acted(f"reset to {to}: {len(actions)} to put right"))
    # With nothing to do it still waits for what moves.
    apply(found.actions, checkpoint, hands, made_by_lab=made)
    return Done(to, actions, left, round(time.monotonic() - began, 2))
