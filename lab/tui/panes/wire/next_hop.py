"""Which exchanges go on with another one: the same connection in another place, or what a task asked for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lab.tui.panes.wire.tasks import find_owner

if TYPE_CHECKING:
    from lab.world.swarm import Task
    from lab.world.wire import Exchange
    from lab.world.world import World

    Timed = tuple[float, Exchange]

#: Seconds by which the times of two reports may differ.
JITTER = 0.02
#: Seconds for which a connection that is being opened may be on its way.
_OPENING = 10.0


def is_same(other: Timed, began: float, one: Exchange) -> bool:
    """Return whether this is the same connection as it goes on from where it came to."""
    when, it = other
    on = it.source == one.target and it.sequence == one.sequence and not it.turn
    return on and one.sequence > 0 and abs(when - began) <= _OPENING


def find_next(
    world: World, left: Sequence[Timed], hop: Timed, tasks: Sequence[Task], by: Sequence[Task]
) -> list[Timed]:
    """Return the exchanges any of which those tasks may have begun for the request."""
    began, one = hop
    end = began + one.answered if one.answered is not None else float("inf")
    here = [
        (when, it)
        for when, it in left
        if it.source == one.target and it.network and began - JITTER <= when <= end + JITTER
    ]
    asking, answering = ({address for task in those for address in task.addresses} for those in (tasks, by))
    own = [each for each in here if each[1].client in asking]
    if right := [each for each in own if each[1].address in answering]:
        return right
    # Behind a virtual IP the node itself asks, for whichever of its containers.
    return own or [e for e in here if e[1].address in answering and find_owner(world, e[1].client) is None]


def join_turns(known: Sequence[Timed], first: Timed) -> Exchange:
    """Return all that was asked and answered over a connection, as one exchange."""
    began, one = first
    parts = sorted(
        (e for e in known if e[1].connection == one.connection and e[1].turn >= one.turn), key=lambda e: e[1].turn
    )
    whole = one
    for when, part in parts[1:]:
        whole = replace(
            whole,
            answered=_later(when - began, part.answered, whole.answered),
            ended=_later(when - began, part.ended, whole.ended),
            sent=whole.sent + part.sent,
            got=whole.got + part.got,
        )
    return whole


def _later(since: float, time: float | None, before: float | None) -> float | None:
    return before if time is None else max(0.0, since + time)
