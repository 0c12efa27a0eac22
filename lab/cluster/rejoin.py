"""Bringing engines back into their swarm: those that left it, that were removed from it, or that are in another one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from lab.cluster import swarm_init
from lab.cluster.swarm_init import EngineState, Say
from lab.engine.endpoint import Endpoint
from lab.errors import EngineError


def rejoin(endpoints: Sequence[Endpoint], *, bound: float, say: Say) -> tuple[str, ...]:
    """Join the engines that answer, and are not in the swarm that most of them are in, to it, each in its own role.
    Return their nodes' names.

    Raises WaitError after `bound` seconds, EngineError when an engine refuses. When no manager lists its swarm, nothing
    is done.
    """
    end = time.monotonic() + bound
    states = {state.node: state for state in swarm_init.read_engines(endpoints)}
    up = [each for each in endpoints if states[each.node].local]
    guide, members = _find_largest(up, states)
    if guide is None:
        return ()
    outside = [each for each in up if _is_outside(states[each.node], members)]
    if not outside:
        return ()
    for each in outside:
        if states[each.node].local != "inactive":
            swarm_init.leave(each)
    swarm_init.join_all(up, guide, say)
    swarm_init.wait_until_whole(up, bound=max(end - time.monotonic(), 10), say=say)
    swarm_init.tidy(guide, up)
    swarm_init.wait_until_whole(up, bound=max(end - time.monotonic(), 10), say=say)
    return tuple(each.node for each in outside)


def _is_outside(state: EngineState, members: frozenset[str]) -> bool:
    """Return whether an engine is in no swarm or in another one. One that is joining is left to it."""
    return state.local != "pending" and state.node_id not in members


def _find_largest(up: Sequence[Endpoint], states: Mapping[str, EngineState]) -> tuple[Endpoint | None, frozenset[str]]:
    """Return a manager of the swarm that has most of these engines, and the ids of its nodes. While another swarm's
    managers have no quorum, nobody can tell."""
    guide, members, most = None, frozenset[str](), 0
    own = {states[each.node].node_id for each in up} - {""}
    undecided = set[str]()
    for each in up:
        if not states[each.node].control or states[each.node].node_id in members:
            continue
        try:
            listed = frozenset(node.id for node in swarm_init.list_nodes(each))
        except EngineError:  # A manager without a quorum.
            undecided.add(states[each.node].node_id)
            continue
        if len(listed & own) > most:
            guide, members, most = each, listed, len(listed & own)
    return (guide, members) if undecided <= members else (None, frozenset())
