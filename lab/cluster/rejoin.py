"""Bringing engines back into their swarm: those that left it, that were removed from it, or that are in another one."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.cluster import swarm_init
from lab.cluster.swarm_init import EngineState, ListedNode, Say
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
    swarm = _find_largest(up, states)
    if swarm is None:
        return ()
    # An engine that is joining goes on by itself.
    outside = [each for each in up if states[each.node].local != "pending" and not swarm.has(states[each.node])]
    if not outside:
        return ()
    for each in outside:
        if states[each.node].local != "inactive":
            swarm_init.leave(each)
    swarm_init.join_all(up, swarm.guide, say)
    swarm_init.wait_until_whole(up, bound=max(end - time.monotonic(), 10), say=say)
    swarm_init.tidy(swarm.guide, up)
    swarm_init.wait_until_whole(up, bound=max(end - time.monotonic(), 10), say=say)
    return tuple(each.node for each in outside)


@dataclass(frozen=True, slots=True)
class _Swarm:
    """A swarm as `guide`, one of its managers, lists it. `managers` are the ids of those that list the same leader."""

    guide: Endpoint
    listed: Mapping[str, ListedNode]
    managers: frozenset[str]
    others: frozenset[str]
    """The ids of managers that list another leader. After `docker swarm init --force-new-cluster` two swarms list the
    same nodes, so that a manager's own list alone says in which one it is."""

    def has(self, state: EngineState) -> bool:
        """Return whether an engine is in this swarm. A manager that is no longer one of Raft's members is not."""
        entry = self.listed.get(state.node_id)
        if state.node_id in self.managers or entry is None or state.node_id in self.others:
            return state.node_id in self.managers
        return entry.role == "worker" or bool(entry.reachability)

    def hears(self, state: EngineState) -> bool:
        """Return whether an engine is in this swarm as far as its managers hear from it: a worker is listed by both."""
        return self.has(state) and (state.node_id in self.managers or self.listed[state.node_id].state == "ready")


def _find_largest(up: Sequence[Endpoint], states: Mapping[str, EngineState]) -> _Swarm | None:
    """Return the swarm that most of these engines are in. While managers of another one, which might be larger, have no
    leader, nobody can tell."""
    lists: dict[str, tuple[Endpoint, Mapping[str, ListedNode], str]] = {}
    undecided: list[EngineState] = []
    for each in up:
        state = states[each.node]
        if not state.control:
            continue
        try:
            listed: Mapping[str, ListedNode] = {node.id: node for node in swarm_init.list_nodes(each)}
        except EngineError:  # A manager without a quorum.
            listed = {}
        leader = next((node.id for node in listed.values() if node.leader), "")
        if leader:
            lists[state.node_id] = each, listed, leader
        else:
            undecided.append(state)
    found: _Swarm | None = None
    most = 0
    for guide, listed, leader in lists.values():
        managers = frozenset(id for id, (_, _, other) in lists.items() if other == leader)
        swarm = _Swarm(guide, listed, managers, frozenset(lists) - managers)
        size = sum(swarm.hears(states[each.node]) for each in up)
        if size > most:
            found, most = swarm, size
    if found is None or sum(not found.has(state) for state in undecided) > most:
        return None
    return found
