"""Reset: what differs from a checkpoint's world, and the way there."""

from __future__ import annotations

import time
from dataclasses import dataclass

from lab.course import ledger
from lab.course.actions import RemoveVolume
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
    # No manager knows of volumes: those of a stack that is not to be here are looked for on the nodes themselves.
    stale = [RemoveVolume(name) for name, stack in hands.volumes() if stack not in checkpoint.stacks] if made else []
    todo = (*found.actions, *(volume for volume in stale if volume not in found.actions))
    actions, left = tuple(a.sentence for a in todo), tuple(x.sentence for x in found.left)
    if dry_run:
        return Done(to, actions, left, round(time.monotonic() - began, 2), dry_run)
    if actions:
        hands.journal.write(Acted(f"reset to {to}: {len(actions)} to put right"))
    # With nothing to do it still waits for what moves.
    apply(todo, checkpoint, hands, made_by_lab=made)
    return Done(to, actions, left, round(time.monotonic() - began, 2))
